/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Pending map: where in the handle table pending frees are.
 *
 * The truth is the pending bit of a handle's entry (handle.h). The map is a hint on
 * top of it, so that a drain need not read the whole table: a flag for each group of
 * TABLE_GROUP entries, which is a cache line of them, and a summary bit for each leaf
 * that may have flags. Flags and summary follow the rule of handle_table.h, and so
 * do entries and flags: a producer makes the entry pending, and then sets its flag
 * unless the flag reads 1; a drain clears the flag, and then looks at the entries.
 *
 * Two drains may see one pending entry, the second because of a flag that a later
 * producer of the same group has set. The first that holds the class lock frees it
 * (free.c).
 *
 * A drain takes a leaf out of the summary only when its walk comes to the end of the leaf
 * and sees no flag there, and puts it back if a flag was set meanwhile. Until then the
 * leaf that it leaves unfinished stays in the summary. In between, another walk may pass
 * over the leaf; so a drain that puts a leaf back arms a drain thread. [T3]
 *
 * A producer that finds its flag set does nothing more. The producer that set the
 * flag publishes it in the summary, and may be preempted before it does. So a walk by
 * the summary can miss a handle whose push has returned. The publication, when it comes,
 * arms a drain thread, whose walk finds it. A flush and a task in need do not rely on the
 * map alone: they also read the entries (table_scan()). [T4]
 *
 * A flag may be stale: a drain by entries frees a handle and leaves its flag. A walk
 * clears it and finds nothing below. Until then a producer of that group sets no flag and
 * arms no thread, and need not: see the top of defer.h.
 */
#ifndef LETHE_PENDING_H
#define LETHE_PENDING_H

#include "handle_table.h"

/* Out of line: the first flag of a leaf. True: this call set the summary bit. */
bool pending_publish(struct handle_table *t, u32 leaf_nr);

/*
 * Flag the group of @index, whose entry the caller has made pending by a fully ordered
 * operation. Returns whether the leaf was not in the summary before. Wait-free.
 * Context: any.
 */
static inline bool pending_flag(struct handle_table *t, struct table_leaf *leaf,
				u32 index)
{
	unsigned int group = index / TABLE_GROUP % TABLE_FLAGS;

	if (likely(port_atomic_load(&leaf->pending) >> group & 1))
		return false;
	if (port_atomic_test_and_set_bit(&leaf->pending, group))
		return false;
	return pending_publish(t, index >> TABLE_SHIFT);
}

/*
 * A walk visits each leaf at most once, so it ends whatever producers push meanwhile:
 * from its first leaf to the end of the table as that was when it began, and from the
 * beginning to its first leaf. Flags that are set behind it are left to the next walk:
 * it says so in `left`. [T5]
 */
struct pending_walk {
	u32 leaf_nr; /* the next leaf, */
	u32 flag; /* and the next flag of it */
	u32 stop; /* the leaf at which the walk turns or ends */
	u32 first; /* after turning it ends here; 0: it does not turn again */
	bool over; /* no leaf is left to visit */
	bool left; /* a leaf got new flags behind the walk */
};

/* Begin at the leaf of @index, or at 0 if the table has no such leaf. */
void pending_walk_begin(struct pending_walk *w, const struct handle_table *t, u64 index);

/*
 * Take flags, and put the indices of pending entries into @index, until fewer than
 * TABLE_STEP of @max are left, the walk is over, or 2 * @max cache lines were read:
 * stale flags are bounded as well. The next call goes on from there. Returns how many.
 * While a walk finds out whether a leaf is empty, another may pass over it.
 * Pre: @max >= TABLE_STEP. Context: any.
 */
size_t pending_take(struct handle_table *t, struct pending_walk *w, u32 *index,
		    size_t max);

#endif /* LETHE_PENDING_H */
