// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * The backing device and its blocks.
 *
 * A block must not be written while a page is read from it, or the reader gets the page
 * of another slot. The reader counts itself in, and then looks whether the slot still
 * names the block (readback.c). zram_block_get() sees that the block is free, and then
 * looks for readers. With a full barrier between the two steps on both sides, one of them
 * sees the other: either the reader finds that the slot has changed, or the block is
 * passed over.
 *
 * Lock order: zram.holder, for zram_block_get(). Opening and closing take locks of the
 * block layer, and are done with none of zram's held.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "backing.h"
#include "zram.h"

static int open_device(struct zram_backing *backing, const char *path)
{
	/* O_EXCL: no other file system, swap area or zram uses it. */
	struct file *file = filp_open(path, O_RDWR | O_LARGEFILE | O_EXCL, 0);
	int err = 0;

	if (IS_ERR(file))
		return PTR_ERR(file);
	if (!S_ISBLK(file_inode(file)->i_mode)) {
		err = -ENOTBLK;
		goto close;
	}
	backing->bdev = I_BDEV(file->f_mapping->host);
	/* A slot has 32 bits for the number of a block. */
	backing->nr_blocks =
		min_t(u64, bdev_nr_bytes(backing->bdev) >> PAGE_SHIFT, U32_MAX);
	if (!backing->nr_blocks || bdev_logical_block_size(backing->bdev) > PAGE_SIZE) {
		err = -EINVAL;
		goto close;
	}
	backing->file = file;
	return 0;
close:
	filp_close(file, NULL);
	return err;
}

/**
 * zram_backing_open() - get a backing device
 * @path: of a block device
 *
 * Context: process context, may sleep; the caller holds no lock.
 * Return: the backing device, all of it free; -ENOTBLK or -EISDIR for what is no block
 * device, -EBUSY if it is in use, -EINVAL if it is smaller than a page or its blocks are
 * larger, -ENOMEM, or whatever opening it comes to.
 */
struct zram_backing *zram_backing_open(const char *path)
{
	struct zram_backing *backing = kzalloc(sizeof(*backing), GFP_KERNEL);
	int err;

	if (!backing)
		return ERR_PTR(-ENOMEM);
	err = open_device(backing, path);
	if (err)
		goto free_backing;
	err = -ENOMEM;
	backing->used = zram_table_alloc(BITS_TO_LONGS(backing->nr_blocks),
					 sizeof(unsigned long));
	if (!backing->used)
		goto close;
	err = zram_reads_init(backing);
	if (err)
		goto free_used;
	return backing;

free_used:
	vfree(backing->used);
close:
	filp_close(backing->file, NULL);
free_backing:
	kfree(backing);
	return ERR_PTR(err);
}

/**
 * zram_backing_close() - give a backing device back
 * @backing: from zram_backing_open(), and no slot names a block of it; or NULL
 *
 * Context: process context, may sleep; the caller holds no lock.
 */
void zram_backing_close(struct zram_backing *backing)
{
	if (!backing)
		return;
	zram_reads_exit(backing);
	vfree(backing->used);
	filp_close(backing->file, NULL);
	kfree(backing);
}

/*
 * The first free block of @from to @to that is not read from, or @to.
 * @read: set if one was passed over for its readers.
 */
static unsigned long find_block(struct zram_backing *backing, unsigned long from,
				unsigned long to, bool *read)
{
	for (;; from++) {
		/* Bits are set by this task alone. One that is seen too late as used is
		 * found the next time. */
		from = data_race(find_next_zero_bit(backing->used, to, from));
		if (from >= to)
			return to;
		/* Pairs with zram_block_put(), and with that of the reader. */
		smp_mb();
		if (!atomic_read(zram_block_readers(backing, from)))
			return from;
		*read = true;
	}
}

/**
 * zram_block_get() - take a free block
 * @backing: the backing device; the caller has zram->holder
 * @block: set to the block, which is the caller's
 *
 * The search goes on where the last one ended, so that pages written one after the other
 * are neighbours.
 *
 * Context: process context; may sleep until a read ends, if what is free is read from.
 * Return: 0; -ENOSPC if none is free, -EINTR if the caller is killed.
 */
int zram_block_get(struct zram_backing *backing, u32 *block)
{
	unsigned long nr = backing->nr_blocks, found;
	bool read;

	for (;;) {
		read = false;
		found = find_block(backing, backing->next, nr, &read);
		if (found == nr)
			found = find_block(backing, 0, nr, &read);
		if (found < nr)
			break;
		if (!read)
			return -ENOSPC;
		if (fatal_signal_pending(current))
			return -EINTR;
		schedule_timeout_uninterruptible(1);
	}
	set_bit(found, backing->used);
	backing->next = found + 1 < nr ? found + 1 : 0;
	*block = found;
	return 0;
}
