/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Compaction: objects of the emptiest zspages of a class move into its fullest,
 * until no further zspage could be emptied.
 *
 * Lock order: one class lock at a time, held for at most one source zspage
 * (256 objects). One compaction of a pool at a time; a second returns at once.
 *
 * An object that is pending moves like any other: what is pending is its
 * handle, and the handle's entry is what changes.
 */
#include "pool.h"

/* Is there an emptied zspage to be had: do the holes add up to one? */
static bool class_can_compact(const struct size_class *c)
{
	return c->zspages * c->objs - c->objects >= c->objs;
}

/* The emptiest zspage that is not stuck, or NULL. */
static struct zspage *compact_source(const struct size_class *c)
{
	unsigned int g;

	for (g = 0; g < ZSPAGE_GROUPS; g++) {
		struct zspage *z = c->group[g];

		while (z && z->stuck)
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
	port_atomic *entry = itable_value(&pool->handles, ref);
	u64 e = port_atomic_load(entry);
	unsigned int to_obj;

	/* Acquire: pairs with the last unpin. */
	do {
		if (e & ENTRY_PINS)
			return false;
	} while (!port_atomic_cmpxchg_acquire(entry, &e, e | ENTRY_MOVING));
	to_obj = zspage_take(c, to, ref);
	object_copy(c, to, to_obj, from, from_obj);
	zspage_clear(from, from_obj);
	/*
	 * Release: the copy is there for whoever pins the new place. While it
	 * moves, an entry may become pending, so it is changed by a difference.
	 */
	port_atomic_sub_return_release(entry, entry_make(c->index, from, from_obj) +
						      ENTRY_MOVING -
						      entry_make(c->index, to, to_obj));
	return true;
}

/* Move what can be moved out of @src; what keeps it from being emptied: stuck. */
static void compact_zspage(struct zs_pool *pool, struct size_class *c, struct zspage *src,
			   struct zspage **dead)
{
	unsigned int moved = 0;
	unsigned int obj;

	for (obj = 0; obj < c->objs; obj++) {
		struct zspage *to;
		bool done;

		if (!zspage_is_live(src, obj))
			continue;
		to = compact_target(c, src);
		/* Who wants to pin the object spins while it moves. */
		port_preempt_off();
		done = to && compact_move(pool, c, src, obj, to);
		port_preempt_on();
		if (!done) {
			src->stuck = 1;
			break;
		}
		moved++;
	}
	if (moved)
		zspage_settle(c, src, moved, dead);
}

/* Let the zspages that were stuck be tried again, next time. */
static void class_unstick(struct size_class *c)
{
	struct zspage *z;
	unsigned int g;

	for (g = 0; g < ZSPAGE_GROUPS; g++) {
		for (z = c->group[g]; z; z = z->next)
			z->stuck = 0;
	}
}

static size_t class_compact(struct zs_pool *pool, struct size_class *c)
{
	struct zspage *dead = NULL;
	struct zspage *src;
	size_t pages = 0;

	do {
		port_spin_lock(&c->lock);
		src = class_can_compact(c) ? compact_source(c) : NULL;
		if (src)
			compact_zspage(pool, c, src, &dead);
		else
			class_unstick(c);
		port_spin_unlock(&c->lock);
		if (dead) {
			pages += free_dead_zspages(pool, c, dead);
			dead = NULL;
		}
		port_yield();
	} while (src);
	return pages;
}

size_t zs_compact(struct zs_pool *pool)
{
	u64 idle = 0;
	size_t pages = 0;
	unsigned int i;

	zs_drain_deferred(pool, ZS_FLUSH_COMPACT);
	if (!port_atomic_cmpxchg_acquire(&pool->compacting, &idle, 1))
		return 0;
	for (i = 0; i < pool->table.nr; i++)
		pages += class_compact(pool, pool->classes[i]);
	port_pages_trim();
	port_atomic_add(&pool->pages_compacted, pages);
	port_atomic_store_release(&pool->compacting, 0);
	return pages;
}
