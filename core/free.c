/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Freeing, one object or many.
 *
 * Lock order: one class lock at a time, and nothing else under it. An entry is read
 * before its class lock, which it names, and again under it: see handle.h.
 *
 * A pending handle is freed exactly once, though several drains may find it. Under the
 * class lock the first finds it pending and clears its entry; the next finds it not
 * pending and passes over it (free_refuse()). If the handle is pending again by then,
 * the drain frees it in the same class, and in another leaves it to the drain that its
 * push leads to. A drain counts, and returns credit for, what it has freed and not what
 * it has taken. [H4]
 *
 * An index returns to the table after its entry is 0, and leaves the table before it is
 * used: by a CPU slot's cursor, which one holder hands to the next with the slot, or by
 * table_put() (fully ordered) and table_cursor_refill() (an exchange). [H6]
 */
#include "free.h"
#include "pool.h"

_Static_assert(FREE_LOCK_SLICE >= 1, "a slice frees something");
_Static_assert(FREE_SMALL_BATCH >= TABLE_STEP && FREE_LARGE_BATCH >= FREE_SMALL_BATCH,
	       "any batch takes a step of the table");

/* May the holder of the lock of class @class_index free the object? */
static bool entry_is_freeable(u64 entry, u64 want, unsigned int class_index)
{
	return (entry & (ENTRY_LIVE | ENTRY_PENDING | ENTRY_PINS)) == want &&
	       entry_class(entry) == class_index;
}

const char *free_misuse(u64 entry)
{
	if (!(entry & ENTRY_LIVE))
		return "not allocated";
	return entry & ENTRY_PENDING ? "pending already" : "in use";
}

/* The object of @index was not freed, as its @entry is not what was wanted. */
static PORT_NOINLINE void free_refuse(struct zs_pool *pool, u32 index, u64 entry,
				      u64 want, const char *call)
{
	/*
	 * Another drain was first. If the handle is pending again by now, in another
	 * class, its push leads a drain to it.
	 */
	if (want == FREE_DIRECT)
		pool_misuse(pool, handle_of_index(index), call, free_misuse(entry));
}

/*
 * Free one object, whose entry read @e, in @call. Post: the slot is let go. The path of
 * every free that is not deferred, so as short as can be.
 */
static PORT_ALWAYS_INLINE void free_one(struct zs_pool *pool, struct pool_slot *slot,
					const struct handle_place *at, u64 e, u64 want,
					const char *call)
{
	struct size_class *c = pool->classes[entry_class(e)];
	struct zspage *dead = NULL;
	struct zspage *z;

	port_spin_lock(&c->lock);
	e = port_atomic_load(at->entry);
	if (unlikely(!entry_is_freeable(e, want, c->index))) {
		port_spin_unlock(&c->lock);
		port_cpu_put();
		free_refuse(pool, at->index, e, want, call);
		return;
	}
	z = entry_zspage(e);
	zspage_clear(z, entry_obj(e));
	port_atomic_store(at->entry, 0);
	zspage_update_fullness(c, z, 1, &dead);
	port_spin_unlock(&c->lock);
	table_cursor_put(&pool->handles, &slot->freed, at->index);
	port_cpu_put();
	if (dead)
		free_dead_zspages(pool, c, dead);
}

/* Free an object that is live and not pending. Post: the slot is let go. */
static PORT_ALWAYS_INLINE void free_direct(struct zs_pool *pool, struct pool_slot *slot,
					   const struct handle_place *at,
					   const char *call)
{
	u64 e = port_atomic_load(at->entry);

	if (likely((e & FREE_PENDING) == FREE_DIRECT)) {
		free_one(pool, slot, at, e, FREE_DIRECT, call);
		return;
	}
	port_cpu_put();
	pool_misuse(pool, handle_of_index(at->index), call, free_misuse(e));
}

void zs_free(struct zs_pool *pool, unsigned long handle)
{
	struct pool_slot *slot = &pool->slots[port_cpu_get()];
	struct handle_place at;

	if (likely(slot_find(pool, slot, handle, &at))) {
		free_direct(pool, slot, &at, "zs_free");
		return;
	}
	port_cpu_put();
	if (!handle_is_void(handle))
		pool_misuse(pool, handle, "zs_free", "not allocated");
}

void free_fallback(struct zs_pool *pool, struct pool_slot *slot,
		   const struct handle_place *at)
{
	if (likely(entry_is_idle(port_atomic_load(at->entry))))
		port_counter_add(&slot->fallback, 1);
	free_direct(pool, slot, at, "zs_free_deferred");
}

#define CHAIN_END ((u16)0xffff)
_Static_assert(FREE_LARGE_BATCH <= CHAIN_END, "an index of a batch is not the end");

/* Heads of the chains of a batch, by class; valid where the bit is set. */
struct class_chains {
	u64 used[SIZE_CLASS_MAX / 64];
	u16 head[SIZE_CLASS_MAX];
};

/* A handle index that was refused: part of no chain, not to be given back. */
#define REFUSED (~(u32)0)

