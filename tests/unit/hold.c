/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
#include "hold.h"
#include "pool.h"

/* Has a drain taken what was pending off the queue? */
static bool queue_was_taken(struct zs_pool *pool, u32 index)
{
	bool taken;

	if (pool->defer.policy == ZS_DEFER_TOMBSTONE)
		return !(port_atomic_load(&table_leaf(&pool->handles, index)->pending) >>
				 (index / TABLE_GROUP % TABLE_FLAGS) &
			 1);
	port_spin_lock(&pool->defer.array.lock);
	taken = !pool->defer.array.used && pool->defer.array.in_flight;
	port_spin_unlock(&pool->defer.array.lock);
	return taken;
}

/*
 * The bait is the first of a group of the handle table, of which all others are
 * taken too: a free of one of them would have other drains find the bait again.
 */
static u32 make_bait(struct worker_hold *h)
{
	u32 index;

	do {
		object_create(h->pool, &h->filler[h->fillers++], 1, 1);
		index = index_of_handle(h->filler[h->fillers - 1].handle);
	} while ((index + 1) % TABLE_GROUP);
	object_create(h->pool, &h->bait, 1, 1);
	for (int i = 1; i < (int)TABLE_GROUP; i++)
		object_create(h->pool, &h->filler[h->fillers++], 1, 1);
	return index_of_handle(h->bait.handle);
}

void worker_hold(struct worker_hold *h, struct zs_pool *pool)
{
	struct size_class *c = pool->classes[size_class_index(&pool->table, 1)];
	u32 index;

	*h = (struct worker_hold){.pool = pool, .lock = &c->lock, .handles = 1};
	index = make_bait(h);
	port_spin_lock(&c->lock);
	zs_free_deferred(pool, h->bait.handle);
	TEST_WAIT_UNTIL(queue_was_taken(pool, index));
}

void worker_release(struct worker_hold *h)
{
	port_spin_unlock(h->lock);
	for (size_t i = 0; i < h->fillers; i++)
		zs_free(h->pool, h->filler[i].handle);
}
