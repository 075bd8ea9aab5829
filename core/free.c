/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Freeing, one object or many.
 *
 * Lock order: one class lock at a time, and nothing else under it.
 *
 * Why reading an entry before its class lock is safe: the class of a live
 * entry does not change, so it names the right lock. Zspage and object may
 * change until the lock is held (compaction), so they are read again under it.
 */
#include "free.h"
#include "pool.h"

/* May the object be freed by someone who holds the lock of class @index? */
static bool entry_is_freeable(u64 entry, unsigned int class_index)
{
	return (entry & (ENTRY_LIVE | ENTRY_PINS)) == ENTRY_LIVE &&
	       entry_class(entry) == class_index;
}

void zs_free(struct zs_pool *pool, unsigned long handle)
{
	struct zspage *dead = NULL;
	struct size_class *c;
	struct zspage *z;
	port_atomic *entry;
	u64 e;

	if (handle_is_void(handle))
		return;
	entry = pool_entry(pool, handle);
	e = entry ? port_atomic_load(entry) : 0;
	if (unlikely(!(e & ENTRY_LIVE))) {
		pool_misuse(pool, handle, "zs_free", "not allocated");
		return;
	}
	if (unlikely(itable_is_marked(&pool->handles, index_of_handle(handle)))) {
		pool_misuse(pool, handle, "zs_free", "pending already");
		return;
	}
	c = pool->classes[entry_class(e)];
	port_spin_lock(&c->lock);
	e = port_atomic_load(entry);
	if (unlikely(!entry_is_freeable(e, c->index))) {
		port_spin_unlock(&c->lock);
		pool_misuse(pool, handle, "zs_free", "freed already, or in use");
		return;
	}
	z = pool_zspage(pool, entry_zspage(e));
	zspage_clear(z, entry_obj(e));
	port_atomic_store(entry, 0);
	zspage_settle(c, z, 1, &dead);
	port_spin_unlock(&c->lock);

	itable_put(&pool->handles, index_of_handle(handle) & ~63u,
		   (u64)1 << (index_of_handle(handle) % 64));
	if (dead)
		free_dead_zspages(pool, c, dead);
}

#define CHAIN_END ((u16)0xffff)

/* Heads of the chains of a batch, by class; valid where the bit is set. */
struct class_chains {
	u64 used[SIZE_CLASS_MAX / 64];
	u16 head[SIZE_CLASS_MAX];
};

/* Chain the indices by class, each chain ascending. Not live: FREE_REFUSED. */
static void chain_by_class(struct zs_pool *pool, u32 *index, u16 *next, size_t n,
			   struct class_chains *chains, const char *call)
{
	size_t i;

	port_memset(chains->used, 0, sizeof(chains->used));
	/* Each index goes to the head of its chain, so: from the last to the first. */
	for (i = n; i-- > 0;) {
		u64 e = port_atomic_load(itable_value(&pool->handles, index[i]));
		unsigned int class_index = entry_class(e);
		u64 bit = (u64)1 << (class_index % 64);

		if (unlikely(!(e & ENTRY_LIVE))) {
			pool_misuse(pool, handle_of_index(index[i]), call,
				    "not allocated");
			index[i] = FREE_REFUSED;
			continue;
		}
		next[i] = chains->used[class_index / 64] & bit ? chains->head[class_index]
							       : CHAIN_END;
		chains->used[class_index / 64] |= bit;
		chains->head[class_index] = (u16)i;
	}
}

/*
 * Free up to FREE_LOCK_SLICE objects of the chain from @i on, in one hold of
 * the lock, with one update a run of objects of one zspage. Returns where the
 * chain goes on; zspages left without objects are on *@dead. An object that
 * cannot be freed ends the slice, so that it is reported without the lock.
 */
static u16 free_class_slice(struct zs_pool *pool, struct size_class *c, u32 *index,
			    const u16 *next, u16 i, struct zspage **dead,
			    const char *call)
{
	u32 refused = FREE_REFUSED;
	struct zspage *z = NULL;
	unsigned int cleared = 0;
	unsigned int held;
	u32 id = 0;

	port_spin_lock(&c->lock);
	for (held = 0; i != CHAIN_END && held < FREE_LOCK_SLICE; i = next[i], held++) {
		port_atomic *entry = itable_value(&pool->handles, index[i]);
		u64 e = port_atomic_load(entry);

		if (unlikely(!entry_is_freeable(e, c->index))) {
			refused = index[i];
			index[i] = FREE_REFUSED;
			i = next[i];
			break;
		}
		if (!z || entry_zspage(e) != id) {
			if (z)
				zspage_settle(c, z, cleared, dead);
			id = entry_zspage(e);
			z = pool_zspage(pool, id);
			cleared = 0;
		}
		zspage_clear(z, entry_obj(e));
		port_atomic_store(entry, 0);
		cleared++;
	}
	if (z)
		zspage_settle(c, z, cleared, dead);
	port_spin_unlock(&c->lock);
	if (unlikely(refused != FREE_REFUSED))
		pool_misuse(pool, handle_of_index(refused), call,
			    "freed already, or in use");
	return i;
}

