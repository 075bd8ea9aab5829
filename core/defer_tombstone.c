/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* The tombstone policy but for its push, which is in the header. */
#include "defer_tombstone.h"

/* A push that was refused: as if it had not been. */
PORT_NOINLINE void defer_tombstone_unpush(struct zs_pool *pool)
{
	struct pool_slot *slot = &pool->slots[port_cpu_get()];

	slot->credit++;
	port_counter_add(&slot->queued, (u64)-1);
	port_cpu_put();
}

/* Near the handle that there is no room for, as its neighbours are still warm. */
static size_t tombstone_take_some(struct zs_pool *pool, u32 near, u32 *index, size_t max)
{
	struct itable_walk walk = {.leaf_nr = near >> ITABLE_SHIFT};
	size_t n = itable_take_flagged(&pool->handles, &walk, FREE_PENDING, index, max);

	if (!n) {
		walk = (struct itable_walk){0};
		n = itable_take_flagged(&pool->handles, &walk, FREE_PENDING, index, max);
	}
	return n;
}

static size_t tombstone_take(struct zs_pool *pool, struct defer_pass *pass, u32 *index,
			     size_t max)
{
	return itable_take_flagged(&pool->handles, &pass->walk, FREE_PENDING, index, max);
}

/*
 * As many pages as half of memory has. Pending frees cost no queue; what they pin
 * is compressed, and given up as soon as anybody is short of it. A budget that a
 * large process overruns costs it as much as sync does.
 */
static size_t tombstone_default_budget(void)
{
	return defer_budget_of_memory(2);
}

static int tombstone_init(struct zs_pool *pool)
{
	defer_credit_init(pool);
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
	.take_some = tombstone_take_some,
	.freed = defer_credit_freed,
};
