// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * lethe.ko: the allocator core as a kernel module. It does nothing by itself; zram.ko
 * and other modules create pools with the functions it exports.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/printk.h>

#include <lethe/zsmalloc.h>

#include "port.h"

#include "debugfs.h"
#include "movable.h"
#include "reclaim.h"
#include "zpool.h"

/* Exported as lethe_zs_*: see symbol_prefix.h. */
EXPORT_SYMBOL_GPL(zs_compact);
EXPORT_SYMBOL_GPL(zs_compact_pages);
EXPORT_SYMBOL_GPL(zs_compactable_pages);
EXPORT_SYMBOL_GPL(zs_create_pool_sized);
EXPORT_SYMBOL_GPL(zs_deferred_pending);
EXPORT_SYMBOL_GPL(zs_destroy_pool);
EXPORT_SYMBOL_GPL(zs_drain_deferred);
EXPORT_SYMBOL_GPL(zs_flush_cause_name);
EXPORT_SYMBOL_GPL(zs_free);
EXPORT_SYMBOL_GPL(zs_free_batch);
EXPORT_SYMBOL_GPL(zs_free_deferred);
EXPORT_SYMBOL_GPL(zs_free_deferred_flush);
EXPORT_SYMBOL_GPL(zs_get_total_pages);
EXPORT_SYMBOL_GPL(zs_huge_class_size);
EXPORT_SYMBOL_GPL(zs_malloc);
EXPORT_SYMBOL_GPL(zs_malloc_node);
EXPORT_SYMBOL_GPL(zs_obj_read_begin);
EXPORT_SYMBOL_GPL(zs_obj_read_end);
EXPORT_SYMBOL_GPL(zs_obj_size);
EXPORT_SYMBOL_GPL(zs_obj_write);
EXPORT_SYMBOL_GPL(zs_policy_by_name);
EXPORT_SYMBOL_GPL(zs_policy_name);
EXPORT_SYMBOL_GPL(zs_pool_stats_sized);

static int __init lethe_init(void)
{
	int err = movable_init();

	if (err)
		return err;
	lethe_debugfs_init();
	err = lethe_reclaim_init();
	if (err)
		goto no_reclaim;
	lethe_zpool_init();
	pr_info("version " LETHE_VERSION "\n");
	return 0;

no_reclaim:
	lethe_debugfs_exit();
	movable_exit();
	return err;
}

/* Every module that uses our symbols is gone by now, and so are the pools. */
static void __exit lethe_exit(void)
{
	lethe_zpool_exit();
	lethe_reclaim_exit();
	lethe_debugfs_exit();
	movable_exit();
}

module_init(lethe_init);
module_exit(lethe_exit);

MODULE_DESCRIPTION("Allocator for compressed pages with deferred freeing");
MODULE_AUTHOR("The Lethe authors");
MODULE_VERSION(LETHE_VERSION);
MODULE_LICENSE("Dual BSD/GPL");
