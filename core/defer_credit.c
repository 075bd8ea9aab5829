/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
#include "defer_credit.h"

/* A slot asks for credit so seldom that the asking is not felt. */
#define CREDIT_STOCK_MAX 512

PORT_NOINLINE bool defer_credit_refill(struct zs_pool *pool, struct pool_slot *slot)
{
	struct defer_credit *c = &pool->defer.credit;
	u64 left = port_atomic_load(&c->left);
	u64 take;

	do {
		if (!left)
			return false;
		take = left < c->stock ? left : c->stock;
	} while (!port_atomic_cmpxchg_acquire(&c->left, &left, left - take));
	slot->credit = (u32)take;
	return true;
}

bool defer_credit_low(const struct zs_pool *pool)
{
	const struct defer *d = &pool->defer;

	return port_atomic_load(&d->credit.left) <= d->budget - d->threshold;
}

void defer_credit_freed(struct zs_pool *pool, size_t taken, size_t freed)
{
	(void)taken;
	port_atomic_add(&pool->defer.credit.left, freed);
}

void defer_credit_reward(struct zs_pool *pool, size_t n)
{
	struct pool_slot *slot = &pool->slots[port_cpu_get()];
	u32 stock = pool->defer.credit.stock;
	size_t room = slot->credit < stock ? stock - slot->credit : 0;
	size_t kept = n < room ? n : room;

	slot->credit += (u32)kept;
	port_cpu_put();
	if (n > kept)
		port_atomic_add(&pool->defer.credit.left, n - kept);
}

void defer_credit_init(struct zs_pool *pool)
{
	struct defer_credit *c = &pool->defer.credit;
	size_t stock = pool->defer.budget / (4 * (size_t)port_cpu_slots());

	if (stock > CREDIT_STOCK_MAX)
		stock = CREDIT_STOCK_MAX;
	c->stock = stock ? (u32)stock : 1;
	port_atomic_store(&c->left, pool->defer.budget);
}
