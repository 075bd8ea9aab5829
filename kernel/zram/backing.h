/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The backing device: a block device, or a partition of one, that pages can be written
 * to so that they need no memory. It is a row of blocks, as large as a page each.
 */
#ifndef ZRAM_BACKING_H
#define ZRAM_BACKING_H

#include <linux/blkdev.h>

struct file;

struct zram_backing {
	struct block_device *bdev;
	unsigned long nr_blocks;
	struct file *file;
};

struct zram_backing *zram_backing_open(const char *path);
void zram_backing_close(struct zram_backing *backing);

#endif /* ZRAM_BACKING_H */
