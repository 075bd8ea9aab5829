/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
#include "hold.h"
#include "pool.h"

/* Has a drain taken what was pending off the queue? */
static bool queue_was_taken(struct zs_pool *pool, u32 index)
{
	bool taken;

	if (pool->defer.policy == ZS_DEFER_TOMBSTONE)
		return !itable_is_marked(&pool->handles, index);
	port_spin_lock(&pool->defer.array.lock);
	taken = !pool->defer.array.used && pool->defer.array.in_flight;
	port_spin_unlock(&pool->defer.array.lock);
	return taken;
}

void worker_hold(struct worker_hold *h, struct zs_pool *pool)
{
	struct size_class *c = pool->classes[size_class_index(&pool->table, 1)];
	struct object bait;

	object_create(pool, &bait, 1, 1);
	*h = (struct worker_hold){.pool = pool, .lock = &c->lock, .handles = 1};
	port_spin_lock(&c->lock);
	zs_free_deferred(pool, bait.handle);
	TEST_WAIT_UNTIL(queue_was_taken(pool, index_of_handle(bait.handle)));
}

void worker_release(struct worker_hold *h)
{
	port_spin_unlock(h->lock);
}
