/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Handle table: dense 32-bit indices, each with a 64-bit value, the handle's entry
 * (handle.h). The table grows a leaf at a time; leaves are never moved or taken
 * away, so a value is found without a lock, and a CPU slot may remember its leaf. The
 * values of a leaf may be taken away, while all of its indices are free.
 *
 * Free bits.  A set bit belongs to the table, a clear one to the taker of the
 * index. A CPU slot takes indices a word (64) at a time into a cursor; they are
 * given back by OR-ing bits into the word.
 *
 * Summary.  A node has one bit for each leaf that may have free indices. A free
 * bit, or a pending flag (pending.h), and the summary bit above it follow one rule:
 *   setter: set the bits below; full fence; if the bit above reads 0, set it.
 *   taker:  clear the bit above; full fence; then look at the bits below, and set
 *           the bit above again if there are any.
 * If the setter reads the bit above as set, the taker's clearing comes after that
 * read in the order of full fences, so the taker's look comes after the setter's
 * store and sees it. Hence: once the setter has returned, either a taker has seen
 * its bits, or the bit above says where they are. [T2]
 *
 * Growing.  A leaf is complete before `nr_leaves`, stored with release, counts it;
 * table_has() loads that with acquire. Leaves and nodes are only ever added. What is
 * looked up is reached through the pointers to node and leaf, each stored with release:
 * so consume is enough to load them, twice for each handle that a drain frees. [T1:
 * mutants leaf-not-released, node-replaced; unit a_table_grows_past_a_node]
 *
 * Shrinking.  table_shrink() takes all indices of a leaf, as a CPU slot takes a word of
 * them. So the leaf has no handle, and none is given out of it. It points the leaf to
 * values that all such leaves share, always 0, and frees the leaf's own if no drain may
 * read them. A drain reads values of handles that others may have freed, so it counts
 * itself in `readers` meanwhile:
 *   drain:  count itself; full fence; then load the leaf's pointer.
 *   shrink: store the pointer; full fence; free the values if `readers` reads 0.
 * If it reads 0, a drain that counts itself later loads the new pointer; and acquire
 * pairs with the release by which the drains before have gone. Else the leaf gets its
 * values and its indices back: they are all 0 and free, as before. Any other task reads
 * the value of a handle that it owns, in a leaf that is not free; so a task that uses a
 * handle that was freed may read memory that was given back. [T6]
 */
#ifndef LETHE_HANDLE_TABLE_H
#define LETHE_HANDLE_TABLE_H

#include "port.h"

/* A home may have less, to see more of the edges; handle_table.c asserts its limits. */
#ifndef TABLE_SHIFT
#define TABLE_SHIFT 9
#endif
#ifndef TABLE_GROUP
#define TABLE_GROUP 8u
#endif
#ifndef TABLE_STEP
#define TABLE_STEP 64u /* values that are looked at together */
#endif
#define TABLE_FANOUT (1u << TABLE_SHIFT)
#define TABLE_WORDS (TABLE_FANOUT / 64)
#define TABLE_FLAGS (TABLE_FANOUT / TABLE_GROUP)
/* Three levels of 512: 2^27 indices. Less for a test. */
#ifndef TABLE_MAX_LEAVES
#define TABLE_MAX_LEAVES (TABLE_FANOUT * TABLE_FANOUT)
#endif

struct table_leaf {
	port_atomic values; /* port_atomic *: TABLE_FANOUT of them */
	u32 next_stripped; /* a list of leaves without values, as `stripped` */
	/*
	 * A flag for each group of values: pending.h. Drains write `pending` while
	 * producers read `values`. When both were in one cache line, unmapping took
	 * 59 ns a page instead of 28 (7.3 native, two CPUs).
	 */
	port_atomic pending PORT_CACHE_ALIGNED;
	port_atomic free[TABLE_WORDS] PORT_CACHE_ALIGNED;
};

struct table_node {
	port_atomic leaf_pending[TABLE_WORDS] PORT_CACHE_ALIGNED; /* pending.h */
	port_atomic leaf_free[TABLE_WORDS] PORT_CACHE_ALIGNED;
	port_atomic leaf[TABLE_FANOUT]; /* struct table_leaf * */
};

struct handle_table {
	port_atomic *root; /* TABLE_FANOUT of struct table_node * */
	port_atomic nr_leaves;
	port_atomic free_from; /* a hint: no leaf before it is likely to have free bits */
	port_spinlock grow_lock; /* leaf: adds leaves and nodes */
	u32 stripped; /* the first leaf without values, + 1; 0: none. Under grow_lock */
	port_atomic meta_bytes;

	port_atomic readers PORT_CACHE_ALIGNED; /* drains that may read any value */
	port_atomic shrinking; /* 1: a task shrinks the table, and has `shrink_from` */
	u32 shrink_from; /* the leaf at which the next goes on */
};

/* Indices of one word of free bits that a CPU slot owns: a bit each. */
struct table_cursor {
	u64 mask;
	u32 base;
};

static inline struct table_node *table_node(const struct handle_table *t, u32 leaf)
{
	return (struct table_node *)(uintptr_t)port_atomic_load_consume(
		&t->root[leaf >> TABLE_SHIFT]);
}

