/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The tombstone policy: a pending free is a bit in the handle's entry, which
 * the table's flags lead to.
 *
 * Pushing sets the bit: without a queue to overflow, sorted by construction, and
 * a second push of a handle finds its bit set. It touches no other cache line
 * but, for each eighth handle, the leaf's flags. Producers share a cache line
 * only when they free neighbouring handles.
 *
 * Invariant: credit in the pool + credit in the slots + handles pending or
 * about to be = budget. So the bound holds without a shared counter on
 * the path of a push: a slot takes credit by the stock. Credit stranded in the
 * slots of idle CPUs makes the bound tighter by at most a quarter.
 */
#include "defer.h"
#include "pool.h"

#define TOMBSTONE_STOCK_MAX 64

/* Move credit from the pool to @slot. False: the budget is spent. */
static PORT_NOINLINE bool tombstone_refill(struct zs_pool *pool, struct pool_slot *slot)
{
	struct defer *d = &pool->defer;
	u64 credit = port_atomic_load(&d->tombstone.credit);
	u64 take;

	do {
		if (!credit)
			return false;
		take = credit < d->tombstone.stock ? credit : d->tombstone.stock;
	} while (!port_atomic_cmpxchg_acquire(&d->tombstone.credit, &credit,
					      credit - take));
	slot->credit = (u32)take;
	return true;
}

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
	struct defer *d = &pool->defer;
	struct pool_slot *slot = &pool->slots[port_cpu_get()];
	bool low = false, first;

	if (unlikely(!slot->credit)) {
		if (!tombstone_refill(pool, slot)) {
			port_cpu_put();
			return DEFER_CANNOT;
		}
		low = port_atomic_load(&d->tombstone.credit) <= d->budget - d->threshold;
	}
	slot->credit--;
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

static void tombstone_freed(struct zs_pool *pool, size_t taken, size_t freed)
{
	(void)taken;
	port_atomic_add(&pool->defer.tombstone.credit, freed);
}

/*
 * The credit of @n handles that this CPU has just freed: to its own slot first,
 * so that its next pushes need not ask, up to what a slot may hold.
 */
static void tombstone_reward(struct zs_pool *pool, size_t n)
{
	struct pool_slot *slot = &pool->slots[port_cpu_get()];
	u32 stock = pool->defer.tombstone.stock;
	size_t room = slot->credit < stock ? stock - slot->credit : 0;
	size_t kept = n < room ? n : room;

	slot->credit += (u32)kept;
	port_cpu_put();
	if (n > kept)
		port_atomic_add(&pool->defer.tombstone.credit, n - kept);
}

PORT_NOINLINE bool defer_tombstone_help(struct zs_pool *pool, u32 index)
{
	u32 pending[FREE_SMALL_BATCH];
	u16 next[FREE_SMALL_BATCH];
	unsigned int side = defer_enter(pool);
	u32 leaf_nr = index >> ITABLE_SHIFT;
	size_t n;

	n = itable_take_flagged(&pool->handles, &leaf_nr, FREE_PENDING, pending,
				FREE_SMALL_BATCH);
	if (!n) {
		leaf_nr = 0;
		n = itable_take_flagged(&pool->handles, &leaf_nr, FREE_PENDING, pending,
					FREE_SMALL_BATCH);
	}
	if (n) {
		n = free_indices(pool, pending, next, n, FREE_PENDING, "deferred free");
		defer_account(pool, DEFER_BY_HELP, n);
		tombstone_reward(pool, n);
	}
	defer_leave(pool, side);
	/* The worker may have passed over a leaf while it seemed to be empty to us. */
	defer_arm(pool, DEFER_SOON);
	return n > 0;
}

static size_t tombstone_take(struct zs_pool *pool, struct defer_pass *pass, u32 *index,
			     size_t max)
{
	return itable_take_flagged(&pool->handles, &pass->leaf, FREE_PENDING, index, max);
}

static size_t tombstone_default_budget(void)
{
	size_t share = port_memory_pages() / DEFER_BUDGET_MEMORY_SHARE;

	return share > DEFER_BUDGET_LEAST ? share : DEFER_BUDGET_LEAST;
}

static int tombstone_init(struct zs_pool *pool)
{
	struct defer_tombstone *t = &pool->defer.tombstone;
	size_t stock = pool->defer.budget / (4 * (size_t)port_cpu_slots());

	if (stock > TOMBSTONE_STOCK_MAX)
		stock = TOMBSTONE_STOCK_MAX;
	t->stock = stock ? (u32)stock : 1;
	port_atomic_store(&t->credit, pool->defer.budget);
	return 0;
}

static void tombstone_fini(struct zs_pool *pool)
{
	(void)pool;
}

const struct defer_policy_ops defer_tombstone_ops = {
	.default_budget = tombstone_default_budget,
	.init = tombstone_init,
	.fini = tombstone_fini,
	.take = tombstone_take,
	.freed = tombstone_freed,
};
