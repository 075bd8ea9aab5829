/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The percpu policy: each CPU slot fills a block of handles; full blocks go to a
 * lock-free list, and drains empty whole blocks.
 *
 * Invariant: a block is owned by exactly one of: the list of spare ones; the list
 * of full ones (which may hold partly used ones too); a slot, in its `block`; a
 * push, which has put PERCPU_OPEN there; a pass or a helper that drains it.
 * Ownership changes by a compare-and-swap or an exchange, each fully ordered, so
 * whoever owns a block may use it as plain memory.
 *
 * Who arms the worker? A push that puts the first handle into a block, since
 * whatever is pushed after it into the same block is taken together with it. A
 * drain that finds a block open waits: a push is a few instructions.
 *
 * A pass is finite, and finds all that was pushed before it began: it takes the
 * list of full blocks, then what each slot has, then the list once more, for
 * blocks that have become full between the first look at the list and the look
 * at their slot.
 */
#include "defer_credit.h"

_Static_assert(PERCPU_HANDLES >= 1, "a block takes something");

/* ---- lists of blocks: the upper half of a head counts changes, against ABA ---- */

static struct percpu_block *block_of(struct zs_pool *pool, u32 nr)
{
	return &pool->defer.percpu.blocks[nr - 1];
}

static void list_push(struct zs_pool *pool, port_atomic *head, u32 nr)
{
	u64 old = port_atomic_load(head);

	do {
		port_atomic_store(&block_of(pool, nr)->next, (u32)old);
	} while (!port_atomic_cmpxchg(head, &old, ((old >> 32) + 1) << 32 | nr));
}

/* The number of a block, or 0. */
static u32 list_pop(struct zs_pool *pool, port_atomic *head)
{
	u64 old, next;

	do {
		/*
		 * Acquire, each time: what a failed swap has found is not ordered
		 * before the look at the block, which may then be older than the
		 * push that put it there, and nobody would notice.
		 */
		old = port_atomic_load_acquire(head);
		if (!(u32)old)
			return 0;
		/* Stale if the block has been popped meanwhile: then we try again. */
		next = port_atomic_load(&block_of(pool, (u32)old)->next);
	} while (!port_atomic_cmpxchg(head, &old, ((old >> 32) + 1) << 32 | next));
	return (u32)old;
}

/* All of a list, as a chain by `next`. */
static u32 list_take(port_atomic *head)
{
	u64 old = port_atomic_load_acquire(head);

	do {
		if (!(u32)old)
			return 0;
	} while (!port_atomic_cmpxchg(head, &old, ((old >> 32) + 1) << 32));
	return (u32)old;
}

/* ---- pushing ---- */

/* The slot's block, or a spare one; 0: there is none. Pre: @slot is held. */
static u32 block_open(struct zs_pool *pool, struct pool_slot *slot)
{
	u64 nr = port_atomic_xchg(&slot->block, PERCPU_OPEN);

	if (unlikely(nr == PERCPU_NONE)) {
		nr = list_pop(pool, &pool->defer.percpu.spare);
		if (!nr)
			port_atomic_store_release(&slot->block, PERCPU_NONE);
	}
	return (u32)nr;
}

/* Undoes block_open(), fully ordered. */
static void block_close(struct zs_pool *pool, struct pool_slot *slot, u32 nr)
{
	if (likely(block_of(pool, nr)->used < PERCPU_HANDLES)) {
		port_atomic_xchg(&slot->block, nr);
		return;
	}
	/* First to the list, so that a drain which waits for us finds it there. */
	list_push(pool, &pool->defer.percpu.full, nr);
	port_atomic_xchg(&slot->block, PERCPU_NONE);
}

enum defer_push_result defer_percpu_push(struct zs_pool *pool, struct pool_slot *slot,
					 const struct handle_place *at)
{
	enum defer_push_result result = DEFER_CANNOT;
	bool low = false, first = false;
	struct percpu_block *block;
	u32 nr;

	if (unlikely(!defer_credit_take(pool, slot, &low)))
		goto out;
	/* A pass spins while the block is open. */
	port_preempt_off();
	nr = block_open(pool, slot);
	if (unlikely(!nr))
		goto no_block;
	block = block_of(pool, nr);
	result = DEFER_MISUSE;
	if (likely(entry_set_pending(at->entry, port_atomic_load(at->entry)))) {
		result = DEFER_PUSHED;
		first = !block->used;
		block->index[block->used++] = at->index;
		port_counter_add(&slot->queued, 1);
	}
	block_close(pool, slot, nr);
no_block:
	port_preempt_on();
	if (unlikely(result != DEFER_PUSHED))
		slot->credit++;
out:
	port_cpu_put();
	if (unlikely(low))
		defer_arm(pool, DEFER_NOW);
	else if (unlikely(first))
		defer_arm(pool, DEFER_SOON);
	return result;
}

/* ---- draining ---- */

/*
 * Move up to @max handles out of block @nr, which the caller owns, and let it go:
 * with a remainder back to @pass, or without one to the list.
 */
