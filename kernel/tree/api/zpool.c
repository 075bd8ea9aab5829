// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * The zpool driver "zsmalloc", by which zswap finds the allocator up to Linux 6.17.
 *
 * No lock is taken here.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/zpool.h>

#include "home.h"

static void *zpool_create(const char *name, gfp_t gfp)
{
	return zs_create_pool(name);
}

static void zpool_destroy(void *pool)
{
	zs_destroy_pool(pool);
}

static int zpool_alloc(void *pool, size_t size, gfp_t gfp, unsigned long *handle)
{
	*handle = zs_malloc(pool, size, gfp);
	return IS_ERR_VALUE(*handle) ? (int)*handle : 0;
}

static void zpool_release(void *pool, unsigned long handle)
{
	zs_free(pool, handle);
}

static void zpool_release_deferred(void *pool, unsigned long handle)
{
	zs_free_deferred(pool, handle);
}

static void *zpool_map(void *pool, unsigned long handle, enum zpool_mapmode mode)
{
	switch (mode) {
	case ZPOOL_MM_RO:
		return zs_map_object(pool, handle, ZS_MM_RO);
	case ZPOOL_MM_WO:
		return zs_map_object(pool, handle, ZS_MM_WO);
	default:
		return zs_map_object(pool, handle, ZS_MM_RW);
	}
}

static void zpool_unmap(void *pool, unsigned long handle)
{
	zs_unmap_object(pool, handle);
}

static u64 zpool_pages(void *pool)
{
	return zs_get_total_pages(pool);
}

static struct zpool_driver driver = {
	.type = "zsmalloc",
	.owner = THIS_MODULE,
	.create = zpool_create,
	.destroy = zpool_destroy,
	.malloc = zpool_alloc,
	.free = zpool_release,
	.free_deferred = zpool_release_deferred,
	.map = zpool_map,
	.unmap = zpool_unmap,
	.total_pages = zpool_pages,
};

void zs_zpool_init(void)
{
	zpool_register_driver(&driver);
}

void zs_zpool_exit(void)
{
	zpool_unregister_driver(&driver);
}

MODULE_ALIAS("zpool-zsmalloc");
