/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Statistics of a pool.
 */
#include "pool.h"

static const char *const cause_names[ZS_FLUSH_NR] = {
	[ZS_FLUSH_CALLER] = "caller",	  [ZS_FLUSH_NOMEM] = "nomem",
	[ZS_FLUSH_LIMIT] = "limit",	  [ZS_FLUSH_COMPACT] = "compact",
	[ZS_FLUSH_SHRINKER] = "shrinker", [ZS_FLUSH_OOM] = "oom",
	[ZS_FLUSH_REUSE] = "reuse",	  [ZS_FLUSH_DESTROY] = "destroy",
};

const char *zs_flush_cause_name(enum zs_flush_cause cause)
{
	return (unsigned int)cause < ZS_FLUSH_NR ? cause_names[cause] : NULL;
}

size_t zs_get_total_pages(struct zs_pool *pool)
{
	return port_atomic_load(&pool->pages);
}

size_t zs_huge_class_size(struct zs_pool *pool)
{
	const struct size_class_table *t = &pool->table;
	unsigned int step = SIZE_CLASS_MAX;
	unsigned int page_class = t->of_step[SIZE_CLASS_MAX];

	while (t->of_step[step - 1] == page_class)
		step--;
	/* The smallest size that rounds up to that many steps. */
	return (step - 1) * SIZE_CLASS_STEP + 1;
}

static void stats_of_classes(struct zs_pool *pool, struct zs_pool_stats *stats)
{
	unsigned int i;

	for (i = 0; i < pool->table.nr; i++) {
		const struct size_class *c = pool->classes[i];
		size_t zspages = port_atomic_load(&c->zspages);

		stats->objects += port_atomic_load(&c->objects);
		stats->zspages += zspages;
		stats->meta_bytes += zspages * port_meta_size(c->descriptor_size);
	}
}

static u64 stats_oldest_age(struct zs_pool *pool)
{
	u64 since = port_atomic_load(&pool->defer.drain_since_ns);
	u64 now = port_now_ns();

	if (!since)
		since = port_atomic_load(&pool->defer.armed_at_ns);
	return since && now > since ? now - since : 0;
}

static void stats_of_deferral(struct zs_pool *pool, struct zs_pool_stats *stats)
{
	struct defer *d = &pool->defer;
	unsigned int i;

	stats->policy = d->policy;
	stats->capacity = d->budget;
	stats->threshold = d->threshold;
	stats->pending = defer_pending(pool);
	stats->oldest_age_ns = stats->pending ? stats_oldest_age(pool) : 0;
	stats->drained = port_atomic_load(&d->freed[DEFER_BY_THREAD]);
	stats->producer_drained = port_atomic_load(&d->freed[DEFER_BY_PRODUCER]);
	stats->kicks = port_atomic_load(&d->kicks);
	stats->invalid = port_atomic_load(&pool->invalid);
	for (i = 0; i < ZS_FLUSH_NR; i++) {
		stats->flushed[i] = port_atomic_load(&d->freed[DEFER_BY_FLUSH + i]);
		stats->flushes[i] = port_atomic_load(&d->flushes[i]);
	}
	for (i = 0; i < port_cpu_slots(); i++) {
		struct pool_slot *slot = &pool->slots[i];

		stats->queued += port_atomic_load(&slot->queued);
		stats->fallback += port_atomic_load(&slot->fallback);
	}
}

_Static_assert(ZS_FLUSH_NR <= ZS_FLUSH_MAX, "there is room for every cause");

static void pool_stats(struct zs_pool *pool, struct zs_pool_stats *stats)
{
	stats->page_size = PORT_PAGE_SIZE;
	stats->pages = zs_get_total_pages(pool);
	stats->pages_compacted = port_atomic_load(&pool->pages_compacted);
	stats->pages_moved = port_atomic_load(&pool->pages_moved);
	stats->meta_bytes =
		port_meta_size(sizeof(*pool)) + port_meta_size(sizeof(*pool->scratch)) +
		port_meta_size(sizeof(struct pool_slot) * port_cpu_slots()) +
		port_meta_size(sizeof(struct size_class)) * pool->table.nr +
		port_atomic_load(&pool->handles.meta_bytes) + defer_bytes(pool);
	if (pool->limit_pages != ~(size_t)0)
		stats->mem_limit = pool->limit_pages << PORT_PAGE_SHIFT;
	stats_of_classes(pool, stats);
	stats_of_deferral(pool, stats);
}

void zs_pool_stats_sized(struct zs_pool *pool, struct zs_pool_stats *stats, size_t size)
{
	struct zs_pool_stats known = {0};

	pool_stats(pool, &known);
	port_memset(stats, 0, size);
	port_memcpy(stats, &known, size < sizeof(known) ? size : sizeof(known));
}