/* Chain the indices by class, each chain ascending. */
static void chain_by_class(struct zs_pool *pool, u32 *index, u16 *next, size_t n,
			   u64 want, struct class_chains *chains, const char *call)
{
	size_t i;

	port_memset(chains->used, 0, sizeof(chains->used));
	/* From the last to the first, as each index goes to the head of its chain. */
	for (i = n; i-- > 0;) {
		u64 e = port_atomic_load(table_value(&pool->handles, index[i]));
		unsigned int class_index = entry_class(e);
		u64 bit = (u64)1 << (class_index % 64);

		if (unlikely((e & FREE_PENDING) != want)) {
			free_refuse(pool, index[i], e, want, call);
			index[i] = REFUSED;
			continue;
		}
		/* Cold, and needed when the chain's turn comes. */
		port_prefetch(entry_zspage(e));
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
			    const u16 *next, u16 i, u64 want, struct zspage **dead,
			    const char *call)
{
	struct zspage *z = NULL;
	unsigned int cleared = 0;
	unsigned int held;
	u32 refused = REFUSED;
	u64 e = 0;

	port_spin_lock(&c->lock);
	for (held = 0; i != CHAIN_END && held < FREE_LOCK_SLICE; i = next[i], held++) {
		port_atomic *entry = table_value(&pool->handles, index[i]);

		/*
		 * Acquire: pairs with the fully ordered push that made it pending, so
		 * that what its caller did with the object comes before the free. [H5]
		 */
		e = port_atomic_load_acquire(entry);
		if (unlikely(!entry_is_freeable(e, want, c->index))) {
			refused = index[i];
			index[i] = REFUSED;
			i = next[i];
			break;
		}
		if (entry_zspage(e) != z) {
			if (z)
				zspage_update_fullness(c, z, cleared, dead);
			z = entry_zspage(e);
			cleared = 0;
		}
		zspage_clear(z, entry_obj(e));
		port_atomic_store(entry, 0);
		cleared++;
	}
	if (z)
		zspage_update_fullness(c, z, cleared, dead);
	port_spin_unlock(&c->lock);
	if (unlikely(refused != REFUSED))
		free_refuse(pool, refused, e, want, call);
	return i;
}

/* Give the handles back, a word of the table at a time. Returns how many. */
static size_t put_handles(struct zs_pool *pool, const u32 *index, size_t n)
{
	struct table_cursor gathered = {0};
	size_t freed = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (unlikely(index[i] == REFUSED))
			continue;
		table_cursor_put(&pool->handles, &gathered, index[i]);
		freed++;
	}
	if (gathered.mask)
		table_put(&pool->handles, gathered.base, gathered.mask);
	return freed;
}

size_t free_indices(struct zs_pool *pool, u32 *index, u16 *next, size_t n, u64 want,
		    const char *call, size_t *pages)
{
	struct class_chains chains;
	unsigned int w;

	chain_by_class(pool, index, next, n, want, &chains, call);
	for (w = 0; w < SIZE_CLASS_MAX / 64; w++) {
		u64 used = chains.used[w];

		for (; used; used &= used - 1) {
			unsigned int k = w * 64 + port_ctz64(used);
			struct size_class *c = pool->classes[k];
			struct zspage *dead = NULL;
			u16 i = chains.head[k];

			while (i != CHAIN_END)
				i = free_class_slice(pool, c, index, next, i, want, &dead,
						     call);
			if (dead)
				*pages += free_dead_zspages(pool, c, dead);
		}
	}
	return put_handles(pool, index, n);
}

/* Free handles[0..n-1] by way of scratch; those not in the table are refused. */
static void free_handles(struct zs_pool *pool, const unsigned long *handles, size_t n,
			 u32 *index, u16 *next)
{
	size_t filled = 0, pages = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (handle_is_void(handles[i]))
			continue;
		if (unlikely(!pool_entry(pool, handles[i])))
			pool_misuse(pool, handles[i], "zs_free_batch", "not allocated");
		else
			index[filled++] = index_of_handle(handles[i]);
	}
	free_indices(pool, index, next, filled, FREE_DIRECT, "zs_free_batch", &pages);
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
	size_t done, step;

	for (done = 0; done < n; done += step) {
		struct free_scratch *scratch = NULL;

		/* Borrowed for a batch at a time, as drains want it, too. */
		step = n - done;
		if (step > FREE_SMALL_BATCH)
			scratch = free_scratch_try_get(pool);
		if (scratch) {
			step = step < FREE_LARGE_BATCH ? step : FREE_LARGE_BATCH;
			free_handles(pool, handles + done, step, scratch->index,
				     scratch->next);
			free_scratch_put(pool);
		} else {
			step = step < FREE_SMALL_BATCH ? step : FREE_SMALL_BATCH;
			free_small_batch(pool, handles + done, step);
		}
	}
}

size_t free_dead_zspages(struct zs_pool *pool, struct size_class *c, struct zspage *dead)
{
	size_t pages = zspage_destroy_list(c, dead);

	/*
	 * pool->pages counts a zspage from before its pages are allocated until after
	 * they were given back: with no task at work it is what the home has given. [Z3]
	 */
	port_atomic_add(&pool->pages, -(u64)pages);
	return pages;
}

void free_all_live(struct zs_pool *pool)
{
	struct free_scratch *s = pool->scratch;
	u64 end = table_end(&pool->handles);
	size_t n, pages = 0;
	u64 at = 0;

	while (at < end) {
		n = table_scan(&pool->handles, &at, FREE_DIRECT, s->index,
			       FREE_LARGE_BATCH);
		free_indices(pool, s->index, s->next, n, FREE_DIRECT, "zs_destroy_pool",
			     &pages);
		port_yield();
	}
}

struct free_scratch *free_scratch_try_get(struct zs_pool *pool)
{
	u64 idle = 0;

	/*
	 * One user at a time: acquire pairs with the release in free_scratch_put(). A
	 * drain that gets none frees 64 handles at a time, on its stack. [W4]
	 */
	if (!port_atomic_load(&pool->scratch_busy) &&
	    port_atomic_cmpxchg_acquire(&pool->scratch_busy, &idle, 1))
		return pool->scratch;
	return NULL;
}

void free_scratch_put(struct zs_pool *pool)
{
	port_atomic_store_release(&pool->scratch_busy, 0);
}
