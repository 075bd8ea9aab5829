/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The only file that knows kernel versions. Everything else is written as if
 * there were one kernel: the newest of those supported, or names of our own
 * (compat_*) where that cannot be imitated.
 *
 * kernels.txt says which kernels this was tried on. What is here about 6.2 to 6.11 was
 * written from their public headers: there is no package of them to build for.
 */
#ifndef LETHE_COMPAT_H
#define LETHE_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "Lethe needs Linux 6.1 or later."
#endif

/* ---- shrinkers: allocated by the kernel since 6.7 ---- */

#include <linux/shrinker.h>
#include <linux/slab.h>

/* An unregistered shrinker, to be filled in, or NULL. Context: process. */
static inline struct shrinker *compat_shrinker_alloc(const char *name)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	return shrinker_alloc(0, "%s", name);
#else
	return kzalloc(sizeof(struct shrinker), GFP_KERNEL);
#endif
}

/* 0 or a negative errno. Context: process. */
static inline int compat_shrinker_register(struct shrinker *shrinker, const char *name)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	shrinker_register(shrinker);
	return 0;
#else
	return register_shrinker(shrinker, "%s", name);
#endif
}

/* Free it, registered or not; waits for calls of it to end. Context: process. */
static inline void compat_shrinker_free(struct shrinker *shrinker)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	shrinker_free(shrinker);
#else
	unregister_shrinker(shrinker);
	kfree(shrinker);
#endif
}

/* ---- pages: the bulk allocator's name ---- */

#include <linux/gfp.h>

/*
 * Allocate up to @n pages where @pages is NULL: of @node first (NUMA_NO_NODE: of this
 * CPU's), then of other nodes. How many there are then. Context: as @gfp says.
 */
static inline unsigned long
compat_alloc_pages_bulk_node(gfp_t gfp, int node, unsigned long n, struct page **pages)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 14, 0)
	return alloc_pages_bulk_node(gfp, node, n, pages);
#else
	return alloc_pages_bulk_array_node(gfp, node, n, pages);
#endif
}

/* ---- pages that the kernel may move ---- */

/*
 * Until 6.16, the mapping of a page names the calls that move it. Since 6.17 its type
 * does, and zsmalloc's type has room for the calls of one owner: in the kernel's own tree
 * that is Lethe (LETHE_IN_TREE); as a module it is not, and its pages stay where they
 * are.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#ifdef CONFIG_COMPACTION
#define COMPAT_PAGES_MOVE
#define COMPAT_PAGES_MOVE_BY_MAPPING
#endif
#else
#ifdef CONFIG_MIGRATION
#ifdef LETHE_IN_TREE
#define COMPAT_PAGES_MOVE
#endif
#endif
#endif

#ifdef COMPAT_PAGES_MOVE

#include <linux/migrate.h>
#include <linux/mm.h>

/* Pre: the page is locked, and no other task sets or clears it. */
static inline void compat_page_set_movable(struct page *page,
					   const struct movable_operations *ops)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
	__SetPageMovable(page, ops);
#else
	__SetPageZsmalloc(page);
	smp_wmb(); /* a task that sees the flag sees the type and the owner */
	SetPageMovableOps(page);
#endif
}

/* Pre: the page is locked. Since 6.17 a page stays movable until it is free. */
static inline void compat_page_clear_movable(struct page *page)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
	if (__PageMovable(page))
		__ClearPageMovable(page);
#endif
}

/* The same of a page that no task can get hold of. */
static inline void compat_page_forget_movable(struct page *page)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
	page->mapping = NULL;
#endif
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
/* 0 or a negative errno: have the kernel call @ops for our pages. Context: process. */
static inline int compat_movable_register(const struct movable_operations *ops)
{
	return set_movable_ops(ops, PGTY_zsmalloc);
}

/* Pre: there never was a page of ours. */
static inline void compat_movable_unregister(void)
{
	set_movable_ops(NULL, PGTY_zsmalloc);
}
#endif

#endif /* COMPAT_PAGES_MOVE */

/* ---- zpool, until 6.17 ---- */

