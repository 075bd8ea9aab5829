// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Devices: added, set up (given a disk size), reset, removed.
 *
 * A task that resets or removes a device claims it first: it has no opener then,
 * and gets none.
 *
 * Lock order: devices_lock, open_mutex, init_lock, that of CPU hotplug (stream.c).
 */
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/part_stat.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/vmstat.h>

#include "compat.h"
#include "fill.h"
#include "stream.h"
#include "zram.h"

/* Bytes that a table leaves to other tasks */
#define TABLE_LEAVES (8 << 20)

static DEFINE_MUTEX(devices_lock);
static DEFINE_IDR(devices); /* struct zram by id */
static int zram_major;

static int device_open(COMPAT_DISK_OPEN_PARAMS)
{
	struct zram *zram = COMPAT_DISK_OPENED->private_data;

	/* The block layer holds open_mutex. */
	return zram->claimed ? -EBUSY : 0;
}

static const struct block_device_operations device_ops = {
	.owner = THIS_MODULE,
	.open = device_open,
	.submit_bio = zram_submit_bio,
	.swap_slot_free_notify = zram_slot_free_notify,
#ifdef COMPAT_HAS_RW_PAGE
	.rw_page = zram_rw_page,
#endif
};

static int device_claim(struct zram *zram)
{
	struct gendisk *disk = zram->disk;
	int err = 0;

	mutex_lock(&disk->open_mutex);
	if (zram->claimed || disk_openers(disk))
		err = -EBUSY;
	else
		zram->claimed = true;
	mutex_unlock(&disk->open_mutex);
	return err;
}

static void device_unclaim(struct zram *zram)
{
	mutex_lock(&zram->disk->open_mutex);
	zram->claimed = false;
	mutex_unlock(&zram->disk->open_mutex);
}

static void streams_destroy(struct zram *zram)
{
	unsigned int i;

	for (i = 0; i < ZRAM_ALGORITHMS; i++) {
		zram_streams_destroy(zram->streams[i]);
		zram->streams[i] = NULL;
	}
}

static int streams_create(struct zram *zram)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < ZRAM_ALGORITHMS && !err; i++) {
		const struct zram_algorithm *algorithm = &zram->algorithms[i];

		if (!algorithm->codec)
			continue;
		err = zram_streams_create(algorithm->codec, &algorithm->params,
					  &zram->streams[i]);
		if (err)
			pr_err("zram: Cannot initialise %s compressing backend\n",
			       algorithm->codec->name);
	}
	if (err)
		streams_destroy(zram);
	return err;
}

/*
 * Pages that are available to the kernel without shrinking a slab. MemAvailable counts
 * nearly all that is called reclaimable, but what is in use, reclaim does not get: on a
 * system whose files are in memory, entries of directories alone were 10 MiB of 54. And
 * it counts the free pages of CMA, which only what can be moved may have.
 */
static long table_available(void)
{
	return si_mem_available() - (long)global_zone_page_state(NR_FREE_CMA_PAGES) -
	       (long)global_node_page_state_pages(NR_SLAB_RECLAIMABLE_B) -
	       (long)global_node_page_state_pages(NR_KERNEL_MISC_RECLAIMABLE);
}

/**
 * zram_table_alloc() - allocate a table with an element for each slot, all zero
 * @nr: how many
 * @size: bytes of one, 8 at most
 *
 * What the machine cannot do without is not asked for: the table takes memory that is
 * free or that reclaim has at its first attempt, never what the OOM killer would have to
 * get; and only if it fits into what is available with the page tables that map it, for
 * vmalloc() takes those at any cost. Other tasks want some meanwhile: a sixteenth of what
 * is available is left to them, at least TABLE_LEAVES.
 *
 * Context: process context, may sleep.
 * Return: the table, for vfree(); NULL if there is no memory.
 */
void *zram_table_alloc(unsigned long nr, size_t size)
{
	unsigned long pages = DIV_ROUND_UP(nr, PAGE_SIZE / size);
	unsigned long tables = DIV_ROUND_UP(pages, PTRS_PER_PTE) + 2;
	long available = table_available();
	unsigned long left = max(available / 16, (long)(TABLE_LEAVES / PAGE_SIZE));

	if (available < 0 || pages + tables + left > available)
		return NULL;
	return __vmalloc(nr * size,
			 GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN | __GFP_NORETRY);
}

/**
 * zram_device_setup() - give a device its size
 * @zram: the device
 * @disksize: bytes, rounded up to whole pages
 *
 * Context: process context, may sleep.
 * Return: 0; -EBUSY if it has one, -EINVAL for none, or for a budget (params.c)
 * or parameters of the algorithm that cannot be had; -ENOMEM, and no process has been
 * killed for it.
 */