/* The leaf of an index that exists: pairs with the release in table_append(). */
static inline struct table_leaf *table_leaf(const struct handle_table *t, u32 index)
{
	u32 leaf = index >> TABLE_SHIFT;
	struct table_node *node = table_node(t, leaf);

	return (struct table_leaf *)(uintptr_t)port_atomic_load_consume(
		&node->leaf[leaf & (TABLE_FANOUT - 1)]);
}

/* Is @index within what the table has grown to? */
static inline bool table_has(const struct handle_table *t, unsigned long index)
{
	return (index >> TABLE_SHIFT) < port_atomic_load_acquire(&t->nr_leaves);
}

/* Pairs with the release in table_restore_leaf(): values are 0 when a leaf gets them. */
static inline port_atomic *table_leaf_value(const struct table_leaf *leaf, u32 index)
{
	return (port_atomic *)(uintptr_t)port_atomic_load_consume(&leaf->values) +
	       (index & (TABLE_FANOUT - 1));
}

/* The value of @index. Pre: table_has(). */
static inline port_atomic *table_value(const struct handle_table *t, u32 index)
{
	return table_leaf_value(table_leaf(t, index), index);
}

/* Where the table ends: no index that was given out before is past it. */
static inline u64 table_end(const struct handle_table *t)
{
	return port_atomic_load_acquire(&t->nr_leaves) << TABLE_SHIFT;
}

/* Take an index from @cursor. Pre: the cursor's slot is held. False: empty. */
static inline bool table_cursor_take(struct table_cursor *cursor, u32 *index)
{
	if (unlikely(!cursor->mask))
		return false;
	*index = cursor->base + port_ctz64(cursor->mask);
	cursor->mask &= cursor->mask - 1;
	return true;
}

/* 0 or -PORT_ENOMEM. Context: process. */
int table_init(struct handle_table *t);
/* Frees the table itself, not what its values stand for. Undoes table_init(). */
void table_fini(struct handle_table *t);

/*
 * Refill an empty cursor from the hint on. False: no free index there; see
 * table_rewind() and table_grow(). Any context.
 */
bool table_cursor_refill(struct handle_table *t, struct table_cursor *cursor);

/*
 * Move the hint of table_cursor_refill() back to the first leaf with free indices.
 * False: no leaf before the hint has any. Context: any; it may have to read the
 * summary of the whole table, a bit for each leaf.
 */
bool table_rewind(struct handle_table *t);

/*
 * Add a leaf of free indices, or give one its values again. 0, -PORT_ENOMEM, or, of a
 * table of TABLE_MAX_LEAVES, -PORT_ENOSPC. Context: as port_meta_alloc() with @how.
 */
int table_grow(struct handle_table *t, enum port_alloc how);

/*
 * Around whatever reads values of handles that other tasks may free: see "Shrinking".
 * Context: any.
 */
static inline void table_read_begin(struct handle_table *t)
{
	port_atomic_add(&t->readers, 1);
	port_atomic_fence();
}
static inline void table_read_end(struct handle_table *t)
{
	port_atomic_sub_return_release(&t->readers, 1);
}

/*
 * Free the values of leaves without handles, of @leaves leaves in turn; table_grow()
 * gives a leaf values again. Leaves of which CPU slots hold indices keep theirs. It stops
 * where a drain may read values, and at once if another task shrinks. Context: process.
 */
void table_shrink(struct handle_table *t, u32 leaves);

/* Give back indices @base + i for each bit i of @bits. Pre: @base % 64 == 0. */
void table_put(struct handle_table *t, u32 base, u64 bits);

/*
 * Give back one index by way of @cursor, which gathers those of one word and is
 * not one that indices are taken from. Pre: the cursor's slot is held.
 */
static inline void table_cursor_put(struct handle_table *t, struct table_cursor *cursor,
				    u32 index)
{
	u32 base = index & ~63u;

	if (cursor->base != base) {
		if (cursor->mask)
			table_put(t, cursor->base, cursor->mask);
		cursor->base = base;
		cursor->mask = 0;
	}
	cursor->mask |= (u64)1 << (index % 64);
}

/* First leaf at or after *@leaf_nr whose bit of @summary is set; false: none. */
enum table_summary { TABLE_FREE, TABLE_PENDING };
bool table_next_leaf(const struct handle_table *t, enum table_summary summary,
		     u32 *leaf_nr);
/* The word of @summary that has the bit of @leaf_nr, which is bit @leaf_nr % 64. */
port_atomic *table_summary_word(const struct handle_table *t, enum table_summary summary,
				u32 leaf_nr);

/* Leaves that table_scan() reads in one call, so that its caller can yield. */
#define TABLE_SCAN_LEAVES 16

/*
 * Read values from index *@at on, and put the indices of those that have all of
 * @bits set into @index, until @max are found or some leaves are read. Post: *@at is
 * where to go on; at the table's end it is *@at >> TABLE_SHIFT == nr_leaves. Returns
 * how many were found. Context: any.
 */
size_t table_scan(const struct handle_table *t, u64 *at, u64 bits, u32 *index,
		  size_t max);

#endif /* LETHE_HANDLE_TABLE_H */