/*
 * Until 6.4 the driver says which object goes to the disk next (shrink), with what its
 * pool was created with; until 6.9 it counts its memory in bytes; since 6.15 objects are
 * read and written, not mapped.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#define COMPAT_ZPOOL_EVICTS
#define COMPAT_ZPOOL_CREATE_PARAMS                                                       \
	const char *name, gfp_t gfp, const struct zpool_ops *ops, struct zpool *zpool
#else
#define COMPAT_ZPOOL_CREATE_PARAMS const char *name, gfp_t gfp
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define COMPAT_ZPOOL_TOTAL total_size
#define COMPAT_ZPOOL_TOTAL_UNIT PAGE_SIZE
#else
#define COMPAT_ZPOOL_TOTAL total_pages
#define COMPAT_ZPOOL_TOTAL_UNIT 1
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 15, 0)
#define COMPAT_ZPOOL_MAPS
#endif

/* ---- zram: the block layer and classes ---- */

#include <linux/blkdev.h>
#include <linux/device/class.h>

/* Callbacks of class files got const arguments in 6.4. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#define COMPAT_CLASS_CONST const
#else
#define COMPAT_CLASS_CONST
#endif

/* block_device_operations.open was about the partition until 6.5. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#define COMPAT_DISK_OPEN_PARAMS struct gendisk *disk, blk_mode_t mode
#define COMPAT_DISK_OPENED disk
#else
#define COMPAT_DISK_OPEN_PARAMS struct block_device *bdev, fmode_t mode
#define COMPAT_DISK_OPENED (bdev->bd_disk)
#endif

/*
 * block_device_operations.rw_page, until 6.3. A disk that has it is one on
 * which swap-in need not go through the swap cache; later kernels are told so
 * by a flag of the queue, from 6.11 on a feature.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define COMPAT_HAS_RW_PAGE
#endif

/* What users of the kernel's own zram see: until 6.2, its codec survives a reset. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define COMPAT_ZRAM_RESET_KEEPS_CODEC true
#else
#define COMPAT_ZRAM_RESET_KEEPS_CODEC false
#endif

/*
 * Also what they see: since some 6.x after 6.1 the block layer refuses I/O of invalid
 * sizes, and io_stat says so with a narrow 0; a name longer than any algorithm's is
 * E2BIG. In 7.3, max_comp_streams, which did nothing, is gone, debug_stat begins its
 * second line with no spaces, and a disk size that
 * cannot be rounded up is invalid; and a dictionary that cannot be read has an errno of
 * its own. In which kernels between those that are tested all that came is not known.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#define COMPAT_ZRAM_IO_STAT_FORMAT "%8llu %8llu %8llu %8llu\n"
#define COMPAT_ZRAM_LONG_NAME 0
#define COMPAT_ZRAM_BLOCK_FLAGS 4
#else
#define COMPAT_ZRAM_IO_STAT_FORMAT "%8llu %8llu %llu %8llu\n"
#define COMPAT_ZRAM_LONG_NAME 128
#define COMPAT_ZRAM_BLOCK_FLAGS 6
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
#define COMPAT_ZRAM_DEBUG_STAT_FORMAT "version: %d\n%8llu %8llu\n"
#define COMPAT_ZRAM_HAS_MAX_COMP_STREAMS
#define COMPAT_ZRAM_DISKSIZE_OVERFLOW (-ENOMEM)
#define COMPAT_ZRAM_DICT_ERRNO(err) (-EINVAL)
#define COMPAT_ZRAM_AGE_MAX U64_MAX
#else
#define COMPAT_ZRAM_DEBUG_STAT_FORMAT "version: %d\n%llu %8llu\n"
#define COMPAT_ZRAM_DISKSIZE_OVERFLOW (-EINVAL)
#define COMPAT_ZRAM_DICT_ERRNO(err) (err)
#define COMPAT_ZRAM_AGE_MAX U32_MAX
#endif

/* Since 6.12, comp_algorithm lists lzo-rle before lzo. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#define COMPAT_ZRAM_LZO_CODECS &zram_codec_lzo, &zram_codec_lzo_rle
#else
#define COMPAT_ZRAM_LZO_CODECS &zram_codec_lzo_rle, &zram_codec_lzo
#endif

/*
 * Since 6.16, as its zram.rst says, writeback takes types and ranges as key=value. A type
 * ends the line then, and a key that is not known is passed over; a page that the device
 * does not have is ERANGE; that there is no backing device is said before anything else,
 * and that the limit is reached when there is a page to write.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
#define COMPAT_ZRAM_WRITEBACK_KEYS false
#define COMPAT_ZRAM_NO_SUCH_PAGE (-EINVAL)
#else
#define COMPAT_ZRAM_WRITEBACK_KEYS true
#define COMPAT_ZRAM_NO_SUCH_PAGE (-ERANGE)
#endif

/* Bytes and sectors, as the block layer's setters and limits take them. */
struct compat_disk_limits {
	unsigned int logical_block_size;
	unsigned int physical_block_size;
	unsigned int io_min;
	unsigned int io_opt;
	unsigned int discard_granularity;
	unsigned int max_discard_sectors;
	unsigned int max_write_zeroes_sectors;
};