int zram_device_setup(struct zram *zram, u64 disksize)
{
	struct zs_pool_params params = {};
	unsigned long nr_slots;
	bool writing;
	int err;

	if (!disksize)
		return -EINVAL;
	if (disksize > PAGE_MASK)
		return COMPAT_ZRAM_DISKSIZE_OVERFLOW;
	nr_slots = DIV_ROUND_UP_ULL(disksize, PAGE_SIZE);

	writing = zram_lock_settings(zram);
	err = -EBUSY;
	if (zram_initialised(zram)) {
		pr_info("zram: Cannot change disksize for initialized device\n");
		goto unlock;
	}

	err = -ENOMEM;
	zram->slots = zram_table_alloc(nr_slots, sizeof(zram_slot));
	if (!zram->slots)
		goto unlock;
	err = zram_fills_init(zram, nr_slots);
	if (err)
		goto free_slots;
	err = streams_create(zram);
	if (err)
		goto free_fills;
	zram_params_of_pool(&params);
	err = zs_create_pool(zram->disk->disk_name, &params, &zram->pool);
	if (err == -EINVAL)
		pr_err("%s: policy %s cannot have a budget of %zu pages; see "
		       "zram.budget\n",
		       zram->disk->disk_name, zs_policy_name(params.policy),
		       params.defer_budget);
	if (err)
		goto free_streams;

	zram->huge_size = min_t(size_t, zs_huge_class_size(zram->pool), PAGE_SIZE);
	/* Publishes all of the above: pairs with range_is_valid(). */
	smp_store_release(&zram->nr_slots, nr_slots);
	set_capacity_and_notify(zram->disk, (sector_t)nr_slots << PAGE_SECTORS_SHIFT);
	goto unlock;

free_streams:
	streams_destroy(zram);
free_fills:
	zram_fills_fini(zram, nr_slots);
free_slots:
	vfree(zram->slots);
	zram->slots = NULL;
unlock:
	zram_unlock_settings(zram, writing);
	return err;
}

/**
 * zram_device_set_backing() - give a device a backing device
 * @zram: the device
 * @path: of the backing device, which takes the place of one that it has
 *
 * Context: process context, may sleep.
 * Return: 0; -EBUSY if it has a size already, or what zram_backing_open() returns; the
 * device keeps the backing device that it has, then.
 */
int zram_device_set_backing(struct zram *zram, const char *path)
{
	struct zram_backing *backing;
	bool late;

	/* The backing device is opened with no lock held: it may be a zram device. */
	down_read(&zram->init_lock);
	late = zram_initialised(zram);
	up_read(&zram->init_lock);
	if (late)
		goto busy;
	backing = zram_backing_open(path);
	if (IS_ERR(backing))
		return PTR_ERR(backing);
	down_write(&zram->init_lock);
	late = zram_initialised(zram);
	if (!late)
		swap(zram->backing, backing);
	up_write(&zram->init_lock);
	zram_backing_close(backing);
	if (late)
		goto busy;
	pr_info("zram: setup backing device %s\n", path);
	return 0;
busy:
	pr_info("zram: Can't setup backing device for initialized device\n");
	return -EBUSY;
}

/*
 * Back to how a device is when it is added. The objects go with the pool.
 * Caller: has the device claimed.
 */
static void device_clear(struct zram *zram)
{
	struct zram_backing *backing;

	down_write(&zram->init_lock);
	zram->limit_pages = 0;
	if (zram_initialised(zram)) {
		set_capacity_and_notify(zram->disk, 0);
		part_stat_set_all(zram->disk->part0, 0);
		zs_destroy_pool(zram->pool);
		zram->pool = NULL;
		streams_destroy(zram);
		zram_fills_fini(zram, zram->nr_slots);
		vfree(zram->slots);
		zram->slots = NULL;
		vfree(zram->accessed);
		zram->accessed = NULL;
		zram->nr_slots = 0;
		zram_stats_clear(zram);
		atomic_long_set(&zram->max_used_pages, 0);
	}
	/* The streams are gone that had its dictionary. */
	zram_algorithms_reset(zram->algorithms);
	backing = zram->backing;
	zram->backing = NULL;
	up_write(&zram->init_lock);
	zram_backing_close(backing);
}

/**
 * zram_device_reset() - free all that a device holds, and its size
 * @zram: the device
 *
 * Context: process context, may sleep.
 * Return: 0; -EBUSY if it is open.
 */
int zram_device_reset(struct zram *zram)
{
	int err = device_claim(zram);

	if (err)
		return err;
	sync_blockdev(zram->disk->part0);
	device_clear(zram);
	device_unclaim(zram);
	return 0;
}

