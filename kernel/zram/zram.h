/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * A zram device: a disk whose pages are compressed into memory.
 *
 * Lock order, outermost first; each file says which of them it takes:
 *   devices_lock (device.c)      which devices there are
 *   gendisk.open_mutex           openers and zram.claimed
 *   zram.init_lock               set up or not; sysfs against reset
 *   zram.holder                  one task at a time holds slots
 *   the CPU hotplug lock         streams come and go with the CPUs
 *   zram.partial_lock[]          read-modify-write of a page (64K pages only)
 *   zram_stream.lock             a codec's memory: a local lock, held without sleeping
 *   slot lock (slot.h)           one page's object stays put
 *   the allocator's
 * A task drains pending frees, reclaims and waits for memory with none of the last
 * three held.
 * I/O takes no init_lock: a device is set up before its capacity lets any I/O
 * in, and torn down only when it is claimed and not open.
 */
#ifndef ZRAM_ZRAM_H
#define ZRAM_ZRAM_H

#include <linux/atomic.h>
#include <linux/blkdev.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/timekeeping.h>
#include <linux/types.h>

#include <lethe/zsmalloc.h>

#include "algorithm.h"
#include "backing.h"
#include "slot.h"
#include "stats.h"

/*
 * The smallest I/O: as users of zram know it, 4 KiB whatever the page size.
 * Where pages are larger, or with a smaller value given to the build to test
 * this, a part of a page can be written.
 */
#ifndef ZRAM_BLOCK_SHIFT
#define ZRAM_BLOCK_SHIFT 12
#endif
#define ZRAM_BLOCK_SIZE (1UL << ZRAM_BLOCK_SHIFT)
#define ZRAM_HAS_PARTIAL_IO (ZRAM_BLOCK_SIZE < PAGE_SIZE)

#define ZRAM_PARTIAL_LOCKS 16

#define ZRAM_WRITEBACK_BATCH 32 /* writes in flight, if not asked otherwise */

/* What loading a page may return besides 0 and an errno. */
#define ZRAM_ON_BACKING 1 /* the page is on the backing device */
#define ZRAM_CHANGED 2 /* the slot has come to hold something else */

struct zram_streams;

struct zram {
	/* Read on every I/O and on every slot freed; written on set-up only. */
	zram_slot *slots;
	struct zs_pool *pool;
	struct zram_stats __percpu *stats;
	unsigned long nr_slots;
	size_t huge_size; /* bytes from which a page is stored as it is */
	struct zram_streams *streams[ZRAM_ALGORITHMS]; /* by priority; NULL: none */
	unsigned long limit_pages; /* of the pool; 0: no limit. READ_ONCE */
	u64 **fills; /* of same-filled pages, by slot: values that fit no word (fill.c) */
	u32 *accessed; /* by slot, where it has been asked for (idle.c); or NULL */
	struct zram_backing *backing; /* or NULL */
	bool compressed_writeback; /* what it holds is as it was in memory */
	struct gendisk *disk;

	atomic_long_t max_used_pages;
	struct mutex partial_lock[ZRAM_PARTIAL_LOCKS];

	struct rw_semaphore init_lock;
	/* For the next set-up, or in force; by priority, the first is always there. */
	struct zram_algorithm algorithms[ZRAM_ALGORITHMS];
	struct mutex holder; /* of the task that holds slots (slot.h) */
	bool claimed; /* the disk may not be opened */
	u32 accessed_since; /* seconds since boot */
	/* Of writeback.c; a reset leaves them as they are. */
	bool writeback_limited;
	unsigned int writeback_batch; /* writes in flight at a time */
	atomic64_t writeback_limit; /* units of 4 KiB that may be written yet */
	struct dentry *debugfs;
	int id;
};

/* Whether the disk size is set. Caller: holds init_lock. */
static inline bool zram_initialised(const struct zram *zram)
{
	return zram->pool;
}

/*
 * Writes to one page exclude each other if parts of it can be written, for
 * then a write may have to read the rest of the page first.
 */
static inline void zram_partial_lock(struct zram *zram, unsigned long index)
{
	if (ZRAM_HAS_PARTIAL_IO)
		mutex_lock(&zram->partial_lock[index % ZRAM_PARTIAL_LOCKS]);
}

