// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* Lock order: no lock is taken here. */
#include "handle.h"
#include "pending.h"

PORT_NOINLINE bool pending_publish(struct handle_table *t, u32 leaf_nr)
{
	port_atomic *summary = table_summary_word(t, TABLE_PENDING, leaf_nr);

	if (port_atomic_load(summary) >> (leaf_nr % 64) & 1)
		return false;
	return !port_atomic_test_and_set_bit(summary, leaf_nr % 64);
}

void pending_walk_begin(struct pending_walk *w, const struct handle_table *t, u64 index)
{
	u32 nr = (u32)port_atomic_load_acquire(&t->nr_leaves);
	u64 leaf_nr = index >> TABLE_SHIFT;

	*w = (struct pending_walk){.stop = nr};
	if (leaf_nr < nr)
		w->leaf_nr = w->first = (u32)leaf_nr;
}

/* The next leaf with flags. False: the walk is over. */
static bool walk_next_leaf(const struct handle_table *t, struct pending_walk *w)
{
	u32 nr = w->leaf_nr;

	for (;;) {
		if (table_next_leaf(t, TABLE_PENDING, &nr) && nr < w->stop) {
			if (nr != w->leaf_nr)
				w->flag = 0;
			w->leaf_nr = nr;
			return true;
		}
		w->leaf_nr = w->stop;
		w->flag = 0;
		if (!w->first)
			return false;
		nr = w->leaf_nr = 0;
		w->stop = w->first;
		w->first = 0;
	}
}

/*
 * Take the flags of @leaf_nr that are in @mask, and append the indices of pending
 * entries to @index[*@n...], ascending. Pre: room for TABLE_GROUP times the bits of
 * @mask. Returns how many flags.
 */
static u32 take_flags(struct handle_table *t, u32 leaf_nr, u64 mask, u32 *index,
		      size_t *n)
{
	u32 base = leaf_nr << TABLE_SHIFT;
	struct table_leaf *leaf = table_leaf(t, base);
	u64 flags = port_atomic_load(&leaf->pending) & mask;
	port_atomic *values;
	u32 i, taken = 0;

	if (!flags)
		return 0;
	/* Fully ordered before the look at the entries: see handle_table.h. */
	port_atomic_and(&leaf->pending, ~flags);
	values = table_leaf_value(leaf, 0);
	for (; flags; flags &= flags - 1, taken++) {
		u32 first = port_ctz64(flags) * TABLE_GROUP;

		for (i = first; i < first + TABLE_GROUP; i++) {
			if (port_atomic_load(&values[i]) & ENTRY_PENDING)
				index[(*n)++] = base + i;
		}
	}
	return taken;
}

/*
 * To the end of the walk's leaf. False: there is no room to get there, or *@lines,
 * lowered by what is read, is 0.
 */
static bool take_leaf(struct handle_table *t, struct pending_walk *w, u32 *index,
		      size_t *n, size_t max, size_t *lines)
{
	const u32 step = TABLE_STEP / TABLE_GROUP; /* flags */
	u32 read;

	for (; w->flag < TABLE_FLAGS; w->flag += step) {
		if (max - *n < TABLE_STEP || !*lines)
			return false;
		read = take_flags(t, w->leaf_nr, (((u64)1 << step) - 1) << w->flag, index,
				  n);
		*lines -= read < *lines ? read : *lines;
	}
	return true;
}

/*
 * The walk has come to the end of @leaf_nr: take it out of the summary unless it has
 * flags again. Returns whether it has.
 */
static bool leaf_has_flags_again(struct handle_table *t, u32 leaf_nr)
{
	port_atomic *summary = table_summary_word(t, TABLE_PENDING, leaf_nr);
	struct table_leaf *leaf = table_leaf(t, leaf_nr << TABLE_SHIFT);
	u64 bit = (u64)1 << (leaf_nr % 64);

	/* Look before clearing, so that no other walk skips a leaf with many flags. */
	if (port_atomic_load(&leaf->pending))
		return true;
	/* Clear, then look again: see handle_table.h. */
	port_atomic_and(summary, ~bit);
	if (!port_atomic_load(&leaf->pending))
		return false;
	port_atomic_or(summary, bit);
	return true;
}

size_t pending_take(struct handle_table *t, struct pending_walk *w, u32 *index,
		    size_t max)
{
	size_t lines = 2 * max;
	size_t n = 0;

	while (max - n >= TABLE_STEP && lines) {
		if (!walk_next_leaf(t, w)) {
			w->over = true;
			break;
		}
		PORT_ASSERT(w->leaf_nr < w->stop);
		if (!take_leaf(t, w, index, &n, max, &lines))
			break;
		/* The leaf's own. */
		lines -= !!lines;
		w->left |= leaf_has_flags_again(t, w->leaf_nr);
		w->leaf_nr++;
		w->flag = 0;
	}
	return n;
}
