/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Index table: dense 32-bit indices, each with a 64-bit value, a free bit and
 * a mark bit. Grown a leaf at a time, never moved, never shrunk, so a value
 * is found without a lock. Handles and zspage ids are both such indices.
 *
 * Free bits.  A set bit belongs to the table, a clear one to whoever took it.
 * Indices are taken a word (64) at a time into a cursor, which a CPU slot
 * owns, and given back by OR-ing bits into the word.
 *
 * Mark bits.  Set by anyone (itable_mark), taken a word at a time by exchange
 * (itable_take_marks): each mark is taken exactly once.
 *
 * Each node keeps a summary: one bit a leaf that may have free words, one bit
 * a leaf that may have marks. The rule for both is the same.
 *   setter: set the bit in the word; full fence; if the summary bit reads 0,
 *           set it.
 *   taker:  clear the summary bit; full fence; then look at the words.
 * If the setter reads the summary bit as set, the taker's clearing comes after
 * that read in the order of full fences, so the taker's look comes after the
 * setter's store and sees it. Hence: once the setter has returned, either a
 * taker has the bit or the summary says where it is. Reading the summary costs
 * a shared cache line that is rarely written; writing it every time would
 * bounce that line between producers.
 */
#ifndef LETHE_ITABLE_H
#define LETHE_ITABLE_H

#include "port.h"

#define ITABLE_SHIFT 9
#define ITABLE_FANOUT (1u << ITABLE_SHIFT)
#define ITABLE_WORDS (ITABLE_FANOUT / 64)
/* Three levels of 512: 2^27 indices. */
#define ITABLE_MAX_LEAVES (ITABLE_FANOUT * ITABLE_FANOUT)

struct itable_leaf {
	port_atomic *value; /* ITABLE_FANOUT of them */
	port_atomic mark[ITABLE_WORDS] PORT_CACHE_ALIGNED;
	port_atomic free[ITABLE_WORDS] PORT_CACHE_ALIGNED;
};

struct itable_node {
	port_atomic leaf_mark[ITABLE_WORDS] PORT_CACHE_ALIGNED;
	port_atomic leaf_free[ITABLE_WORDS] PORT_CACHE_ALIGNED;
	port_atomic leaf[ITABLE_FANOUT]; /* struct itable_leaf * */
};

struct itable {
	port_atomic *root; /* ITABLE_FANOUT of struct itable_node * */
	port_atomic nr_leaves;
	port_spinlock grow_lock; /* leaf: adds leaves and nodes */
	port_atomic meta_bytes;
};

/* Indices that a CPU slot has taken and not yet handed out. */
struct itable_cursor {
	u64 mask;
	u32 base;
};

static inline struct itable_node *itable_node(const struct itable *t, u32 leaf)
{
	return (struct itable_node *)(uintptr_t)port_atomic_load_acquire(
		&t->root[leaf >> ITABLE_SHIFT]);
}

/* The leaf of an index that exists: pairs with the release in itable_grow(). */
static inline struct itable_leaf *itable_leaf(const struct itable *t, u32 index)
{
	u32 leaf = index >> ITABLE_SHIFT;
	struct itable_node *node = itable_node(t, leaf);

	return (struct itable_leaf *)(uintptr_t)port_atomic_load_acquire(
		&node->leaf[leaf & (ITABLE_FANOUT - 1)]);
}

/* Is @index within what the table has grown to? */
static inline bool itable_has(const struct itable *t, unsigned long index)
{
	return (index >> ITABLE_SHIFT) < port_atomic_load_acquire(&t->nr_leaves);
}

/* The value of @index. Pre: itable_has(). */
static inline port_atomic *itable_value(const struct itable *t, u32 index)
{
	return &itable_leaf(t, index)->value[index & (ITABLE_FANOUT - 1)];
}

static inline bool itable_is_marked(const struct itable *t, u32 index)
{
	const struct itable_leaf *leaf = itable_leaf(t, index);

	return port_atomic_load(&leaf->mark[(index / 64) & (ITABLE_WORDS - 1)]) >>
		       (index % 64) &
	       1;
}

/* Take an index from @cursor. Pre: the cursor's slot is held. False: empty. */
static inline bool itable_cursor_take(struct itable_cursor *cursor, u32 *index)
{
	if (unlikely(!cursor->mask))
		return false;
	*index = cursor->base + port_ctz64(cursor->mask);
	cursor->mask &= cursor->mask - 1;
	return true;
}

/* 0 or -PORT_ENOMEM. Context: process. */
int itable_init(struct itable *t);
/* Frees the table itself, not what its values stand for. Undoes itable_init(). */
void itable_fini(struct itable *t);

/* Refill an empty cursor. False: no free index; see itable_grow(). Any context. */
bool itable_cursor_refill(struct itable *t, struct itable_cursor *cursor);

/* Add a leaf of free indices. 0, -PORT_ENOMEM, or -PORT_ENOSPC. Context: process. */
int itable_grow(struct itable *t, enum port_alloc how);

/* Give back indices @base + i for each bit i of @bits. Pre: @base % 64 == 0. */
void itable_put(struct itable *t, u32 base, u64 bits);

enum itable_mark_result {
	ITABLE_MARKED, /* marked, and its leaf was known to have marks */
	ITABLE_MARKED_FIRST, /* marked, and its leaf was announced by this call */
	ITABLE_WAS_MARKED, /* nothing done */
};

/* Mark an index. Wait-free. Context: any. */
static inline enum itable_mark_result itable_mark(struct itable *t, u32 index)
{
	struct itable_leaf *leaf = itable_leaf(t, index);
	u32 leaf_nr = index >> ITABLE_SHIFT;
	struct itable_node *node;
	port_atomic *summary;

	if (port_atomic_test_and_set_bit(&leaf->mark[(index / 64) & (ITABLE_WORDS - 1)],
					 index % 64))
		return ITABLE_WAS_MARKED;
	node = itable_node(t, leaf_nr);
	summary = &node->leaf_mark[(leaf_nr & (ITABLE_FANOUT - 1)) / 64];
	if (likely(port_atomic_load(summary) >> (leaf_nr % 64) & 1))
		return ITABLE_MARKED;
	if (port_atomic_test_and_set_bit(summary, leaf_nr % 64))
		return ITABLE_MARKED;
	return ITABLE_MARKED_FIRST;
}

/* Clear one mark. Context: any. */
void itable_unmark(struct itable *t, u32 index);

/*
 * Take all marks of the word that @index is in; the summary is left as it is.
 * Returns the bits, of indices (@index & ~63) + i. Context: any.
 */
u64 itable_take_marked_word(struct itable *t, u32 index);

/*
 * Take marks from leaf *@leaf on into @index, ascending, whole words at a time,
 * until fewer than 64 of @max are left; *@leaf says where to go on. Returns
 * how many; 0 when there are none from *@leaf on. Pre: @max >= 64. Context: any.
 */
size_t itable_take_marks(struct itable *t, u32 *leaf, u32 *index, size_t max);

#endif /* LETHE_ITABLE_H */
