/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The reference policy: one array of handles a pool, pushed to under a spinlock
 * taken with trylock, drained last in, first out by one work item. Kept as it
 * was proposed, because everything else is measured against it.
 *
 * Invariant: used + in_flight <= budget, both under the lock. [B2] A handle that a
 * drain has freed by its entry may still be in the stack: the drain that pops it finds
 * it not pending, and passes over it.
 *
 * Lock order: defer_array.lock is a leaf.
 */
#include "defer.h"
#include "pool.h"

/* Handles popped under one hold of the lock. */
#define ARRAY_SLICE FREE_SMALL_BATCH

/* Under the lock. */
static enum defer_push_result array_append(struct zs_pool *pool,
					   const struct handle_place *at)
{
	struct defer_array *a = &pool->defer.array;

	if (a->used + a->in_flight >= pool->defer.budget)
		return DEFER_CANNOT;
	if (unlikely(!entry_set_pending(at->entry, port_atomic_load(at->entry))))
		return DEFER_MISUSE;
	a->index[a->used++] = at->index;
	return DEFER_PUSHED;
}

enum defer_push_result defer_array_push(struct zs_pool *pool, struct pool_slot *slot,
					const struct handle_place *at)
{
	struct defer *d = &pool->defer;
	struct defer_array *a = &d->array;
	enum defer_push_result result = DEFER_CANNOT;
	size_t used = 0;

	if (port_spin_trylock(&a->lock)) {
		result = array_append(pool, at);
		used = a->used + a->in_flight;
		if (result == DEFER_PUSHED)
			port_counter_add(&slot->queued, 1);
		port_spin_unlock(&a->lock);
	}
	port_cpu_put();
	if (unlikely(result != DEFER_PUSHED))
		return result;
	/* Fully ordered between the push and defer_arm()'s look at `armed`. */
	port_atomic_fence();
	defer_arm(pool, used >= d->threshold ? DEFER_NOW : DEFER_SOON);
	return DEFER_PUSHED;
}

static size_t array_take(struct drain *d, u32 *index, size_t max)
{
	struct defer_array *a = &d->pool->defer.array;
	size_t n = 0;

	/* New pushes are popped first here. No walk may go on for ever: D1, defer.h. */
	if (d->taken >= d->pool->defer.budget) {
		d->walk.left = d->walk.over = true;
		return 0;
	}
	if (max > ARRAY_SLICE)
		max = ARRAY_SLICE;
	port_spin_lock(&a->lock);
	while (n < max && a->used)
		index[n++] = a->index[--a->used];
	d->walk.over = !a->used;
	a->in_flight += n;
	port_spin_unlock(&a->lock);
	d->taken += n;
	return n;
}

static void array_freed(struct zs_pool *pool, size_t taken, size_t freed)
{
	struct defer_array *a = &pool->defer.array;

	(void)freed; /* the array has room again, whichever drain freed the handles */
	port_spin_lock(&a->lock);
	a->in_flight -= taken;
	port_spin_unlock(&a->lock);
}

static size_t array_default_budget(void)
{
	return DEFER_BUDGET_LEAST;
}

static size_t array_queue_bytes(const struct zs_pool *pool)
{
	return pool->defer.budget * sizeof(u32);
}

static int array_init(struct zs_pool *pool)
{
	struct defer_array *a = &pool->defer.array;

	if (pool->defer.budget > ~(u32)0)
		return -PORT_EINVAL;
	port_spin_init(&a->lock);
	a->index = port_meta_alloc(array_queue_bytes(pool), PORT_ALLOC_WAIT);
	return a->index ? 0 : -PORT_ENOMEM;
}

static void array_fini(struct zs_pool *pool)
{
	struct defer_array *a = &pool->defer.array;

	port_meta_free(a->index, array_queue_bytes(pool));
}

const struct defer_policy_ops defer_array_ops = {
	.default_budget = array_default_budget,
	.init = array_init,
	.fini = array_fini,
	.queue_bytes = array_queue_bytes,
	.take = array_take,
	.freed = array_freed,
};
