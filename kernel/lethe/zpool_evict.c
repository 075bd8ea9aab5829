// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Which object of a zpool goes to the disk next: a clock. Its hand goes around the
 * handles. An object that was stored since the hand was there last stays for a turn.
 *
 * A handle is freed once, and not while the kernel evicts it. Its bit `stored` says that
 * it may be evicted; of a free and the clock, the one that clears the bit has the handle.
 * If that is the clock, a free only notes that it was there.
 *
 * Lock order: shrinking, which is held while objects are written to the disk; lock.
 */
#include "zpool_evict.h"

#ifdef COMPAT_ZPOOL_EVICTS

#include <linux/bitops.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/zpool.h>

#include <lethe/zsmalloc.h>

/* Bits of so many handles are in a page. */
#define LEAF_HANDLES (PAGE_SIZE * BITS_PER_BYTE / 2)
/* Handles are less than 2^32, and of those the table has 2^27. */
#define LEAVES ((1ul << 27) / LEAF_HANDLES + 1)

/* Objects that are written to the disk before their pages are counted; rounds. */
#define EVICT_ROUND 8
#define EVICT_ROUNDS 16

struct evict_leaf {
	unsigned long stored[LEAF_HANDLES / BITS_PER_LONG];
	unsigned long
		young[LEAF_HANDLES / BITS_PER_LONG]; /* the hand was not there since */
};

int evictor_init(struct evictor *e, struct zs_pool *pool, struct zpool *zpool,
		 const struct zpool_ops *ops)
{
	BUILD_BUG_ON(sizeof(struct evict_leaf) != PAGE_SIZE);
	*e = (struct evictor){.pool = pool, .zpool = zpool, .ops = ops};
	mutex_init(&e->shrinking);
	spin_lock_init(&e->lock);
	e->leaf = kvcalloc(LEAVES, sizeof(*e->leaf), GFP_KERNEL);
	return e->leaf ? 0 : -ENOMEM;
}

void evictor_fini(struct evictor *e)
{
	unsigned long i;

	for (i = 0; i < LEAVES; i++)
		free_page((unsigned long)e->leaf[i]);
	kvfree(e->leaf);
}

static struct evict_leaf *leaf_of(const struct evictor *e, unsigned long handle)
{
	return READ_ONCE(e->leaf[handle / LEAF_HANDLES]);
}

int evictor_know(struct evictor *e, unsigned long handle)
{
	struct evict_leaf *leaf = leaf_of(e, handle);
	unsigned long nr = handle / LEAF_HANDLES;

	if (likely(leaf))
		return 0;
	leaf = (struct evict_leaf *)get_zeroed_page(GFP_NOWAIT | __GFP_NOWARN);
	if (!leaf)
		return -ENOMEM;
	if (cmpxchg(&e->leaf[nr], NULL, leaf))
		free_page((unsigned long)leaf);
	spin_lock(&e->lock);
	e->end = max(e->end, (nr + 1) * LEAF_HANDLES);
	spin_unlock(&e->lock);
	return 0;
}

void evictor_stored(struct evictor *e, unsigned long handle)
{
	struct evict_leaf *leaf = leaf_of(e, handle);

	set_bit(handle % LEAF_HANDLES, leaf->young);
	smp_mb__before_atomic(); /* the content, before the clock sees the bit */
	set_bit(handle % LEAF_HANDLES, leaf->stored);
}

bool evictor_forget(struct evictor *e, unsigned long handle)
{
	bool evicting;

	if (test_and_clear_bit(handle % LEAF_HANDLES, leaf_of(e, handle)->stored))
		return true;
	/* It was never stored, or the clock has it. */
	spin_lock(&e->lock);
	evicting = e->evicting == handle;
	e->freed |= evicting;
	spin_unlock(&e->lock);
	return !evicting;
}

/* The next of the handles of a leaf, from bit @at on, that may be evicted; or its end. */
static unsigned long leaf_next(struct evict_leaf *leaf, unsigned long at)
{
	for (;; at++) {
		at = find_next_bit(leaf->stored, LEAF_HANDLES, at);
		if (at >= LEAF_HANDLES || !test_and_clear_bit(at, leaf->young))
			return at;
	}
}

/* Move the hand to the next handle that may be evicted. False: two turns, and none. */
static bool hand_next(struct evictor *e)
{
	unsigned long end, turn, left;

	spin_lock(&e->lock);
	end = e->end;
	spin_unlock(&e->lock);
	for (left = 2 * (end / LEAF_HANDLES) + 1, turn = e->hand + 1; end && left;
	     left--) {
		unsigned long base, at;

		turn = turn < end ? turn : 0;
		base = turn - turn % LEAF_HANDLES;
		at = leaf_of(e, turn) ? leaf_next(leaf_of(e, turn), turn - base)
				      : LEAF_HANDLES;
		if (at < LEAF_HANDLES) {
			e->hand = base + at;
			return true;
		}
		turn = base + LEAF_HANDLES;
	}
	return false;
}

/* Have the kernel write the object under the hand to the disk. */
static void evict(struct evictor *e)
{
	unsigned long handle = e->hand;
	struct evict_leaf *leaf = leaf_of(e, handle);
	bool freed;

	spin_lock(&e->lock);
	if (!test_and_clear_bit(handle % LEAF_HANDLES, leaf->stored)) {
		spin_unlock(&e->lock);
		return; /* a free was first */
	}
	e->evicting = handle;
	e->freed = false;
	spin_unlock(&e->lock);
	e->ops->evict(e->zpool, handle);
	spin_lock(&e->lock);
	freed = e->freed;
	e->evicting = 0;
	if (!freed)
		set_bit(handle % LEAF_HANDLES, leaf->stored); /* it cannot be now */
	spin_unlock(&e->lock);
	if (freed)
		zs_free_deferred(e->pool, handle);
}

/* Pages that the pool has less than @before, after all that can be done at once. */
static unsigned int pages_back(struct evictor *e, size_t before, unsigned int want)
{
	size_t now;

	zs_drain_deferred(e->pool, ZS_FLUSH_SHRINKER, 0);
	now = zs_get_total_pages(e->pool);
	if (before < now + want) {
		zs_compact_pages(e->pool, now + want - before);
		now = zs_get_total_pages(e->pool);
	}
	return before > now ? (unsigned int)(before - now) : 0;
}

unsigned int evictor_shrink(struct evictor *e, unsigned int pages)
{
	size_t before = zs_get_total_pages(e->pool);
	unsigned int round, i, back;

	mutex_lock(&e->shrinking);
	back = pages_back(e, before, pages);
	for (round = 0; back < pages && round < EVICT_ROUNDS; round++) {
		for (i = 0; i < EVICT_ROUND && hand_next(e); i++)
			evict(e);
		if (!i)
			break;
		back = pages_back(e, before, pages);
	}
	mutex_unlock(&e->shrinking);
	return back;
}

#endif
