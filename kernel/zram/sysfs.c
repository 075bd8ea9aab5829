// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * The files of a device in /sys/block/zramN, as described in the kernel's
 * Documentation/admin-guide/blockdev/zram.rst.
 *
 * Lock order: init_lock.
 */
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "codec.h"
#include "compat.h"
#include "stream.h"
#include "zram.h"

/* Of the output of debug_stat, which is not meant to be relied on. */
#define DEBUG_STAT_VERSION 1

static struct zram *to_zram(struct device *dev)
{
	return dev_to_disk(dev)->private_data;
}

/* A number of bytes, perhaps with a suffix. */
static int parse_bytes(const char *buf, u64 *bytes)
{
	char *end;

	*bytes = memparse(buf, &end);
	return end == buf ? -EINVAL : 0;
}

static ssize_t disksize_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct zram *zram = to_zram(dev);
	u64 bytes;

	down_read(&zram->init_lock);
	bytes = (u64)zram->nr_slots << PAGE_SHIFT;
	up_read(&zram->init_lock);
	return sysfs_emit(buf, "%llu\n", bytes);
}

static ssize_t disksize_store(struct device *dev, struct device_attribute *attr,
			      const char *buf, size_t len)
{
	u64 bytes;
	int err = parse_bytes(buf, &bytes);

	if (!err)
		err = zram_device_setup(to_zram(dev), bytes);
	return err ?: len;
}
static DEVICE_ATTR_RW(disksize);

static ssize_t initstate_show(struct device *dev, struct device_attribute *attr,
			      char *buf)
{
	struct zram *zram = to_zram(dev);
	bool initialised;

	down_read(&zram->init_lock);
	initialised = zram_initialised(zram);
	up_read(&zram->init_lock);
	return sysfs_emit(buf, "%u\n", initialised);
}
static DEVICE_ATTR_RO(initstate);

static ssize_t reset_store(struct device *dev, struct device_attribute *attr,
			   const char *buf, size_t len)
{
	unsigned short wanted;
	int err = kstrtou16(buf, 10, &wanted);

	if (!err && !wanted)
		err = -EINVAL;
	if (!err)
		err = zram_device_reset(to_zram(dev));
	return err ?: len;
}
static DEVICE_ATTR_WO(reset);

static ssize_t comp_algorithm_show(struct device *dev, struct device_attribute *attr,
				   char *buf)
{
	struct zram *zram = to_zram(dev);
	ssize_t len;

	down_read(&zram->init_lock);
	len = zram_codec_list(zram->algorithms[0].codec, buf, 0);
	up_read(&zram->init_lock);
	return len;
}

static ssize_t comp_algorithm_store(struct device *dev, struct device_attribute *attr,
				    const char *buf, size_t len)
{
	struct zram *zram = to_zram(dev);
	bool writing;
	int err;

	/* Without the newline; the length is that of the kernel's own zram. */
	if (COMPAT_ZRAM_LONG_NAME &&
	    len - (buf[len - 1] == '\n') >= COMPAT_ZRAM_LONG_NAME)
		return -E2BIG;
	if (!zram_codec_find(buf))
		return -EINVAL;
	writing = zram_lock_settings(zram);
	if (zram_initialised(zram)) {
		pr_info("zram: Can't change algorithm for initialized device\n");
		err = -EBUSY;
	} else {
		err = zram_algorithm_choose(&zram->algorithms[0], buf);
	}
	zram_unlock_settings(zram, writing);
	return err ?: len;
}
static DEVICE_ATTR_RW(comp_algorithm);

static ssize_t algorithm_params_store(struct device *dev, struct device_attribute *attr,
				      const char *buf, size_t len)
{
	int err = zram_algorithm_set_params(to_zram(dev), buf);

	return err ?: len;
}
static DEVICE_ATTR_WO(algorithm_params);

