// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Lethe in place of mm/zsmalloc.c: set-up, and the choice of a policy.
 */
#define pr_fmt(fmt) "zsmalloc: " fmt

#include <linux/init.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <linux/stringify.h>

#include "debugfs.h"
#include "home.h"
#include "movable.h"
#include "reclaim.h"

#define VERSION                                                                          \
	__stringify(LETHE_VERSION_MAJOR) "." __stringify(                                \
		LETHE_VERSION_MINOR) "." __stringify(LETHE_VERSION_PATCH)

enum lethe_defer_policy zs_policy;

static int policy_set(const char *value, const struct kernel_param *param)
{
	char name[16];
	int policy;

	strscpy(name, value, sizeof(name));
	policy = lethe_policy_by_name(strim(name));
	if (policy < 0)
		return policy;
	WRITE_ONCE(zs_policy, policy);
	return 0;
}

static int policy_get(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%s\n", lethe_policy_name(READ_ONCE(zs_policy)));
}

static const struct kernel_param_ops policy_ops = {
	.set = policy_set,
	.get = policy_get,
};

module_param_cb(policy, &policy_ops, NULL, 0644);
MODULE_PARM_DESC(policy, "How pools defer frees: tombstone (default), array, sync");

static int __init zs_init(void)
{
	int err = zs_map_init();

	if (err)
		return err;
	err = movable_init();
	if (err)
		goto no_movable;
	lethe_debugfs_init();
	err = lethe_reclaim_init();
	if (err)
		goto no_reclaim;
	zs_zpool_init();
	pr_info("Lethe, version " VERSION "\n");
	return 0;

no_reclaim:
	lethe_debugfs_exit();
	movable_exit();
no_movable:
	zs_map_exit();
	return err;
}

/* Every module that uses our symbols is gone by now, and so are the pools. */
static void __exit zs_exit(void)
{
	zs_zpool_exit();
	lethe_reclaim_exit();
	lethe_debugfs_exit();
	movable_exit();
	zs_map_exit();
}

module_init(zs_init);
module_exit(zs_exit);

MODULE_DESCRIPTION("Allocator for compressed pages with deferred freeing");
MODULE_AUTHOR("The Lethe authors");
MODULE_LICENSE("Dual BSD/GPL");