/* Give the handles back, a word of the table at a time. Returns how many. */
static size_t put_handles(struct zs_pool *pool, const u32 *index, size_t n)
{
	size_t freed = 0;
	u64 bits = 0;
	u32 base = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (unlikely(index[i] == FREE_REFUSED))
			continue;
		if (bits && (index[i] & ~63u) != base) {
			itable_put(&pool->handles, base, bits);
			bits = 0;
		}
		base = index[i] & ~63u;
		bits |= (u64)1 << (index[i] % 64);
		freed++;
	}
	if (bits)
		itable_put(&pool->handles, base, bits);
	return freed;
}

size_t free_indices(struct zs_pool *pool, u32 *index, u16 *next, size_t n,
		    const char *call)
{
	struct class_chains chains;
	unsigned int w;

	chain_by_class(pool, index, next, n, &chains, call);
	for (w = 0; w < SIZE_CLASS_MAX / 64; w++) {
		u64 used = chains.used[w];

		for (; used; used &= used - 1) {
			unsigned int k = w * 64 + port_ctz64(used);
			struct size_class *c = pool->classes[k];
			struct zspage *dead = NULL;
			u16 i = chains.head[k];

			while (i != CHAIN_END)
				i = free_class_slice(pool, c, index, next, i, &dead,
						     call);
			if (dead)
				free_dead_zspages(pool, c, dead);
		}
	}
	return put_handles(pool, index, n);
}

/* Free handles[0..n-1] by way of scratch; those not in the table are refused. */
static void free_handles(struct zs_pool *pool, const unsigned long *handles, size_t n,
			 u32 *index, u16 *next)
{
	size_t filled = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (handle_is_void(handles[i]))
			continue;
		if (unlikely(!pool_entry(pool, handles[i])))
			pool_misuse(pool, handles[i], "zs_free_batch", "not allocated");
		else if (unlikely(itable_is_marked(&pool->handles,
						   index_of_handle(handles[i]))))
			pool_misuse(pool, handles[i], "zs_free_batch", "pending already");
		else
			index[filled++] = index_of_handle(handles[i]);
	}
	free_indices(pool, index, next, filled, "zs_free_batch");
}

static PORT_NOINLINE void free_small_batch(struct zs_pool *pool,
					   const unsigned long *handles, size_t n)
{
	u32 index[FREE_SMALL_BATCH];
	u16 next[FREE_SMALL_BATCH];

	free_handles(pool, handles, n, index, next);
}

void zs_free_batch(struct zs_pool *pool, const unsigned long *handles, size_t n)
{
	struct free_scratch *scratch = NULL;
	size_t most = FREE_SMALL_BATCH;
	size_t done, step;

	if (n > FREE_SMALL_BATCH)
		scratch = free_scratch_try_get(pool);
	if (scratch)
		most = FREE_LARGE_BATCH;
	for (done = 0; done < n; done += step) {
		step = n - done < most ? n - done : most;
		if (scratch)
			free_handles(pool, handles + done, step, scratch->index,
				     scratch->next);
		else
			free_small_batch(pool, handles + done, step);
	}
	if (scratch)
		free_scratch_put(pool);
}

size_t free_dead_zspages(struct zs_pool *pool, struct size_class *c, struct zspage *dead)
{
	struct zspage *z;
	size_t pages;

	for (z = dead; z; z = z->next)
		itable_put(&pool->zspages, z->id & ~63u, (u64)1 << (z->id % 64));
	pages = zspage_destroy_list(c, dead);
	port_atomic_add(&pool->pages, -(u64)pages);
	return pages;
}

struct free_scratch *free_scratch_try_get(struct zs_pool *pool)
{
	/* Acquire pairs with the release in free_scratch_put(). */
	u64 idle = 0;

	if (port_atomic_load(&pool->scratch_busy) ||
	    !port_atomic_cmpxchg_acquire(&pool->scratch_busy, &idle, 1))
		return NULL;
	return pool->scratch;
}

void free_scratch_put(struct zs_pool *pool)
{
	port_atomic_store_release(&pool->scratch_busy, 0);
}