static ssize_t recomp_algorithm_show(struct device *dev, struct device_attribute *attr,
				     char *buf)
{
	struct zram *zram = to_zram(dev);
	ssize_t len = 0;
	unsigned int i;

	down_read(&zram->init_lock);
	for (i = 1; i < ZRAM_ALGORITHMS; i++) {
		if (!zram->algorithms[i].codec)
			continue;
		len += sysfs_emit_at(buf, len, "#%u: ", i);
		len += zram_codec_list(zram->algorithms[i].codec, buf, len);
	}
	up_read(&zram->init_lock);
	return len;
}

static ssize_t recomp_algorithm_store(struct device *dev, struct device_attribute *attr,
				      const char *buf, size_t len)
{
	struct zram *zram = to_zram(dev);
	bool writing;
	int err = -EBUSY;

	writing = zram_lock_settings(zram);
	if (!zram_initialised(zram))
		err = zram_algorithm_add(zram->algorithms, buf);
	else
		pr_info("zram: Can't change algorithm for initialized device\n");
	zram_unlock_settings(zram, writing);
	return err ?: len;
}
static DEVICE_ATTR_RW(recomp_algorithm);

static ssize_t idle_store(struct device *dev, struct device_attribute *attr,
			  const char *buf, size_t len)
{
	struct zram *zram = to_zram(dev);
	u64 age = 0;
	int err = 0;

	if (!sysfs_streq(buf, "all") &&
	    (kstrtoull(buf, 0, &age) || age > COMPAT_ZRAM_AGE_MAX))
		return -EINVAL;
	down_read(&zram->init_lock);
	if (!zram_initialised(zram))
		err = -EINVAL;
	else if (age)
		err = zram_track_access(zram);
	if (!err)
		err = zram_mark_idle(zram, age);
	up_read(&zram->init_lock);
	return err ?: len;
}
static DEVICE_ATTR_WO(idle);

static ssize_t recompress_store(struct device *dev, struct device_attribute *attr,
				const char *buf, size_t len)
{
	struct zram *zram = to_zram(dev);
	int err = -EINVAL;

	down_read(&zram->init_lock);
	if (zram_initialised(zram))
		err = zram_recompress(zram, buf);
	up_read(&zram->init_lock);
	return err ?: len;
}
static DEVICE_ATTR_WO(recompress);

#ifdef COMPAT_ZRAM_HAS_MAX_COMP_STREAMS
/* Kept for scripts that set it to anything: each CPU that is online has a stream. */
static ssize_t max_comp_streams_show(struct device *dev, struct device_attribute *attr,
				     char *buf)
{
	struct zram *zram = to_zram(dev);
	unsigned int nr;

	down_read(&zram->init_lock);
	nr = zram->streams[0] ? atomic_read(&zram->streams[0]->nr) : num_online_cpus();
	up_read(&zram->init_lock);
	return sysfs_emit(buf, "%u\n", nr);
}

static ssize_t max_comp_streams_store(struct device *dev, struct device_attribute *attr,
				      const char *buf, size_t len)
{
	return len;
}
static DEVICE_ATTR_RW(max_comp_streams);
#endif

static ssize_t mem_limit_store(struct device *dev, struct device_attribute *attr,
			       const char *buf, size_t len)
{
	struct zram *zram = to_zram(dev);
	u64 bytes;
	int err = parse_bytes(buf, &bytes);

	if (err)
		return err;
	down_read(&zram->init_lock);
	WRITE_ONCE(zram->limit_pages, DIV_ROUND_UP_ULL(bytes, PAGE_SIZE));
	up_read(&zram->init_lock);
	return len;
}
static DEVICE_ATTR_WO(mem_limit);

static ssize_t mem_used_max_store(struct device *dev, struct device_attribute *attr,
				  const char *buf, size_t len)
{
	struct zram *zram = to_zram(dev);
	unsigned long value;

	if (kstrtoul(buf, 10, &value) || value)
		return -EINVAL;
	down_read(&zram->init_lock);
	if (zram_initialised(zram))
		atomic_long_set(&zram->max_used_pages, zs_get_total_pages(zram->pool));
	up_read(&zram->init_lock);
	return len;
}
static DEVICE_ATTR_WO(mem_used_max);

