/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Counting what is free of the handle table, for tests of every home. Pre: nobody
 * else uses the pool.
 */
#ifndef LETHE_TEST_TABLE_H
#define LETHE_TEST_TABLE_H

#include "pool.h"

/* Handles of leaf @nr that are free and in no slot's hands. */
static inline u32 table_leaf_free(const struct handle_table *t, u32 nr)
{
	const struct table_leaf *leaf = table_leaf(t, nr << TABLE_SHIFT);
	u32 free = 0;

	for (u32 w = 0; w < TABLE_WORDS; w++)
		free += __builtin_popcountll(port_atomic_load(&leaf->free[w]));
	return free;
}

/* Handles that no object has: as many as the table has grown to, less the objects. */
static inline size_t table_free(const struct zs_pool *pool)
{
	u32 nr = (u32)port_atomic_load(&pool->handles.nr_leaves);
	size_t free = 0;

	for (u32 i = 0; i < nr; i++)
		free += table_leaf_free(&pool->handles, i);
	/* Those of leaves whose values were taken away are in nobody's hands. */
	for (u32 i = pool->handles.stripped; i;
	     i = table_leaf(&pool->handles, (i - 1) << TABLE_SHIFT)->next_stripped)
		free += TABLE_FANOUT;
	for (u32 i = 0; i < port_cpu_slots(); i++)
		free += __builtin_popcountll(pool->slots[i].handles.mask) +
			__builtin_popcountll(pool->slots[i].freed.mask);
	return free;
}

#endif /* LETHE_TEST_TABLE_H */
