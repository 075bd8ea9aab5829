// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Allocation, as before it was told which node: memory of the one it is called on.
 */
#include <linux/export.h>
#include <linux/numa.h>

#include "home.h"

/**
 * zs_malloc() - allocate an object
 * @pool: the pool
 * @size: bytes, up to a page
 * @flags: whether it may sleep, and use reserves
 *
 * Context: as @flags say: any but interrupt if they do not allow to sleep.
 * Return: a handle, or a negative errno as an unsigned long.
 */
unsigned long zs_malloc(struct zs_pool *pool, size_t size, gfp_t flags)
{
	return zs_malloc_gfp(pool, size, flags, NUMA_NO_NODE);
}
EXPORT_SYMBOL_GPL(zs_malloc);
