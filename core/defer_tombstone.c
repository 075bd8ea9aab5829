// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * The tombstone policy but for its push, which is in the header.
 *
 * Lock order: no lock is taken here.
 */
#include "defer_tombstone.h"

/* A slot takes so much credit at a time, at most: refills are rare. */
#define CREDIT_SLOT_MOST 512

PORT_NOINLINE bool credit_refill(struct zs_pool *pool, struct pool_slot *slot)
{
	struct defer_credit *c = &pool->defer.credit;
	u64 left = port_atomic_load(&c->left);
	u64 take;

	do {
		if (!left)
			return false;
		take = left < c->slot_most ? left : c->slot_most;
	} while (!port_atomic_cmpxchg_acquire(&c->left, &left, left - take));
	slot->credit = (u32)take;
	/* The push that asked takes one at once: an idle slot holds one less. */
	if (unlikely(!slot->has_had_credit)) {
		slot->has_had_credit = true;
		port_atomic_add(&c->lent_most, c->slot_most - 1);
	}
	defer_try_show_pending(pool, credit_pending(&pool->defer));
	return true;
}

PORT_NOINLINE void defer_tombstone_unpush(struct zs_pool *pool)
{
	struct pool_slot *slot = &pool->slots[port_cpu_get()];

	slot->credit++;
	port_counter_add(&slot->queued, (u64)-1);
	port_cpu_put();
}

static size_t tombstone_take(struct drain *d, u32 *index, size_t max)
{
	return pending_take(&d->pool->handles, &d->walk, index, max);
}

static void tombstone_freed(struct zs_pool *pool, size_t taken, size_t freed)
{
	(void)taken;
	port_atomic_add(&pool->defer.credit.left, freed);
}

/*
 * As many pages as half of memory has, but no less than the least budget. Pending
 * frees cost no queue; what they pin is compressed, and given up as soon as memory is
 * short. A budget that a large process overruns costs it as much as sync does.
 */
static size_t tombstone_default_budget(void)
{
	size_t half = port_memory_pages() / 2;

	return half > DEFER_BUDGET_LEAST ? half : DEFER_BUDGET_LEAST;
}

static int tombstone_init(struct zs_pool *pool)
{
	struct defer_credit *c = &pool->defer.credit;
	size_t most = pool->defer.budget / (4 * (size_t)port_cpu_slots());

	if (most > CREDIT_SLOT_MOST)
		most = CREDIT_SLOT_MOST;
	c->slot_most = most ? (u32)most : 1;
	port_atomic_store(&c->left, pool->defer.budget);
	return 0;
}

static void tombstone_fini(struct zs_pool *pool)
{
	(void)pool;
}

static size_t tombstone_queue_bytes(const struct zs_pool *pool)
{
	(void)pool;
	return 0;
}

const struct defer_policy_ops defer_tombstone_ops = {
	.default_budget = tombstone_default_budget,
	.threshold_most = DEFER_EARLY_THRESHOLD,
	.init = tombstone_init,
	.fini = tombstone_fini,
	.queue_bytes = tombstone_queue_bytes,
	.take = tombstone_take,
	.freed = tombstone_freed,
};
