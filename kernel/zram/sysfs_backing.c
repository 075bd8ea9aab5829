// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * The files of a device in /sys/block/zramN about its backing device.
 *
 * Lock order: init_lock.
 */
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "zram.h"

static struct zram *to_zram(struct device *dev)
{
	return dev_to_disk(dev)->private_data;
}

static ssize_t backing_dev_show(struct device *dev, struct device_attribute *attr,
				char *buf)
{
	struct zram *zram = to_zram(dev);
	ssize_t len;
	char *path;

	down_read(&zram->init_lock);
	if (!zram->backing) {
		len = sysfs_emit(buf, "none\n");
		goto unlock;
	}
	/* It may have been renamed. One byte is for the newline. */
	path = file_path(zram->backing->file, buf, PAGE_SIZE - 1);
	if (IS_ERR(path)) {
		len = PTR_ERR(path);
		goto unlock;
	}
	len = strlen(path);
	memmove(buf, path, len);
	buf[len++] = '\n';
unlock:
	up_read(&zram->init_lock);
	return len;
}

static ssize_t backing_dev_store(struct device *dev, struct device_attribute *attr,
				 const char *buf, size_t len)
{
	char *path = kstrndup(buf, len, GFP_KERNEL);
	int err;

	if (!path)
		return -ENOMEM;
	if (len && path[len - 1] == '\n')
		path[len - 1] = '\0';
	err = zram_device_set_backing(to_zram(dev), path);
	kfree(path);
	return err ?: len;
}
static DEVICE_ATTR_RW(backing_dev);

static struct attribute *backing_attrs[] = {
	&dev_attr_backing_dev.attr,
	NULL,
};

const struct attribute_group zram_backing_attribute_group = {
	.attrs = backing_attrs,
};
