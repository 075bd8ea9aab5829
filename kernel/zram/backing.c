// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * The backing device. Opening and closing it takes locks of the block layer, and is done
 * with none of zram's held.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/slab.h>

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
	if (!err)
		return backing;
	kfree(backing);
	return ERR_PTR(err);
}

/**
 * zram_backing_close() - give a backing device back
 * @backing: from zram_backing_open(); or NULL
 *
 * Context: process context, may sleep; the caller holds no lock.
 */
void zram_backing_close(struct zram_backing *backing)
{
	if (!backing)
		return;
	filp_close(backing->file, NULL);
	kfree(backing);
}
