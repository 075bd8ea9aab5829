// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * What is of use to people who look for a fault: /sys/kernel/debug/zram/zramN.
 *
 * Lock order: init_lock. debugfs_remove() waits for the readers of a file.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "compat.h"
#include "stream.h"
#include "zram.h"

static struct dentry *root;

/* CPUs that have a stream of the first algorithm; 0 before the device has a size. */
static int streams_show(struct seq_file *m, void *v)
{
	struct zram *zram = m->private;

	down_read(&zram->init_lock);
	seq_printf(m, "%d\n", zram->streams[0] ? atomic_read(&zram->streams[0]->nr) : 0);
	up_read(&zram->init_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(streams);

/* ---- block_state: the pages that are stored, one a line ---- */

/* Flags as zram.rst has them; older kernels have fewer. */
static void block_flags(u64 word, char *flags)
{
	enum slot_kind kind = slot_kind(word);

	strscpy(flags, "......", COMPAT_ZRAM_BLOCK_FLAGS + 1);
	if (slot_is_fill(word))
		flags[0] = 's';
	if (kind == SLOT_BACKED)
		flags[1] = 'w';
	/* Of a page that is written back, the size is what it was in memory. */
	if (kind == SLOT_HUGE || (kind == SLOT_BACKED && slot_size(word) == PAGE_SIZE))
		flags[2] = 'h';
	if (word & SLOT_IDLE)
		flags[3] = 'i';
	if (COMPAT_ZRAM_BLOCK_FLAGS > 4 && slot_priority(word))
		flags[4] = 'r';
	if (COMPAT_ZRAM_BLOCK_FLAGS > 4 && word & SLOT_INCOMPRESSIBLE)
		flags[5] = 'n';
}

/* The first slot from *@pos on that is not empty; *@pos is moved to it. */
static void *block_from(struct zram *zram, loff_t *pos)
{
	for (; *pos < zram->nr_slots; ++*pos) {
		if (slot_kind(slot_peek(&zram->slots[*pos])) != SLOT_EMPTY)
			return &zram->slots[*pos];
		cond_resched();
	}
	return NULL;
}

static void *block_start(struct seq_file *m, loff_t *pos)
{
	struct zram *zram = m->private;

	down_read(&zram->init_lock);
	return zram_initialised(zram) ? block_from(zram, pos) : ERR_PTR(-EINVAL);
}

static void *block_next(struct seq_file *m, void *slot, loff_t *pos)
{
	++*pos;
	return block_from(m->private, pos);
}

static void block_stop(struct seq_file *m, void *slot)
{
	struct zram *zram = m->private;

	up_read(&zram->init_lock);
}

static int block_show(struct seq_file *m, void *slot)
{
	struct zram *zram = m->private;
	unsigned long index = (zram_slot *)slot - zram->slots;
	u64 word = slot_peek(slot);
	char flags[COMPAT_ZRAM_BLOCK_FLAGS + 1];

	if (slot_kind(word) == SLOT_EMPTY)
		return SEQ_SKIP;
	block_flags(word, flags);
	seq_printf(m, "%12lu %12u.000000 %s\n", index, zram_accessed(zram, index), flags);
	return 0;
}

static const struct seq_operations block_state_sops = {
	.start = block_start,
	.next = block_next,
	.stop = block_stop,
	.show = block_show,
};

static int block_state_open(struct inode *inode, struct file *file)
{
	struct zram *zram = inode->i_private;
	int err = 0;

	/* The reader wants to know when pages are accessed: from now on. */
	down_read(&zram->init_lock);
	if (zram_initialised(zram))
		err = zram_track_access(zram);
	up_read(&zram->init_lock);
	if (!err)
		err = seq_open(file, &block_state_sops);
	if (!err)
		((struct seq_file *)file->private_data)->private = zram;
	return err;
}

static const struct file_operations block_state_fops = {
	.owner = THIS_MODULE,
	.open = block_state_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release,
};

/**
 * zram_debugfs_add() - give a device its directory
 * @zram: the device, whose disk has its name
 *
 * Context: process context, may sleep.
 */
void zram_debugfs_add(struct zram *zram)
{
	/* Without debugfs these return errors, which all of them accept. */
	zram->debugfs = debugfs_create_dir(zram->disk->disk_name, root);
	debugfs_create_file("streams", 0400, zram->debugfs, zram, &streams_fops);
	debugfs_create_file("block_state", 0400, zram->debugfs, zram, &block_state_fops);
}

/**
 * zram_debugfs_remove() - take it away
 * @zram: the device
 *
 * Context: process context, may sleep; with no lock that a file takes.
 */
void zram_debugfs_remove(struct zram *zram)
{
	debugfs_remove(zram->debugfs);
}

/**
 * zram_debugfs_init() - get ready for devices
 *
 * Context: process context, may sleep.
 */
void zram_debugfs_init(void)
{
	root = debugfs_create_dir("zram", NULL);
}

/**
 * zram_debugfs_exit() - undo zram_debugfs_init()
 *
 * Context: process context, may sleep; no device is left.
 */
void zram_debugfs_exit(void)
{
	debugfs_remove(root);
}
