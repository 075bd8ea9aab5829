/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Batches of frees: the primitive that everything deferred ends in.
 */
#ifndef LETHE_FREE_H
#define LETHE_FREE_H

#include "handle.h"
#include "size_class.h"

struct zs_pool;
struct pool_slot;
struct handle_place;
struct zspage;
struct size_class;

/*
 * Most objects freed under one hold of a class lock. [L3] The benchmark builds it with 1
 * to see what batches are worth (bench/storm.sh, variant "unbatched"); the simulator
 * has few.
 */
#ifndef FREE_LOCK_SLICE
#define FREE_LOCK_SLICE 64
#endif
/* A batch that fits on a kernel stack; at least TABLE_STEP. A home may have less. */
#ifndef FREE_SMALL_BATCH
#define FREE_SMALL_BATCH 64
#endif
/*
 * The pool's own, large batch. Swapped-out neighbours spread over some 100
 * classes, so a batch must be many times that to meet each zspage once. A
 * home may have less, to see more of them.
 */
#ifndef FREE_LARGE_BATCH
#define FREE_LARGE_BATCH 4096u
#endif

/* Handle indices to be freed, and room to chain them by class. */
struct free_scratch {
	u32 index[FREE_LARGE_BATCH];
	u16 next[FREE_LARGE_BATCH];
};

/* What a free wants the entries to be: live, or live and pending. */
#define FREE_DIRECT ENTRY_LIVE
#define FREE_PENDING (ENTRY_LIVE | ENTRY_PENDING)

/*
 * Free the objects of handle indices index[0..n-1]. An entry that is not as @want says
 * is refused. If a pending one was wanted, another drain has freed it, and nothing is
 * said; else it is a misuse. @next is scratch for n. @call is named in messages.
 * Pre: n <= FREE_LARGE_BATCH; every index is in the table. Post: @index is scratch;
 * *@pages is raised by the pages given back. Context: any. Returns how many were freed.
 */
size_t free_indices(struct zs_pool *pool, u32 *index, u16 *next, size_t n, u64 want,
		    const char *call, size_t *pages);

/* Why an object of @entry cannot be freed, or its free deferred. */
const char *free_misuse(u64 entry);

/*
 * Free a handle that is not deferred, and count it as such. Refused, as a misuse of
 * zs_free_deferred(), if it is not live. Pre: the caller holds @slot. Post: not any
 * more. Context: any.
 */
void free_fallback(struct zs_pool *pool, struct pool_slot *slot,
		   const struct handle_place *at);

/* Free everything that is live. Pre: the pool is being destroyed, nothing is pending. */
void free_all_live(struct zs_pool *pool);

/* Borrow the pool's; NULL while another task has it. Never waits. */
struct free_scratch *free_scratch_try_get(struct zs_pool *pool);
void free_scratch_put(struct zs_pool *pool);

/*
 * Release the pages and descriptors of zspages of @c that zspage_update_fullness()
 * declared dead. Context: any, no class lock. Returns how many pages.
 */
size_t free_dead_zspages(struct zs_pool *pool, struct size_class *c, struct zspage *dead);

#endif /* LETHE_FREE_H */
