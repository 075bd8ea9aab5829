// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * The module, and /sys/class/zram-control, by which devices are added and
 * removed at run time.
 *
 * Lock order: none taken here.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device/class.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/sysfs.h>

#include "compat.h"
#include "zram.h"

static ssize_t hot_add_show(COMPAT_CLASS_CONST struct class *class,
			    COMPAT_CLASS_CONST struct class_attribute *attr, char *buf)
{
	int id = zram_device_add();

	return id < 0 ? id : sysfs_emit(buf, "%d\n", id);
}
/* Reading it does something: for root only. */
static struct class_attribute class_attr_hot_add =
	__ATTR(hot_add, 0400, hot_add_show, NULL);

static ssize_t hot_remove_store(COMPAT_CLASS_CONST struct class *class,
				COMPAT_CLASS_CONST struct class_attribute *attr,
				const char *buf, size_t count)
{
	int id, err = kstrtoint(buf, 10, &id);

	if (!err && id < 0)
		err = -EINVAL;
	if (!err)
		err = zram_device_remove(id);
	return err ?: count;
}
static CLASS_ATTR_WO(hot_remove);

static struct attribute *control_attrs[] = {
	&class_attr_hot_add.attr,
	&class_attr_hot_remove.attr,
	NULL,
};
ATTRIBUTE_GROUPS(control);

static struct class zram_control = {
	.name = "zram-control",
	.class_groups = control_groups,
};

/* Of two drivers called zram, which is it? */
static void say_loaded(void)
{
	struct zs_pool_params params;

	zram_params_of_pool(&params);
	pr_info("Lethe's, version " LETHE_VERSION ", policy %s\n",
		zs_policy_name(params.policy));
}

static int __init zram_init(void)
{
	unsigned int i;
	int err;

	err = zram_devices_init();
	if (err)
		return err;
	for (i = 0; i < zram_num_devices; i++) {
		err = zram_device_add();
		if (err < 0)
			goto fail;
	}
	/* Last, so that no task adds a device to a module that then fails. */
	err = class_register(&zram_control);
	if (err)
		goto fail;
	say_loaded();
	return 0;
fail:
	zram_devices_exit();
	return err;
}

static void __exit zram_exit(void)
{
	class_unregister(&zram_control);
	zram_devices_exit();
}

module_init(zram_init);
module_exit(zram_exit);

MODULE_DESCRIPTION("Compressed disk in memory, on the Lethe allocator");
MODULE_AUTHOR("The Lethe authors");
MODULE_VERSION(LETHE_VERSION);
MODULE_LICENSE("Dual BSD/GPL");
