// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Module parameters. policy and budget are read when a device is given its
 * disk size, so a change is for pools to come.
 */
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "zram.h"

unsigned int zram_num_devices = 1;
module_param_named(num_devices, zram_num_devices, uint, 0);
MODULE_PARM_DESC(num_devices, "Devices to make at start (default: 1)");

static enum zs_defer_policy policy = ZS_DEFER_DEFAULT;

static int policy_set(const char *val, const struct kernel_param *kp)
{
	char name[16];
	int found;

	if (strscpy(name, val, sizeof(name)) < 0)
		return -EINVAL;
	found = zs_policy_by_name(strim(name));
	if (found < 0)
		return found;
	WRITE_ONCE(policy, found);
	return 0;
}

static int policy_get(char *buffer, const struct kernel_param *kp)
{
	enum zs_defer_policy now = READ_ONCE(policy);

	return sysfs_emit(buffer, "%s\n",
			  now == ZS_DEFER_DEFAULT ? "default" : zs_policy_name(now));
}

static const struct kernel_param_ops policy_ops = {
	.set = policy_set,
	.get = policy_get,
};
module_param_cb(policy, &policy_ops, NULL, 0644);
MODULE_PARM_DESC(policy, "How freeing is deferred: sync, array, tombstone, default");

static ulong budget;
module_param(budget, ulong, 0644);
MODULE_PARM_DESC(budget, "Most frees pending per device (default: 0, the policy's own)");

/**
 * zram_params_of_pool() - what the module parameters ask of a pool
 * @params: filled in
 *
 * Context: any context.
 */
void zram_params_of_pool(struct zs_pool_params *params)
{
	params->policy = READ_ONCE(policy);
	params->defer_budget = READ_ONCE(budget);
}
