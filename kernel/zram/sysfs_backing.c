// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * The files of a device in /sys/block/zramN about its backing device, and what is
 * written there.
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
	char *path = kstrdup(buf, GFP_KERNEL);
	size_t last;
	int err;

	if (!path)
		return -ENOMEM;
	/* What is written may end before @len, by a NUL. */
	last = strlen(path);
	if (last && path[last - 1] == '\n')
		path[last - 1] = '\0';
	err = zram_device_set_backing(to_zram(dev), path);
	kfree(path);
	return err ?: len;
}
static DEVICE_ATTR_RW(backing_dev);

static ssize_t bd_stat_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct zram *zram = to_zram(dev);
	const unsigned int units = ZRAM_BACKING_UNITS;

	return sysfs_emit(buf, "%8llu %8llu %8llu\n",
			  zram_stats_sum(zram, ZRAM_BACKED_PAGES) * units,
			  zram_stats_sum(zram, ZRAM_BACKED_READS) * units,
			  zram_stats_sum(zram, ZRAM_BACKED_WRITES) * units);
}
static DEVICE_ATTR_RO(bd_stat);

static ssize_t writeback_store(struct device *dev, struct device_attribute *attr,
			       const char *buf, size_t len)
{
	struct zram *zram = to_zram(dev);
	int err = -EINVAL;

	down_read(&zram->init_lock);
	if (zram_initialised(zram))
		err = zram_writeback(zram, buf);
	up_read(&zram->init_lock);
	return err ?: len;
}
static DEVICE_ATTR_WO(writeback);

static ssize_t writeback_limit_show(struct device *dev, struct device_attribute *attr,
				    char *buf)
{
	u64 limit = atomic64_read(&to_zram(dev)->writeback_limit);

	return sysfs_emit(buf, "%llu\n", limit);
}

static ssize_t writeback_limit_store(struct device *dev, struct device_attribute *attr,
				     const char *buf, size_t len)
{
	u64 limit;

	if (kstrtou64(buf, 10, &limit))
		return -EINVAL;
	atomic64_set(&to_zram(dev)->writeback_limit, limit);
	return len;
}
static DEVICE_ATTR_RW(writeback_limit);

static ssize_t writeback_limit_enable_show(struct device *dev,
					   struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", READ_ONCE(to_zram(dev)->writeback_limited));
}

static ssize_t writeback_limit_enable_store(struct device *dev,
					    struct device_attribute *attr,
					    const char *buf, size_t len)
{
	u64 value;

	if (kstrtou64(buf, 10, &value))
		return -EINVAL;
	WRITE_ONCE(to_zram(dev)->writeback_limited, value);
	return len;
}
static DEVICE_ATTR_RW(writeback_limit_enable);

static ssize_t writeback_batch_size_show(struct device *dev,
					 struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(to_zram(dev)->writeback_batch));
}

static ssize_t writeback_batch_size_store(struct device *dev,
					  struct device_attribute *attr, const char *buf,
					  size_t len)
{
	unsigned int value;

	if (kstrtouint(buf, 10, &value) || !value)
		return -EINVAL;
	WRITE_ONCE(to_zram(dev)->writeback_batch, value);
	return len;
}
static DEVICE_ATTR_RW(writeback_batch_size);

static ssize_t compressed_writeback_show(struct device *dev,
					 struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", READ_ONCE(to_zram(dev)->compressed_writeback));
}

static ssize_t compressed_writeback_store(struct device *dev,
					  struct device_attribute *attr, const char *buf,
					  size_t len)
{
	struct zram *zram = to_zram(dev);
	bool value, writing;
	int err = -EBUSY;

	if (kstrtobool(buf, &value))
		return -EINVAL;
	writing = zram_lock_settings(zram);
	if (!zram_initialised(zram)) {
		WRITE_ONCE(zram->compressed_writeback, value);
		err = 0;
	}
	zram_unlock_settings(zram, writing);
	return err ?: len;
}
static DEVICE_ATTR_RW(compressed_writeback);

static struct attribute *backing_attrs[] = {
	&dev_attr_backing_dev.attr,
	&dev_attr_bd_stat.attr,
	&dev_attr_writeback.attr,
	&dev_attr_writeback_limit.attr,
	&dev_attr_writeback_limit_enable.attr,
	&dev_attr_writeback_batch_size.attr,
	&dev_attr_compressed_writeback.attr,
	NULL,
};

const struct attribute_group zram_backing_attribute_group = {
	.attrs = backing_attrs,
};
