// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Objects mapped, one at a time on each CPU. An object within a page is used where it is;
 * one that crosses into the next is copied into the CPU's own page, and back.
 *
 * Lock order: map_area.lock is held from zs_map_object() to zs_unmap_object(), which
 * turns preemption off (PREEMPT_RT: migration). In between, the object is pinned. No lock
 * of the allocator is taken meanwhile, so a caller may take none that is held around
 * calls of it.
 */
#include <linux/bug.h>
#include <linux/cpumask.h>
#include <linux/export.h>
#include <linux/spinlock.h> /* for local_lock.h, which includes nothing of what it needs */
#include <linux/local_lock.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "home.h"
#include "object.h"

struct map_area {
	local_lock_t lock;
	enum zs_mapmode mode;
	unsigned int parts;
	struct object_part part[OBJECT_PARTS];
	char *copy; /* a page */
};

static DEFINE_PER_CPU(struct map_area, map_area) = {
	.lock = INIT_LOCAL_LOCK(lock),
};

void zs_map_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		kfree(per_cpu(map_area.copy, cpu));
}

int zs_map_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		char *copy = kmalloc_node(PAGE_SIZE, GFP_KERNEL, cpu_to_node(cpu));

		if (!copy) {
			zs_map_exit();
			return -ENOMEM;
		}
		per_cpu(map_area.copy, cpu) = copy;
	}
	return 0;
}

/**
 * zs_map_object() - where an object can be read and written
 * @pool: the pool
 * @handle: a live object
 * @mm: what the caller is going to do
 *
 * Context: any but interrupt. Until zs_unmap_object() the caller must not sleep, or map
 * another.
 * Return: the address; all of the object's class is there.
 */
void *zs_map_object(struct zs_pool *pool, unsigned long handle, enum zs_mapmode mm)
{
	struct map_area *area;

	local_lock(&map_area.lock);
	area = this_cpu_ptr(&map_area);
	area->mode = mm;
	area->parts = object_pin_parts(pool->core, handle, 0, area->part);
	if (WARN_ON_ONCE(!area->parts))
		return NULL;
	if (area->parts == 1)
		return area->part[0].at;
	if (mm != ZS_MM_WO) {
		memcpy(area->copy, area->part[0].at, area->part[0].len);
		memcpy(area->copy + area->part[0].len, area->part[1].at,
		       area->part[1].len);
	}
	return area->copy;
}
EXPORT_SYMBOL_GPL(zs_map_object);

/**
 * zs_unmap_object() - end what zs_map_object() began
 * @pool: the pool
 * @handle: the same object
 *
 * Context: that of zs_map_object().
 */
void zs_unmap_object(struct zs_pool *pool, unsigned long handle)
{
	struct map_area *area = this_cpu_ptr(&map_area);

	if (area->parts == 2 && area->mode != ZS_MM_RO) {
		memcpy(area->part[0].at, area->copy, area->part[0].len);
		memcpy(area->part[1].at, area->copy + area->part[0].len,
		       area->part[1].len);
	}
	if (area->parts)
		lethe_obj_read_end(pool->core, handle);
	local_unlock(&map_area.lock);
}
EXPORT_SYMBOL_GPL(zs_unmap_object);