static size_t block_drain(struct zs_pool *pool, struct defer_pass *pass, u32 nr,
			  u32 *index, size_t max)
{
	struct defer_percpu *p = &pool->defer.percpu;
	struct percpu_block *block = block_of(pool, nr);
	size_t n = block->used < max ? block->used : max;

	block->used -= (u32)n;
	port_memcpy(index, &block->index[block->used], n * sizeof(*index));
	if (!block->used) {
		list_push(pool, &p->spare, nr);
	} else if (!pass) {
		list_push(pool, &p->full, nr);
	} else {
		port_atomic_store(&block->next, pass->chain);
		pass->chain = nr;
	}
	return n;
}

/* Take away the block that a slot is filling; 0: it has none. */
static u32 block_steal(struct pool_slot *slot)
{
	u64 nr = port_atomic_load(&slot->block);

	for (;;) {
		if (nr == PERCPU_NONE)
			return 0;
		if (nr == PERCPU_OPEN) {
			port_cpu_relax();
			nr = port_atomic_load(&slot->block);
		} else if (port_atomic_cmpxchg(&slot->block, &nr, PERCPU_NONE)) {
			return (u32)nr;
		}
	}
}

/* The first of the pass's own blocks, or 0. */
static u32 chain_pop(struct zs_pool *pool, struct defer_pass *pass)
{
	u32 nr = pass->chain;

	if (nr)
		pass->chain = (u32)port_atomic_load(&block_of(pool, nr)->next);
	return nr;
}

/* The next block of a pass, or 0 at its end. Steps: list, each slot, list. */
static u32 pass_block(struct zs_pool *pool, struct defer_pass *pass)
{
	u32 last = port_cpu_slots() + 1;
	u32 nr = chain_pop(pool, pass);

	while (!nr && pass->step <= last) {
		u32 step = pass->step++;

		if (step == 0 || step == last) {
			pass->chain = list_take(&pool->defer.percpu.full);
			nr = chain_pop(pool, pass);
		} else {
			nr = block_steal(&pool->slots[step - 1]);
		}
	}
	return nr;
}

static size_t percpu_take(struct zs_pool *pool, struct defer_pass *pass, u32 *index,
			  size_t max)
{
	size_t n = 0;
	u32 nr;

	/* Whole blocks, but for callers who have no room for one. */
	while (!n || max - n >= PERCPU_HANDLES) {
		nr = pass_block(pool, pass);
		if (!nr)
			break;
		n += block_drain(pool, pass, nr, index + n, max - n);
	}
	return n;
}

static void percpu_end(struct zs_pool *pool, struct defer_pass *pass)
{
	u32 nr;

	while ((nr = chain_pop(pool, pass))) {
		list_push(pool, &pool->defer.percpu.full, nr);
		pass->step = 0;
	}
}

static size_t percpu_take_some(struct zs_pool *pool, u32 near, u32 *index, size_t max)
{
	u32 nr = list_pop(pool, &pool->defer.percpu.full);
	unsigned int i;

	(void)near;
	for (i = 0; !nr && i < port_cpu_slots(); i++)
		nr = block_steal(&pool->slots[i]);
	return nr ? block_drain(pool, NULL, nr, index, max) : 0;
}

/* ---- set-up ---- */

/* Enough for the budget, for each slot to fill one, and for each to drain one. */
static size_t percpu_nr_blocks(const struct zs_pool *pool)
{
	return pool->defer.budget / PERCPU_HANDLES + 1 + 2 * (size_t)port_cpu_slots();
}

static size_t percpu_queue_bytes(const struct zs_pool *pool)
{
	return percpu_nr_blocks(pool) * sizeof(struct percpu_block);
}

/* An eighth of memory's pages: the queue is then 0.012 % of memory. */
static size_t percpu_default_budget(void)
{
	return defer_budget_of_memory(8);
}

static int percpu_init(struct zs_pool *pool)
{
	struct defer_percpu *p = &pool->defer.percpu;
	size_t nr;

	if (pool->defer.budget > ~(u32)0)
		return -PORT_EINVAL;
	p->blocks = port_meta_alloc(percpu_queue_bytes(pool), PORT_ALLOC_WAIT);
	if (!p->blocks)
		return -PORT_ENOMEM;
	for (nr = percpu_nr_blocks(pool); nr; nr--)
		list_push(pool, &p->spare, (u32)nr);
	defer_credit_init(pool);
	return 0;
}

static void percpu_fini(struct zs_pool *pool)
{
	port_meta_free(pool->defer.percpu.blocks, percpu_queue_bytes(pool));
}

const struct defer_policy_ops defer_percpu_ops = {
	.default_budget = percpu_default_budget,
	.threshold_most = DEFER_EARLY_THRESHOLD,
	.init = percpu_init,
	.fini = percpu_fini,
	.queue_bytes = percpu_queue_bytes,
	.take = percpu_take,
	.take_some = percpu_take_some,
	.end = percpu_end,
	.freed = defer_credit_freed,
};
