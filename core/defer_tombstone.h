/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The tombstone policy, the default: a pending free is a bit in the handle's entry,
 * and the pending map leads to it.
 *
 * A push sets the bit: there is no queue to overflow, what is pending is sorted by
 * construction, and a second push of a handle finds its bit set. A push touches no
 * other cache line but, for each eighth handle, the leaf's flags. Producers share a
 * cache line only when they free neighbouring handles.
 *
 * The budget is credit.  Credit in the pool + credit in the CPU slots + handles
 * pending, or about to be, = budget. A push takes credit before it makes the entry
 * pending; a refused push gives it back; a drain returns it for what it has freed.
 * `left` is lowered by compare-and-swap, never below 0. So the bound holds without a
 * shared counter on the path of a push: a slot takes credit by the hundreds. Credit
 * that lies in the slots of idle CPUs makes the bound tighter by at most a quarter.
 * `lent_most` says how much that can be, so that credit in a slot is never taken for
 * a pending handle (credit_pending()).
 * Relaxed order is enough: only the count matters. [B1]
 *
 * A push allocates nothing, takes no lock but the slot's, and waits for no task. Past the
 * budget the producer frees up to FREE_SMALL_BATCH handles, under class locks. [X1]
 */
#ifndef LETHE_DEFER_TOMBSTONE_H
#define LETHE_DEFER_TOMBSTONE_H

#include "pool.h"

/* Move credit from the pool to @slot. False: the budget is spent. */
bool credit_refill(struct zs_pool *pool, struct pool_slot *slot);

/*
 * Take the credit of one push. False: the budget is spent. *@low, which the caller
 * has set to false: pending frees have reached the threshold. Pre: @slot is held.
 */
static inline bool credit_take(struct zs_pool *pool, struct pool_slot *slot, bool *low)
{
	if (unlikely(!slot->credit)) {
		if (!credit_refill(pool, slot))
			return false;
		*low = credit_pending(&pool->defer) >= pool->defer.threshold;
	}
	slot->credit--;
	return true;
}

/* A push that was refused: as if it had not been. */
void defer_tombstone_unpush(struct zs_pool *pool);

/*
 * Pre: the caller holds @slot, which the push lets go. Context: any. Lock-free; and
 * wait-free while the slot has credit, but for moves of the object.
 */
static PORT_ALWAYS_INLINE enum defer_push_result
defer_tombstone_push(struct zs_pool *pool, struct pool_slot *slot,
		     const struct handle_place *at)
{
	bool low = false, first;

	if (unlikely(!credit_take(pool, slot, &low))) {
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
	if (unlikely(!entry_set_pending(at->entry, port_atomic_load(at->entry)))) {
		defer_tombstone_unpush(pool);
		return DEFER_MISUSE;
	}
	first = pending_flag(&pool->handles, at->leaf, at->index);
	if (unlikely(low))
		defer_arm(pool, DEFER_NOW);
	else if (unlikely(first))
		defer_arm(pool, DEFER_SOON);
	return DEFER_PUSHED;
}

#endif /* LETHE_DEFER_TOMBSTONE_H */