static inline void zram_partial_unlock(struct zram *zram, unsigned long index)
{
	if (ZRAM_HAS_PARTIAL_IO)
		mutex_unlock(&zram->partial_lock[index % ZRAM_PARTIAL_LOCKS]);
}

/*
 * Take init_lock to change what is fixed while the device has a size: for writing if it
 * has none. If it has one, for reading: writeback holds the lock for as long as a disk
 * takes, and a task that waits to write keeps all readers of the lock waiting. Return: is
 * it for writing? The device may have got a size meanwhile.
 */
static inline bool zram_lock_settings(struct zram *zram)
{
	down_read(&zram->init_lock);
	if (zram_initialised(zram))
		return false;
	up_read(&zram->init_lock);
	down_write(&zram->init_lock);
	return true;
}

static inline void zram_unlock_settings(struct zram *zram, bool writing)
{
	if (writing)
		up_write(&zram->init_lock);
	else
		up_read(&zram->init_lock);
}

/* Seconds since boot. */
static inline u32 zram_now(void)
{
	return ktime_divns(ktime_get_boottime(), NSEC_PER_SEC);
}

/* The block of the backing device that @word names, if any, which is the caller's. */
static inline void zram_release_block(struct zram *zram, u64 word)
{
	if (unlikely(slot_kind(word) == SLOT_BACKED))
		zram_block_put(zram->backing, slot_payload(word));
}

/* A page has been read or written. */
static inline void zram_touch(struct zram *zram, unsigned long index)
{
	/* Pairs with zram_track_access(). */
	u32 *accessed = smp_load_acquire(&zram->accessed);

	/* First: zram_mark_idle() must not find the mark gone and the page still old. */
	if (accessed)
		WRITE_ONCE(accessed[index], zram_now());
	if (slot_peek(&zram->slots[index]) & SLOT_IDLE)
		slot_clear_idle(&zram->slots[index]);
}

/* params.c: module parameters */
extern unsigned int zram_num_devices;
void zram_params_of_pool(struct zs_pool_params *params);

/* device.c: devices come and go, and are set up and reset */
int zram_devices_init(void);
void zram_devices_exit(void);
int zram_device_add(void);
int zram_device_remove(int id);
int zram_device_setup(struct zram *zram, u64 disksize);
int zram_device_set_backing(struct zram *zram, const char *path);
int zram_device_reset(struct zram *zram);
void *zram_table_alloc(unsigned long nr, size_t size);

/* store.c: one page in, out, gone */
int zram_store_page(struct zram *zram, unsigned long index, const void *page, int node);
int zram_load_page(struct zram *zram, unsigned long index, void *page);
int zram_copy_object(struct zram *zram, zram_slot *slot, u64 like, void *dst);
int zram_decompress_page(struct zram *zram, u64 word, void *page);
int zram_restore_page(struct zram *zram, unsigned long index, u64 held, const void *page,
		      unsigned int priority, size_t below);
void zram_clear_pages(struct zram *zram, unsigned long first, unsigned long nr);

/* idle.c: pages that are not accessed */
int zram_track_access(struct zram *zram);
u32 zram_accessed(struct zram *zram, unsigned long index);
int zram_mark_idle(struct zram *zram, u64 age);

/* recompress.c: pages that are stored already, with another algorithm */
int zram_recompress(struct zram *zram, const char *line);

/* writeback.c: pages are written to the backing device */
int zram_writeback(struct zram *zram, const char *line);

/* readback.c: and read from it */
int zram_read_backed(struct zram *zram, unsigned long index, struct page *page,
		     struct bio *parent);
int zram_load_page_wait(struct zram *zram, unsigned long index, void *buf);

/* io.c, swap.c, device.c: what the block layer and the swap core call */
void zram_submit_bio(struct bio *bio);
int zram_rw_page(struct block_device *bdev, sector_t sector, struct page *page,
		 enum req_op op);
void zram_slot_free_notify(struct block_device *bdev, unsigned long index);

/* debugfs.c */
void zram_debugfs_init(void);
void zram_debugfs_exit(void);
void zram_debugfs_add(struct zram *zram);
void zram_debugfs_remove(struct zram *zram);

/* sysfs.c, sysfs_backing.c */
extern const struct attribute_group zram_backing_attribute_group;
extern const struct attribute_group *zram_attribute_groups[];

#endif /* ZRAM_ZRAM_H */