/*
 * A disk driven by bios, not rotating, that is done with a bio when
 * submit_bio() returns. Data must not change under a write: the compressor
 * reads a page more than once, and the whole of it is stored or none.
 * The disk or an error pointer. Context: process.
 */
static inline struct gendisk *compat_alloc_disk(const struct compat_disk_limits *limits)
{
	struct gendisk *disk;

	/* Limits are passed since 6.9, what the disk is like among them since 6.11. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
	struct queue_limits lim = {
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
		.features = BLK_FEAT_STABLE_WRITES | BLK_FEAT_SYNCHRONOUS,
#endif
		.logical_block_size = limits->logical_block_size,
		.physical_block_size = limits->physical_block_size,
		.io_min = limits->io_min,
		.io_opt = limits->io_opt,
		.discard_granularity = limits->discard_granularity,
		.max_hw_discard_sectors = limits->max_discard_sectors,
		.max_write_zeroes_sectors = limits->max_write_zeroes_sectors,
	};

	disk = blk_alloc_disk(&lim, NUMA_NO_NODE);
	if (IS_ERR(disk))
		return disk;
#else
	struct request_queue *queue;

	disk = blk_alloc_disk(NUMA_NO_NODE);
	if (!disk)
		return ERR_PTR(-ENOMEM);
	queue = disk->queue;
	blk_queue_logical_block_size(queue, limits->logical_block_size);
	blk_queue_physical_block_size(queue, limits->physical_block_size);
	blk_queue_io_min(queue, limits->io_min);
	blk_queue_io_opt(queue, limits->io_opt);
	queue->limits.discard_granularity = limits->discard_granularity;
	blk_queue_max_discard_sectors(queue, limits->max_discard_sectors);
	blk_queue_max_write_zeroes_sectors(queue, limits->max_write_zeroes_sectors);
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
	blk_queue_flag_set(QUEUE_FLAG_NONROT, disk->queue);
	blk_queue_flag_set(QUEUE_FLAG_STABLE_WRITES, disk->queue);
#ifdef QUEUE_FLAG_SYNCHRONOUS /* since 6.3 */
	blk_queue_flag_set(QUEUE_FLAG_SYNCHRONOUS, disk->queue);
#endif
#endif
	return disk;
}

/* ---- zram: dictionaries, for which libraries export what it takes since 6.12 ---- */

#include <linux/lz4.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#define COMPAT_HAS_LZ4HC_DICT 1
#define COMPAT_HAS_ZSTD_DICT 1
#endif

/* A state of lz4hc that has just been loaded with a dictionary. Context: any. */
static inline void compat_lz4hc_load(LZ4_streamHC_t *state, int level, const void *dict,
				     int len)
{
#ifdef COMPAT_HAS_LZ4HC_DICT
	LZ4_resetStreamHC(state, level);
	LZ4_loadDictHC(state, dict, len);
#endif
}

#endif /* LETHE_COMPAT_H */
