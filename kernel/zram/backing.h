/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The backing device: a block device, or a partition of one, that pages are written to
 * so that they need no memory (writeback.c), and read from (readback.c).
 *
 * It is a row of blocks, as large as a page each. A block belongs to the slot whose word
 * names it (SLOT_BACKED), or to a write that is in flight, or is free. A slot that
 * forgets its page gives the block up in one atomic operation, whatever is being read
 * from it: the task that writes pages back is the one to look for readers, before it uses
 * the block again.
 */
#ifndef ZRAM_BACKING_H
#define ZRAM_BACKING_H

#include <linux/atomic.h>
#include <linux/bio.h>
#include <linux/bitops.h>
#include <linux/blkdev.h>
#include <linux/types.h>

struct file;
struct workqueue_struct;

/* Blocks share a count of the reads in flight; a block is not used while there are any.
 */
#define ZRAM_READ_COUNTS 256

/* bd_stat and writeback_limit count in units of 4 KiB: so many of them are a page. */
#define ZRAM_BACKING_UNITS (PAGE_SIZE >> 12)

struct zram_backing {
	unsigned long *used; /* a bit a block */
	struct block_device *bdev;
	struct bio_set reads; /* of bios that read */
	struct workqueue_struct
		*workqueue; /* what reading cannot do where it is called */
	unsigned long nr_blocks;
	unsigned long next; /* where to look for a free block; zram.holder */
	struct file *file;
	atomic_t readers[ZRAM_READ_COUNTS];
};

struct zram_backing *zram_backing_open(const char *path);
void zram_backing_close(struct zram_backing *backing);
int zram_block_get(struct zram_backing *backing, u32 *block);

/* readback.c */
int zram_reads_init(struct zram_backing *backing);
void zram_reads_exit(struct zram_backing *backing);

/*
 * The block is free: no slot names it, and no write to it is in flight. Any context,
 * never waits. Pairs with zram_block_get().
 */
static inline void zram_block_put(struct zram_backing *backing, u32 block)
{
	clear_bit_unlock(block, backing->used);
}

static inline atomic_t *zram_block_readers(struct zram_backing *backing, u32 block)
{
	return &backing->readers[block % ZRAM_READ_COUNTS];
}

static inline sector_t zram_block_sector(u32 block)
{
	return (sector_t)block << PAGE_SECTORS_SHIFT;
}

#endif /* ZRAM_BACKING_H */
