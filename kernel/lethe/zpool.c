// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * The zpool driver "lethe", by which zswap uses a pool (Linux 6.1 to 6.17):
 *	echo lethe >/sys/module/zswap/parameters/zpool
 *
 * zswap has one free, called with locks held, and when a process dies for each of its
 * pages: it is deferred.
 *
 * A mapped object is pinned, so it stays where it is. One that lies in two pages is
 * copied to a buffer of the CPU, and back. So the CPU's lock is held from map to unmap,
 * and zswap does not sleep in between (sleep_mapped).
 *
 * Lock order: mapped_lock; it is taken when a pool is created.
 */
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/local_lock.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/zpool.h>

#include <lethe/zsmalloc.h>

#include "compat.h"
#include "zpool.h"
#include "zpool_evict.h"

struct lethe_zpool {
	struct zs_pool *core;
	struct evictor evictor;
};

#ifdef COMPAT_ZPOOL_MAPS

/* An object that is mapped on this CPU. */
struct mapped {
	local_lock_t lock;
	enum zpool_mapmode mode;
	size_t size;
	bool copied;
	char copy[PAGE_SIZE];
};

/* Made when the first pool is: zram needs none. */
static struct mapped __percpu *mapped;
static DEFINE_MUTEX(mapped_lock);

static bool mapped_make(void)
{
	int cpu;

	mutex_lock(&mapped_lock);
	if (!mapped) {
		mapped = alloc_percpu(struct mapped);
		for_each_possible_cpu(cpu) {
			if (mapped)
				local_lock_init(&per_cpu_ptr(mapped, cpu)->lock);
		}
	}
	mutex_unlock(&mapped_lock);
	return mapped;
}

#else

static bool mapped_make(void)
{
	return true;
}

#endif

static void *pool_create(COMPAT_ZPOOL_CREATE_PARAMS)
{
	struct lethe_zpool *p = kzalloc(sizeof(*p), GFP_KERNEL);

	if (!p)
		return NULL;
	if (!mapped_make() || zs_create_pool(name, NULL, &p->core))
		goto no_core;
#ifdef COMPAT_ZPOOL_EVICTS
	if (evictor_init(&p->evictor, p->core, zpool, ops))
		goto no_evictor;
#endif
	return p;

#ifdef COMPAT_ZPOOL_EVICTS
no_evictor:
	zs_destroy_pool(p->core);
#endif
no_core:
	kfree(p);
	return NULL;
}

static void pool_destroy(void *pool)
{
	struct lethe_zpool *p = pool;

	zs_destroy_pool(p->core);
	evictor_fini(&p->evictor);
	kfree(p);
}

static int pool_alloc_node(void *pool, size_t size, gfp_t gfp, unsigned long *handle,
			   const int node)
{
	struct lethe_zpool *p = pool;
	/* zswap may not wait, and calls once: a page that gets no memory goes to disk. */
	enum zs_alloc how =
		gfpflags_allow_blocking(gfp) ? ZS_ALLOC_WAIT : ZS_ALLOC_RESERVES;

	/* To zswap that is what does not compress. */
	if (size > PAGE_SIZE)
		return -ENOSPC;
	*handle = zs_malloc_node(p->core, size, how, node);
	if (zs_handle_error(*handle))
		return -ENOMEM;
	if (evictor_know(&p->evictor, *handle)) {
		zs_free(p->core, *handle);
		return -ENOMEM;
	}
	return 0;
}

static int __maybe_unused pool_alloc(void *pool, size_t size, gfp_t gfp,
				     unsigned long *handle)
{
	return pool_alloc_node(pool, size, gfp, handle, ZS_NO_NODE);
}

/* The one that this kernel has: since some 6.x after 6.14 the caller names a node. */
#define POOL_ALLOC                                                                       \
	__builtin_choose_expr(                                                           \
		__builtin_types_compatible_p(typeof(((struct zpool_driver *)0)->malloc), \
					     typeof(&pool_alloc)),                       \
		pool_alloc, pool_alloc_node)

static void pool_free(void *pool, unsigned long handle)
{
	struct lethe_zpool *p = pool;

	if (evictor_forget(&p->evictor, handle))
		zs_free_deferred(p->core, handle);
}

#ifdef COMPAT_ZPOOL_MAPS

static void *pool_map(void *pool, unsigned long handle, enum zpool_mapmode mode)
{
	struct lethe_zpool *p = pool;
	struct mapped *m;
	const void *at;

	local_lock(&mapped->lock);
	m = this_cpu_ptr(mapped);
	m->mode = mode;
	m->size = zs_obj_size(p->core, handle);
	at = zs_obj_read_begin(p->core, handle, m->size, m->copy);
	m->copied = at == m->copy;
	if (!at)
		local_unlock(&mapped->lock);
	return (void *)at;
}

static void pool_unmap(void *pool, unsigned long handle)
{
	struct lethe_zpool *p = pool;
	struct mapped *m = this_cpu_ptr(mapped);
	enum zpool_mapmode mode = m->mode;

	if (m->copied && mode != ZPOOL_MM_RO)
		zs_obj_write(p->core, handle, m->copy, m->size);
	zs_obj_read_end(p->core, handle);
	local_unlock(&mapped->lock);
	if (mode != ZPOOL_MM_RO)
		evictor_stored(&p->evictor, handle);
}

#else

static void *pool_read_begin(void *pool, unsigned long handle, void *copy)
{
	struct lethe_zpool *p = pool;
	size_t size = zs_obj_size(p->core, handle);

	return (void *)zs_obj_read_begin(p->core, handle, size, copy);
}

static void pool_read_end(void *pool, unsigned long handle, void *at)
{
	struct lethe_zpool *p = pool;

	zs_obj_read_end(p->core, handle);
}

static void pool_write(void *pool, unsigned long handle, void *from, size_t size)
{
	struct lethe_zpool *p = pool;

	zs_obj_write(p->core, handle, from, size);
}

#endif

static u64 pool_total(void *pool)
{
	struct lethe_zpool *p = pool;

	return (u64)zs_get_total_pages(p->core) * COMPAT_ZPOOL_TOTAL_UNIT;
}

#ifdef COMPAT_ZPOOL_EVICTS
static int pool_shrink(void *pool, unsigned int pages, unsigned int *reclaimed)
{
	struct lethe_zpool *p = pool;
	unsigned int back = evictor_shrink(&p->evictor, pages);

	if (reclaimed)
		*reclaimed = back;
	return back < pages ? -EAGAIN : 0;
}
#endif

static struct zpool_driver driver = {
	.type = "lethe",
	.owner = THIS_MODULE,
	.create = pool_create,
	.destroy = pool_destroy,
	.malloc = POOL_ALLOC,
	.free = pool_free,
#ifdef COMPAT_ZPOOL_EVICTS
	.shrink = pool_shrink,
#endif
#ifdef COMPAT_ZPOOL_MAPS
	.map = pool_map,
	.unmap = pool_unmap,
#else
	.obj_read_begin = pool_read_begin,
	.obj_read_end = pool_read_end,
	.obj_write = pool_write,
#endif
	.COMPAT_ZPOOL_TOTAL = pool_total,
};

void lethe_zpool_init(void)
{
	zpool_register_driver(&driver);
}

void lethe_zpool_exit(void)
{
	zpool_unregister_driver(&driver);
#ifdef COMPAT_ZPOOL_MAPS
	free_percpu(mapped);
#endif
}

/* As the kernel asks for it when zswap is told to use it. */
MODULE_ALIAS("zpool-lethe");
