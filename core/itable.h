/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Index table: dense 32-bit indices, each with a 64-bit value and a free bit.
 * Grown a leaf at a time, never moved, never shrunk, so a value is found without
 * a lock. Handles are such indices.
 *
 * Free bits.  A set bit belongs to the table, a clear one to whoever took it.
 * Indices are taken a word (64) at a time into a cursor, which a CPU slot
 * owns, and given back by OR-ing bits into the word.
 *
 * Flags.  One for each group of ITABLE_GROUP values, which is a cache line of
 * them: somebody has set bits in a value and wants it looked at. Flags are
 * taken a few at a time (itable_take_flagged).
 *
 * Above both there is a summary: one bit a leaf that may have free indices, one
 * bit a leaf that may have flags. At each level, from the values up, the rule is
 * the same.
 *   setter: set the bits below; full fence; if the bit above reads 0, set it.
 *   taker:  clear the bit above; full fence; then look at the bits below.
 * If the setter reads the bit above as set, the taker's clearing comes after
 * that read in the order of full fences, so the taker's look comes after the
 * setter's store and sees it. Hence: once the setter has returned, either a
 * taker has seen its bits, or the bits above say where they are. A taker may have
 * looked below before, too: what counts is the look after the clearing, and
 * when that finds something it sets the bit above again. Reading the bit
 * above costs a shared cache line that is rarely written; writing it every
 * time would bounce that line between setters.
 *
 * A setter that finds the bit below set already does nothing more: the one above
 * is left to whoever set the one below, who may not have come to it yet. So a
 * taker that must not miss what setters have returned from announces the leaves
 * first (itable_announce).
 *
 * A value may be seen by two takers: the second is sent by a later setter in
 * the same group, and the first may see that one's bits too. Who gets it is for
 * them to settle (here: under the class lock, see free.c).
 */
#ifndef LETHE_ITABLE_H
#define LETHE_ITABLE_H

#include "port.h"

/* A home may have less, to see more of the edges; itable.c asserts what must be. */
#ifndef ITABLE_SHIFT
#define ITABLE_SHIFT 9
#endif
#ifndef ITABLE_GROUP
#define ITABLE_GROUP 8u
#endif
#ifndef ITABLE_STEP
#define ITABLE_STEP 64u /* values that are looked at together */
#endif
#define ITABLE_FANOUT (1u << ITABLE_SHIFT)
#define ITABLE_WORDS (ITABLE_FANOUT / 64)
#define ITABLE_FLAGS (ITABLE_FANOUT / ITABLE_GROUP)
/* Three levels of 512: 2^27 indices. Less for a test. */
#ifndef ITABLE_MAX_LEAVES
#define ITABLE_MAX_LEAVES (ITABLE_FANOUT * ITABLE_FANOUT)
#endif

struct itable_leaf {
	port_atomic *value; /* ITABLE_FANOUT of them */
	port_atomic flags;
	port_atomic free[ITABLE_WORDS] PORT_CACHE_ALIGNED;
};

struct itable_node {
	port_atomic leaf_flags[ITABLE_WORDS] PORT_CACHE_ALIGNED;
	port_atomic leaf_free[ITABLE_WORDS] PORT_CACHE_ALIGNED;
	port_atomic leaf[ITABLE_FANOUT]; /* struct itable_leaf * */
};

struct itable {
	port_atomic *root; /* ITABLE_FANOUT of struct itable_node * */
	port_atomic nr_leaves;
	port_spinlock grow_lock; /* leaf: adds leaves and nodes */
	port_atomic meta_bytes;
};

/* Indices of one word of free bits that a CPU slot owns: a bit each. */
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

static inline port_atomic *itable_leaf_value(const struct itable_leaf *leaf, u32 index)
{
	return &leaf->value[index & (ITABLE_FANOUT - 1)];
}

/* The value of @index. Pre: itable_has(). */
static inline port_atomic *itable_value(const struct itable *t, u32 index)
{
	return itable_leaf_value(itable_leaf(t, index), index);
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

/*
 * Add a leaf of free indices. 0, -PORT_ENOMEM, or, of a table of ITABLE_MAX_LEAVES,
 * -PORT_ENOSPC. Context: process.
 */
int itable_grow(struct itable *t, enum port_alloc how);

/* Give back indices @base + i for each bit i of @bits. Pre: @base % 64 == 0. */
void itable_put(struct itable *t, u32 base, u64 bits);

/*
 * Give back one index by way of @cursor, which gathers those of one word and is
 * not one that indices are taken from. Pre: the cursor's slot is held.
 */
static inline void itable_cursor_put(struct itable *t, struct itable_cursor *cursor,
				     u32 index)
{
	u32 base = index & ~63u;

	if (cursor->base != base) {
		if (cursor->mask)
			itable_put(t, cursor->base, cursor->mask);
		cursor->base = base;
		cursor->mask = 0;
	}
	cursor->mask |= (u64)1 << (index % 64);
}

/* Out of line: the first flag of a leaf. True: its leaf was announced by this. */
bool itable_flag_leaf(struct itable *t, u32 leaf_nr);

/*
 * Announce every leaf with flags, for those who set its first one and have not
 * come to that. Context: any.
 */
void itable_announce(struct itable *t);

/*
 * Have the value of @index, whose bits the caller has set by a fully ordered
 * operation, looked at. Returns whether its leaf had no flags before. Wait-free.
 * Context: any.
 */
static inline bool itable_flag(struct itable *t, struct itable_leaf *leaf, u32 index)
{
	unsigned int group = index / ITABLE_GROUP % ITABLE_FLAGS;

	if (likely(port_atomic_load(&leaf->flags) >> group & 1))
		return false;
	if (port_atomic_test_and_set_bit(&leaf->flags, group))
		return false;
	return itable_flag_leaf(t, index >> ITABLE_SHIFT);
}

/* How far a taker of flags has come. Zero-initialised: at the beginning. */
struct itable_walk {
	u32 leaf_nr;
	u32 flag; /* of that leaf, to go on with */
	bool again; /* flags were set in a leaf that had been walked */
};

/*
 * Take flags from @walk on, and put the indices of flagged values that have all of
 * @bits set into @index until fewer than ITABLE_STEP of @max are left; the next call
 * goes on from there. What is set behind it comes when all else has come, so that who
 * sets the same flags again and again keeps nobody from the others. Returns how many; 0
 * when there are none from @walk on, nor behind it. Another taker may pass over a leaf
 * while this one finds out whether it is empty. Pre: @max >= ITABLE_STEP. Context: any.
 */
size_t itable_take_flagged(struct itable *t, struct itable_walk *walk, u64 bits,
			   u32 *index, size_t max);

#endif /* LETHE_ITABLE_H */