static ssize_t compact_store(struct device *dev, struct device_attribute *attr,
			     const char *buf, size_t len)
{
	struct zram *zram = to_zram(dev);
	int err = -EINVAL;

	down_read(&zram->init_lock);
	if (zram_initialised(zram)) {
		zs_compact(zram->pool);
		err = 0;
	}
	up_read(&zram->init_lock);
	return err ?: len;
}
static DEVICE_ATTR_WO(compact);

static ssize_t io_stat_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct zram *zram = to_zram(dev);

	return sysfs_emit(buf, COMPAT_ZRAM_IO_STAT_FORMAT,
			  zram_stats_sum(zram, ZRAM_FAILED_READS),
			  zram_stats_sum(zram, ZRAM_FAILED_WRITES),
			  zram_stats_sum(zram, ZRAM_INVALID_IO),
			  zram_stats_sum(zram, ZRAM_NOTIFY_FREE));
}
static DEVICE_ATTR_RO(io_stat);

static ssize_t mm_stat_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct zram *zram = to_zram(dev);
	struct zs_pool_stats pool = {};
	u64 limit_pages, max_used_pages;

	down_read(&zram->init_lock);
	if (zram_initialised(zram))
		zs_pool_stats(zram->pool, &pool);
	limit_pages = READ_ONCE(zram->limit_pages);
	max_used_pages = atomic_long_read(&zram->max_used_pages);
	up_read(&zram->init_lock);

	return sysfs_emit(
		buf, "%8llu %8llu %8llu %8llu %8llu %8llu %8llu %8llu %8llu\n",
		zram_stats_sum(zram, ZRAM_PAGES_STORED) << PAGE_SHIFT,
		zram_stats_sum(zram, ZRAM_COMPR_BYTES), (u64)pool.pages << PAGE_SHIFT,
		limit_pages << PAGE_SHIFT, max_used_pages << PAGE_SHIFT,
		zram_stats_sum(zram, ZRAM_SAME_PAGES), (u64)pool.pages_compacted,
		zram_stats_sum(zram, ZRAM_HUGE_PAGES),
		zram_stats_sum(zram, ZRAM_HUGE_PAGES_SINCE));
}
static DEVICE_ATTR_RO(mm_stat);

static ssize_t debug_stat_show(struct device *dev, struct device_attribute *attr,
			       char *buf)
{
	struct zram *zram = to_zram(dev);

	return sysfs_emit(buf, COMPAT_ZRAM_DEBUG_STAT_FORMAT, DEBUG_STAT_VERSION,
			  zram_stats_sum(zram, ZRAM_WRITE_STALL),
			  zram_stats_sum(zram, ZRAM_MISS_FREE));
}
static DEVICE_ATTR_RO(debug_stat);

static struct attribute *zram_attrs[] = {
	&dev_attr_disksize.attr,
	&dev_attr_initstate.attr,
	&dev_attr_reset.attr,
	&dev_attr_comp_algorithm.attr,
	&dev_attr_algorithm_params.attr,
	&dev_attr_recomp_algorithm.attr,
	&dev_attr_recompress.attr,
	&dev_attr_idle.attr,
#ifdef COMPAT_ZRAM_HAS_MAX_COMP_STREAMS
	&dev_attr_max_comp_streams.attr,
#endif
	&dev_attr_mem_limit.attr,
	&dev_attr_mem_used_max.attr,
	&dev_attr_compact.attr,
	&dev_attr_io_stat.attr,
	&dev_attr_mm_stat.attr,
	&dev_attr_debug_stat.attr,
	NULL,
};

static const struct attribute_group zram_attribute_group = {
	.attrs = zram_attrs,
};

const struct attribute_group *zram_attribute_groups[] = {
	&zram_attribute_group,
	&zram_backing_attribute_group,
	NULL,
};
