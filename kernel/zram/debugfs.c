// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * What is of use to people who look for a fault: /sys/kernel/debug/zram/zramN.
 *
 * Lock order: none taken here. debugfs_remove() waits for the readers of a file.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "zram.h"

static struct dentry *root;

/* Same-filled pages that hold memory all the same, which mm_stat does not say. */
static int same_objects_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%llu\n", zram_stats_sum(m->private, ZRAM_SAME_OBJECTS));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(same_objects);

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
	debugfs_create_file("same_objects", 0400, zram->debugfs, zram,
			    &same_objects_fops);
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