static struct zram *zram_alloc(void)
{
	struct zram *zram = kzalloc(sizeof(*zram), GFP_KERNEL);
	unsigned int i;

	if (!zram)
		return NULL;
	zram->stats = alloc_percpu(struct zram_stats);
	if (!zram->stats) {
		kfree(zram);
		return NULL;
	}
	init_rwsem(&zram->init_lock);
	mutex_init(&zram->holder);
	zram->writeback_batch = ZRAM_WRITEBACK_BATCH;
	for (i = 0; i < ZRAM_PARTIAL_LOCKS; i++)
		mutex_init(&zram->partial_lock[i]);
	zram_algorithms_init(zram->algorithms);
	return zram;
}

static void zram_free(struct zram *zram)
{
	free_percpu(zram->stats);
	kfree(zram);
}

static int disk_create(struct zram *zram)
{
	static const struct compat_disk_limits limits = {
		.logical_block_size = ZRAM_BLOCK_SIZE,
		.physical_block_size = PAGE_SIZE,
		.io_min = PAGE_SIZE,
		.io_opt = PAGE_SIZE,
		.discard_granularity = PAGE_SIZE,
		.max_discard_sectors = UINT_MAX,
		.max_write_zeroes_sectors = UINT_MAX,
	};
	struct gendisk *disk = compat_alloc_disk(&limits);
	int err;

	if (IS_ERR(disk))
		return PTR_ERR(disk);
	disk->major = zram_major;
	disk->first_minor = zram->id;
	disk->minors = 1;
	disk->flags |= GENHD_FL_NO_PART;
	disk->fops = &device_ops;
	disk->private_data = zram;
	snprintf(disk->disk_name, sizeof(disk->disk_name), "zram%d", zram->id);
	zram->disk = disk;
	err = device_add_disk(NULL, disk, zram_attribute_groups);
	if (err)
		put_disk(disk);
	return err;
}

/**
 * zram_device_add() - make a device, with the lowest id that is free
 *
 * Context: process context, may sleep.
 * Return: the id, or a negative errno.
 */
int zram_device_add(void)
{
	struct zram *zram = zram_alloc();
	int err;

	if (!zram)
		return -ENOMEM;
	mutex_lock(&devices_lock);
	err = idr_alloc(&devices, zram, 0, 0, GFP_KERNEL);
	if (err < 0)
		goto unlock;
	zram->id = err;
	err = disk_create(zram);
	if (err) {
		idr_remove(&devices, zram->id);
	} else {
		zram_debugfs_add(zram);
		err = zram->id;
	}
unlock:
	mutex_unlock(&devices_lock);
	if (err < 0)
		zram_free(zram);
	else
		pr_info("zram: Added device: %s\n", zram->disk->disk_name);
	return err;
}

/* Caller: holds devices_lock, has the device claimed. */
static void device_destroy_claimed(struct zram *zram)
{
	/* Its sysfs files go first, so that no task sets it up again below. */
	del_gendisk(zram->disk);
	zram_debugfs_remove(zram);
	device_clear(zram);
	idr_remove(&devices, zram->id);
	pr_info("zram: Removed device: %s\n", zram->disk->disk_name);
	put_disk(zram->disk);
	zram_free(zram);
}

/**
 * zram_device_remove() - remove a device
 * @id: its id
 *
 * Context: process context, may sleep.
 * Return: 0; -ENODEV if there is none, -EBUSY if it is open.
 */
int zram_device_remove(int id)
{
	struct zram *zram;
	int err = -ENODEV;

	mutex_lock(&devices_lock);
	zram = idr_find(&devices, id);
	if (zram)
		err = device_claim(zram);
	if (!err)
		device_destroy_claimed(zram);
	mutex_unlock(&devices_lock);
	return err;
}

/**
 * zram_devices_init() - get ready for devices
 *
 * Context: process context.
 * Return: 0, or a negative errno.
 */
int zram_devices_init(void)
{
	int err = zram_streams_init();

	if (err)
		return err;
	zram_major = register_blkdev(0, "zram");
	if (zram_major < 0) {
		zram_streams_exit();
		return zram_major;
	}
	zram_debugfs_init();
	return 0;
}

/**
 * zram_devices_exit() - remove all devices
 *
 * Context: process context, on module unload: no device has an opener, nor
 * can it get one, because an opener holds the module.
 */
void zram_devices_exit(void)
{
	struct zram *zram;
	int id;

	mutex_lock(&devices_lock);
	idr_for_each_entry(&devices, zram, id)
		device_destroy_claimed(zram);
	mutex_unlock(&devices_lock);
	idr_destroy(&devices);
	zram_debugfs_exit();
	unregister_blkdev(zram_major, "zram");
	zram_streams_exit();
}
