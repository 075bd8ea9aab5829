/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Compaction: objects of the emptiest zspages of a class move into its fullest,
 * until no further zspage could be emptied, or the caller has the pages it wants.
 *
 * Lock order: one class lock at a time, held for at most one source zspage
 * (256 objects). Compactions of one pool exclude each other by that alone: all move
 * objects from the emptiest zspages to the fullest. [P6]
 *
 * A pending object moves like any other: its handle is pending, not its place.
 *
 * While an object moves, its entry may become pending, and nothing else: a reader that
 * wants to pin it waits, and a free needs the class lock. So compaction changes the
 * entry by a difference, which keeps the pending bit. [P3]
 */
#include "pool.h"

/* How many zspages could be emptied: do the holes add up to one or more? */
static size_t class_compactable(const struct size_class *c)
{
	u64 room = port_atomic_load(&c->zspages) * c->objs;
	u64 objects = port_atomic_load(&c->objects);

	/* Read without the lock, the counters may not belong together. */
	return room > objects ? (size_t)(room - objects) / c->objs : 0;
}

size_t zs_compactable_pages(struct zs_pool *pool)
{
	size_t pages = 0;
	unsigned int i;

	for (i = 0; i < pool->table.nr; i++)
		pages += class_compactable(pool->classes[i]) * pool->classes[i]->pages;
	return pages;
}

/* The emptiest zspage that run @gen has not found stuck, or NULL. */
static struct zspage *compact_source(const struct size_class *c, u8 gen)
{
	unsigned int g;

	for (g = 0; g < ZSPAGE_GROUPS; g++) {
		struct zspage *z = c->group[g];

		while (z && z->stuck == gen)
			z = z->next;
		if (z)
			return z;
	}
	return NULL;
}

/* The fullest zspage with room, other than @src, or NULL. */
static struct zspage *compact_target(const struct size_class *c, const struct zspage *src)
{
	unsigned int g;

	for (g = ZSPAGE_GROUPS; g-- > 0;) {
		struct zspage *z = c->group[g];

		if (z == src)
			z = z->next;
		if (z)
			return z;
	}
	return NULL;
}

static void object_copy(const struct size_class *c, struct zspage *to,
			unsigned int to_obj, struct zspage *from, unsigned int from_obj)
{
	size_t done, room;

	for (done = 0; done < c->size; done += room) {
		const char *bytes = zspage_at(c, from, from_obj, done, &room);

		if (room > c->size - done)
			room = c->size - done;
		zspage_write(c, to, to_obj, done, bytes, room);
	}
}

/* Move one object, and its back reference. False: it is pinned, not moved. */
static bool compact_move(struct zs_pool *pool, struct size_class *c, struct zspage *from,
			 unsigned int from_obj, struct zspage *to)
{
	u32 ref = zspage_refs(c, from)[from_obj];
	port_atomic *entry = table_value(&pool->handles, ref);
	unsigned int to_obj;

	if (!entry_claim(entry))
		return false;
	to_obj = zspage_take(c, to, ref);
	object_copy(c, to, to_obj, from, from_obj);
	zspage_clear(from, from_obj);
	/*
	 * Release: a reader that pins the object at its new place sees the copy. By a
	 * difference: see the top of this file.
	 */
	port_atomic_sub_return_release(entry, entry_make(c->index, from, from_obj) +
						      ENTRY_MOVING -
						      entry_make(c->index, to, to_obj));
	return true;
}

/*
 * Move objects out of @src. False: it is stuck, as one is pinned, or has nowhere to go.
 */
static bool compact_zspage(struct zs_pool *pool, struct size_class *c, struct zspage *src,
			   u8 gen, struct zspage **dead)
{
	unsigned int moved = 0;
	unsigned int obj;
	bool done = true;

	for (obj = 0; obj < c->objs && done; obj++) {
		struct zspage *to;

		if (!zspage_is_live(src, obj))
			continue;
		to = compact_target(c, src);
		/* A reader that wants to pin the object spins while it moves. */
		port_preempt_off();
		done = to && compact_move(pool, c, src, obj, to);
		port_preempt_on();
		moved += done;
	}
	if (!done)
		src->stuck = gen;
	if (moved)
		zspage_update_fullness(c, src, moved, dead);
	return done;
}

/*
 * A class with so many stuck zspages is left for this run: each look for the emptiest
 * zspage passes over them, under the lock.
 */
#define COMPACT_STUCK_MOST 16

/*
 * Until @want pages are back, or no zspage of the class can be emptied. Each round
 * empties a zspage or marks it stuck for this run; there are no
 * more rounds than the class had zspages at the beginning. So it ends, whatever other
 * tasks allocate and free meanwhile. Without pins, and with no other task at work, the
 * class has the fewest pages possible afterwards. [P5]
 */
static size_t class_compact(struct zs_pool *pool, struct size_class *c, size_t want)
{
	u64 rounds = port_atomic_load(&c->zspages);
	struct zspage *dead = NULL;
	struct zspage *src;
	unsigned int stuck = 0;
	size_t pages = 0;
	u8 gen;

	port_spin_lock(&c->lock);
	/*
	 * Runs are numbered 1 to 255, as a new zspage is marked 0. Numbers repeat: a
	 * zspage that was marked 255 runs ago is skipped in this run.
	 */
	gen = (u8)(c->compact_gen++ % 255 + 1);
	port_spin_unlock(&c->lock);
	do {
		src = NULL;
		port_spin_lock(&c->lock);
		if (class_compactable(c) && pages < want && rounds-- &&
		    stuck < COMPACT_STUCK_MOST)
			src = compact_source(c, gen);
		if (src && !compact_zspage(pool, c, src, gen, &dead))
			stuck++;
		port_spin_unlock(&c->lock);
		if (dead) {
			pages += free_dead_zspages(pool, c, dead);
			dead = NULL;
		}
		port_yield();
	} while (src);
	return pages;
}

static size_t compact_pages(struct zs_pool *pool, size_t want)
{
	size_t pages = 0;
	unsigned int i, first;

	/* Where the last call stopped: its class may have more to give. */
	first = (unsigned int)port_atomic_load(&pool->compact_from);
	for (i = 0; i < pool->table.nr && pages < want; i++) {
		unsigned int k = (first + i) % pool->table.nr;

		port_atomic_store(&pool->compact_from, k);
		if (class_compactable(pool->classes[k]))
			pages += class_compact(pool, pool->classes[k], want - pages);
	}
	port_atomic_add(&pool->pages_compacted, pages);
	return pages;
}

/* Leaves of the handle table that a bounded compaction looks at: 64 bytes of each */
#define COMPACT_LEAVES 256

size_t zs_compact_pages(struct zs_pool *pool, size_t want)
{
	size_t pages = compact_pages(pool, want);

	table_shrink(&pool->handles, COMPACT_LEAVES);
	return pages;
}

size_t zs_compact(struct zs_pool *pool)
{
	size_t pages;

	zs_drain_deferred(pool, ZS_FLUSH_COMPACT, 0);
	pages = compact_pages(pool, ~(size_t)0);
	table_shrink(&pool->handles, ~(u32)0);
	port_pages_trim();
	return pages;
}
