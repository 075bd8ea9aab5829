/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The pool: classes, handle table, per-CPU slots, deferral.
 *
 * Lock order: the core has four kinds of spinlock: of a class, handle_table.grow_lock,
 * defer_array.lock, and defer.show_lock. All are leaves: none is taken while another is
 * held. Under one, nothing is allocated, given back to the home, or waited for; under
 * show_lock the home is told a number, for which it takes no lock. [L1] A home may hold
 * a lock of its own around the move of a page (move.c), which takes a class lock. None
 * disables interrupts, so the core is not called in interrupt context. [L2]
 */
#ifndef LETHE_POOL_H
#define LETHE_POOL_H

#include "lethe/zsmalloc.h"
#include "defer.h"
#include "handle.h"
#include "handle_table.h"
#include "zspage.h"

#define POOL_NAME_MAX 32

/* What one CPU (in userspace: one thread) works with. Its holder has it alone. */
struct pool_slot {
	/* All that a push needs, in one cache line. */
	unsigned long leaf_nr; /* of the handle table, last pushed to; or NO_LEAF */
	struct table_leaf *leaf; /* that leaf */
	port_atomic queued; /* a counter, as those below */
	u32 credit; /* pushes this slot may make without asking */

	struct table_cursor handles PORT_CACHE_ALIGNED; /* to be handed out */
	struct table_cursor freed; /* one at a time, to be given back */
	bool has_had_credit;
	/* Counters: the slot's holder writes them, any task reads them. */
	port_atomic fallback;
} PORT_CACHE_ALIGNED;

#define NO_LEAF (~0ul)

struct zs_pool {
	struct pool_slot *slots;
	struct handle_table handles; /* value: entry, see handle.h */
	struct defer defer;
	struct size_class *classes[SIZE_CLASS_MAX];
	struct size_class_table table;
	size_t limit_pages; /* `pages` never exceeds it */

	port_atomic pages PORT_CACHE_ALIGNED; /* changed once a zspage or batch */
	port_atomic pages_compacted;
	port_atomic pages_moved; /* by the home */
	port_atomic invalid; /* calls refused, some of them with preemption off */
	port_atomic scratch_busy; /* 1: a task has `scratch` */
	port_atomic compact_from; /* the class at which the next one begins */
	struct free_scratch *scratch; /* lent to one drain or batch at a time */
	void *home; /* port_pool_attach()'s */
	char name[POOL_NAME_MAX];
};

/* A handle of the table, found. */
struct handle_place {
	u32 index;
	struct table_leaf *leaf;
	port_atomic *entry;
};

/*
 * Where @handle is, by what @slot remembers. False: the table has no such handle.
 * Pre: @slot is held.
 */
static PORT_ALWAYS_INLINE bool slot_find(struct zs_pool *pool, struct pool_slot *slot,
					 unsigned long handle, struct handle_place *at)
{
	unsigned long index = handle - 1;

	/* Handles freed together are close together. Leaves never go away. */
	if (unlikely(index >> TABLE_SHIFT != slot->leaf_nr)) {
		if (!table_has(&pool->handles, index))
			return false;
		slot->leaf_nr = index >> TABLE_SHIFT;
		slot->leaf = table_leaf(&pool->handles, (u32)index);
	}
	at->index = (u32)index;
	at->leaf = slot->leaf;
	at->entry = table_leaf_value(slot->leaf, (u32)index);
	return true;
}

/* Does @handle stand for nothing: null, or a failed zs_malloc()? */
static inline bool handle_is_void(unsigned long handle)
{
	return !handle || zs_handle_error(handle);
}

/* The entry of a handle that the table has, else NULL: void ones, too. */
static inline port_atomic *pool_entry(const struct zs_pool *pool, unsigned long handle)
{
	return table_has(&pool->handles, handle - 1)
		       ? table_value(&pool->handles, index_of_handle(handle))
		       : NULL;
}

/* Count, and in debug builds report, the misuse of a handle in @call. */
void pool_misuse(struct zs_pool *pool, unsigned long handle, const char *call,
		 const char *what);

#endif /* LETHE_POOL_H */
