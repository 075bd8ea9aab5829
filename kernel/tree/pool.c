// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * What is the same in every version of <linux/zsmalloc.h>, and the two calls that it did
 * not have.
 *
 * No lock is taken here.
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "defer.h"
#include "home.h"

#define ROOM_SLICES 16

/**
 * zs_create_pool() - create a pool of compressed objects
 * @name: of its user, for debugfs and messages
 *
 * Context: process context, may sleep.
 * Return: the pool; NULL if there is no memory.
 */
struct zs_pool *zs_create_pool(const char *name)
{
	struct lethe_pool_params params = {.policy = READ_ONCE(zs_policy)};
	struct zs_pool *pool = kzalloc(sizeof(*pool), GFP_KERNEL);

	if (pool && lethe_create_pool(name, &params, &pool->core)) {
		kfree(pool);
		return NULL;
	}
	return pool;
}
EXPORT_SYMBOL_GPL(zs_create_pool);

/**
 * zs_destroy_pool() - free what is pending, then the pool and what is left in it
 * @pool: with no other call running or to follow
 *
 * Context: process context, may sleep.
 */
void zs_destroy_pool(struct zs_pool *pool)
{
	lethe_destroy_pool(pool->core);
	kfree(pool);
}
EXPORT_SYMBOL_GPL(zs_destroy_pool);

/*
 * The allocator is told whether it may sleep, and whether it may use reserves. It never
 * starts I/O, and knows no half-hearted reclaim: a caller that does not want to retry
 * gets none. Pages are of the direct map, and are not zeroed.
 */
static enum lethe_alloc alloc_how(gfp_t gfp)
{
	if (gfpflags_allow_blocking(gfp) && !(gfp & __GFP_NORETRY))
		return LETHE_ALLOC_WAIT;
	return gfp & __GFP_NOMEMALLOC ? LETHE_ALLOC_NOWAIT : LETHE_ALLOC_RESERVES;
}

unsigned long zs_malloc_gfp(struct zs_pool *pool, size_t size, gfp_t gfp, int node)
{
	/* To its users, this says that a page does not compress. */
	if (unlikely(size > PAGE_SIZE))
		return (unsigned long)-ENOSPC;
	return lethe_malloc_node(pool->core, size, alloc_how(gfp), node);
}

/**
 * zs_free() - free an object now
 * @pool: the pool
 * @handle: the object; null and error values are ignored
 *
 * Context: any but interrupt. Takes a spinlock.
 */
void zs_free(struct zs_pool *pool, unsigned long handle)
{
	lethe_free(pool->core, handle);
}
EXPORT_SYMBOL_GPL(zs_free);

/**
 * zs_free_deferred() - give an object back, to be freed soon
 * @pool: the pool
 * @handle: the object, which no call may use from here on; null and error values are
 * ignored
 *
 * For those who give back much at once, as an exiting task does. Sets a bit; a thread of
 * the pool frees later, in batches. Past a bound, the caller frees some of what is
 * pending first.
 *
 * Context: any but interrupt. Never sleeps, and allocates nothing.
 */
void zs_free_deferred(struct zs_pool *pool, unsigned long handle)
{
	lethe_free_deferred(pool->core, handle);
}
EXPORT_SYMBOL_GPL(zs_free_deferred);

/**
 * zs_free_deferred_flush() - free all whose zs_free_deferred() has returned
 * @pool: the pool
 *
 * Context: process context, may sleep.
 */
void zs_free_deferred_flush(struct zs_pool *pool)
{
	lethe_free_deferred_flush(pool->core);
}
EXPORT_SYMBOL_GPL(zs_free_deferred_flush);

/**
 * zs_huge_class_size() - the size from which an object takes a page of its own
 * @pool: the pool
 *
 * Context: any.
 */
size_t zs_huge_class_size(struct zs_pool *pool)
{
	return lethe_huge_class_size(pool->core);
}
EXPORT_SYMBOL_GPL(zs_huge_class_size);

/**
 * zs_get_total_pages() - pages that hold objects, those whose free is pending included
 * @pool: the pool
 *
 * Context: any.
 */
unsigned long zs_get_total_pages(struct zs_pool *pool)
{
	return lethe_get_total_pages(pool->core);
}
EXPORT_SYMBOL_GPL(zs_get_total_pages);

/**
 * zs_total_pages_within() - zs_get_total_pages(), for a caller that has a limit
 * @pool: the pool
 * @limit: pages that it should hold at most; 0: any
 *
 * If it holds more, some of what is pending is freed first, up to ROOM_SLICES slices of
 * 64 objects: by allocating one object, a caller goes past its limit by a zspage.
 *
 * Context: any but interrupt. Never sleeps.
 */
unsigned long zs_total_pages_within(struct zs_pool *pool, unsigned long limit)
{
	unsigned long pages = lethe_get_total_pages(pool->core);
	unsigned int slices = ROOM_SLICES;

	while (limit && pages > limit && slices-- && defer_pending(pool->core)) {
		defer_drain_slice(pool->core, LETHE_FLUSH_LIMIT);
		pages = lethe_get_total_pages(pool->core);
	}
	return pages;
}
EXPORT_SYMBOL_GPL(zs_total_pages_within);

/**
 * zs_compact() - free what is pending, and move objects together
 * @pool: the pool
 *
 * Context: process context, may sleep.
 * Return: pages given back by moving.
 */
unsigned long zs_compact(struct zs_pool *pool)
{
	return lethe_compact(pool->core);
}
EXPORT_SYMBOL_GPL(zs_compact);

/**
 * zs_pool_stats() - pages that compaction has given back
 * @pool: the pool
 * @stats: where to say so
 *
 * Context: any.
 */
void zs_pool_stats(struct zs_pool *pool, struct zs_pool_stats *stats)
{
	struct lethe_pool_stats all;

	lethe_pool_stats(pool->core, &all);
	atomic_long_set(&stats->pages_compacted, (long)all.pages_compacted);
}
EXPORT_SYMBOL_GPL(zs_pool_stats);
