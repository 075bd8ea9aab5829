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
#ifndef LETHE_DEFER_TOMBSTONE_H
#define LETHE_DEFER_TOMBSTONE_H

#include "defer_credit.h"

/* A push that was refused: as if it had not been. */
void defer_tombstone_unpush(struct zs_pool *pool);

static PORT_ALWAYS_INLINE enum defer_push_result
defer_tombstone_push(struct zs_pool *pool, struct pool_slot *slot,
		     const struct handle_place *at)
{
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
	if (unlikely(!entry_set_pending(at->entry, port_atomic_load(at->entry)))) {
		defer_tombstone_unpush(pool);
		return DEFER_MISUSE;
	}
	first = itable_flag(&pool->handles, at->leaf, at->index);
	if (unlikely(low))
		defer_arm(pool, DEFER_NOW);
	else if (unlikely(first))
		defer_arm(pool, DEFER_SOON);
	return DEFER_PUSHED;
}

#endif /* LETHE_DEFER_TOMBSTONE_H */
