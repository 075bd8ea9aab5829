/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The tombstone policy: a pending free is a bit in the handle's entry, which
 * the table's flags lead to.
 *
 * Pushing sets the bit: without a queue to overflow, sorted by construction, and
 * a second push of a handle finds its bit set. It touches no other cache line
 * but, for each eighth handle, the leaf's flags. Producers share a cache line
 * only when they free neighbouring handles.
 */
#include "defer_credit.h"

/* A push that was refused: as if it had not been. */
static PORT_NOINLINE void tombstone_unpush(struct zs_pool *pool)
{
	struct pool_slot *slot = &pool->slots[port_cpu_get()];

	slot->credit++;
	port_counter_add(&slot->queued, (u64)-1);
	port_cpu_put();
}

enum defer_push_result defer_tombstone_push(struct zs_pool *pool, struct defer_item item)
{
	struct pool_slot *slot = &pool->slots[port_cpu_get()];
	bool low = false, first;

	if (unlikely(!defer_credit_take(pool, slot, &low))) {
		port_cpu_put();
		return DEFER_CANNOT;
	}
	port_counter_add(&slot->queued, 1);
	port_cpu_put();
	/*
	 * Fully ordered: what the caller did with the object comes before the
	 * free that a drain makes of this, and the pending bit comes before the
	 * looks at the flags and, in defer_arm(), at `armed`.
	 */
	if (unlikely(!entry_set_pending(item.entry, port_atomic_load(item.entry)))) {
		tombstone_unpush(pool);
		return DEFER_MISUSE;
	}
	first = itable_flag(&pool->handles, item.leaf, item.index);
	if (unlikely(low))
		defer_arm(pool, DEFER_NOW);
	else if (unlikely(first))
		defer_arm(pool, DEFER_SOON);
	return DEFER_PUSHED;
}

/* Near the handle that there is no room for, as its neighbours are still warm. */
static size_t tombstone_take_some(struct zs_pool *pool, u32 near, u32 *index, size_t max)
{
	u32 leaf_nr = near >> ITABLE_SHIFT;
	size_t n =
		itable_take_flagged(&pool->handles, &leaf_nr, FREE_PENDING, index, max);

	if (!n) {
		leaf_nr = 0;
		n = itable_take_flagged(&pool->handles, &leaf_nr, FREE_PENDING, index,
					max);
	}
	return n;
}

static size_t tombstone_take(struct zs_pool *pool, struct defer_pass *pass, u32 *index,
			     size_t max)
{
	return itable_take_flagged(&pool->handles, &pass->leaf, FREE_PENDING, index, max);
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
	.default_budget = defer_credit_default_budget,
	.init = tombstone_init,
	.fini = tombstone_fini,
	.queue_bytes = tombstone_queue_bytes,
	.take = tombstone_take,
	.take_some = tombstone_take_some,
	.freed = defer_credit_freed,
};
