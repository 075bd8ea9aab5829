/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The tombstone policy: a pending free is a mark bit beside the handle table.
 *
 * Pushing sets the bit: wait-free, without a queue to overflow, sorted by
 * construction, and a second push of a handle finds its bit set. Producers
 * share a cache line only when they free neighbouring handles.
 *
 * Invariant: credit in the pool + credit in the slots + handles marked or taken
 * and not yet freed = budget. So the bound holds without a shared counter on
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

enum defer_push_result defer_tombstone_push(struct zs_pool *pool, u32 index)
{
	struct defer *d = &pool->defer;
	struct pool_slot *slot = &pool->slots[port_cpu_get()];
	enum itable_mark_result marked;
	bool low = false;

	if (unlikely(!slot->credit)) {
		if (!tombstone_refill(pool, slot)) {
			port_cpu_put();
			return DEFER_CANNOT;
		}
		low = port_atomic_load(&d->tombstone.credit) <= d->budget - d->threshold;
	}
	/*
	 * Fully ordered: what the caller did with the object comes before the
	 * free that a drain makes of this, and the mark comes before the looks at
	 * the summary and, in defer_arm(), at `armed`.
	 */
	marked = itable_mark(&pool->handles, index);
	if (unlikely(marked == ITABLE_WAS_MARKED)) {
		port_cpu_put();
		return DEFER_PENDING_ALREADY;
	}
	slot->credit--;
	port_counter_add(&slot->queued, 1);
	port_cpu_put();

	if (unlikely(low))
		defer_arm(pool, DEFER_NOW);
	else if (unlikely(marked == ITABLE_MARKED_FIRST))
		defer_arm(pool, DEFER_SOON);
	return DEFER_PUSHED;
}

static void tombstone_freed(struct zs_pool *pool, size_t n)
{
	port_atomic_add(&pool->defer.tombstone.credit, n);
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
		tombstone_freed(pool, n - kept);
}

PORT_NOINLINE void defer_tombstone_help(struct zs_pool *pool, u32 index)
{
	u32 pending[FREE_SMALL_BATCH];
	u16 next[FREE_SMALL_BATCH];
	u32 base = index & ~(ITABLE_FANOUT - 1);
	unsigned int side = defer_enter(pool);
	u32 w = 0;
	u64 bits = 0;
	size_t n = 0;
	u32 i;

	/* The word of @index, else the nearest before it in its leaf, around. */
	for (i = 0; i < ITABLE_WORDS && !bits; i++) {
		w = ((index - base) / 64 - i) & (ITABLE_WORDS - 1);
		bits = itable_take_marked_word(&pool->handles, base + w * 64);
	}
	for (; bits; bits &= bits - 1)
		pending[n++] = base + w * 64 + port_ctz64(bits);
	if (n) {
		free_indices(pool, pending, next, n, "deferred free");
		defer_account(pool, DEFER_BY_HELP, n);
		tombstone_reward(pool, n);
	}
	defer_leave(pool, side);
}

static size_t tombstone_take(struct zs_pool *pool, struct defer_pass *pass, u32 *index,
			     size_t max)
{
	return itable_take_marks(&pool->handles, &pass->leaf, index, max);
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
