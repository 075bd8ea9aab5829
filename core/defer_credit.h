/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The budget as credit, for policies whose producers share no cache line.
 *
 * Invariant: credit in the pool + credit in the slots + handles pending or
 * about to be = budget. So the bound holds without a shared counter on
 * the path of a push: a slot takes credit by the stock. Credit stranded in the
 * slots of idle CPUs makes the bound tighter by at most a quarter.
 */
#ifndef LETHE_DEFER_CREDIT_H
#define LETHE_DEFER_CREDIT_H

#include "pool.h"

/* The whole budget is to be had. Undone by nothing. */
void defer_credit_init(struct zs_pool *pool);

/* Move credit from the pool to @slot. False: the budget is spent. */
bool defer_credit_refill(struct zs_pool *pool, struct pool_slot *slot);

/* Less than the threshold is left for further pushes. */
bool defer_credit_low(const struct zs_pool *pool);

/*
 * Take the credit of one push. False: the budget is spent. *@low, which the caller
 * has set to false: pending frees have reached the threshold. Pre: @slot is held.
 */
static inline bool defer_credit_take(struct zs_pool *pool, struct pool_slot *slot,
				     bool *low)
{
	if (unlikely(!slot->credit)) {
		if (!defer_credit_refill(pool, slot))
			return false;
		*low = defer_credit_low(pool);
	}
	slot->credit--;
	return true;
}

/* Of @taken handles, @freed are free and their credit is the pool's again. */
void defer_credit_freed(struct zs_pool *pool, size_t taken, size_t freed);

/*
 * The credit of @n handles that this CPU has just freed: to its own slot first,
 * so that its next pushes need not ask, up to what a slot may hold.
 */
void defer_credit_reward(struct zs_pool *pool, size_t n);

#endif /* LETHE_DEFER_CREDIT_H */
