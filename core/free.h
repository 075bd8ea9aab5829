/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Batches of frees: the primitive that everything deferred ends in.
 */
#ifndef LETHE_FREE_H
#define LETHE_FREE_H

#include "size_class.h"

struct zs_pool;
struct zspage;
struct size_class;

/* Most objects freed under one hold of a class lock. */
#define FREE_LOCK_SLICE 64
/* A batch that fits on a kernel stack. */
#define FREE_SMALL_BATCH 64
/*
 * The pool's own, large batch. Swapped-out neighbours spread over some 100
 * classes, so a batch must be many times that to meet each zspage once.
 */
#define FREE_LARGE_BATCH 4096u

/* Handle indices to be freed, and room to chain them by class. */
struct free_scratch {
	u32 index[FREE_LARGE_BATCH];
	u16 next[FREE_LARGE_BATCH];
};

/*
 * Free the objects of handle indices index[0..n-1]; those found not to be live
 * are refused (counted, set to FREE_REFUSED). @next is scratch for n. @call is
 * named in messages. Pre: n <= FREE_LARGE_BATCH; every index is in the table.
 * Context: any. Returns how many were freed.
 */
size_t free_indices(struct zs_pool *pool, u32 *index, u16 *next, size_t n,
		    const char *call);
#define FREE_REFUSED (~(u32)0)

/* Borrow the pool's large scratch; NULL while another has it. Never waits. */
struct free_scratch *free_scratch_try_get(struct zs_pool *pool);
void free_scratch_put(struct zs_pool *pool);

/*
 * Release zspages of @c that zspage_settle() declared dead: ids, pages,
 * descriptors. Context: any, no class lock. Returns how many pages.
 */
size_t free_dead_zspages(struct zs_pool *pool, struct size_class *c, struct zspage *dead);

#endif /* LETHE_FREE_H */
