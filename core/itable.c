/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
#include "itable.h"

_Static_assert(ITABLE_WORDS >= 1 && ITABLE_FLAGS <= 64, "a leaf has whole words");
_Static_assert(ITABLE_STEP >= ITABLE_GROUP && ITABLE_STEP % ITABLE_GROUP == 0,
	       "a step is some flags");
_Static_assert(ITABLE_STEP / ITABLE_GROUP < 64 && ITABLE_FANOUT % ITABLE_STEP == 0,
	       "a leaf is some steps");

/* First leaf at or after *@leaf_nr whose summary bit is set; false: none. */
static bool itable_next_leaf(const struct itable *t, bool flags, u32 *leaf_nr)
{
	u32 nr = (u32)port_atomic_load_acquire(&t->nr_leaves);
	u32 i = *leaf_nr;

	while (i < nr) {
		struct itable_node *node = itable_node(t, i);
		const port_atomic *summary = flags ? node->leaf_flags : node->leaf_free;
		u64 bits = port_atomic_load(&summary[(i & (ITABLE_FANOUT - 1)) / 64]);

		bits &= ~(u64)0 << (i % 64);
		if (bits) {
			*leaf_nr = (i & ~63u) + port_ctz64(bits);
			/* One beyond is being appended: nobody may see it yet. */
			return *leaf_nr < nr;
		}
		i = (i & ~63u) + 64;
	}
	return false;
}

static port_atomic *itable_summary(const struct itable *t, bool flags, u32 leaf_nr)
{
	struct itable_node *node = itable_node(t, leaf_nr);
	u32 word = (leaf_nr & (ITABLE_FANOUT - 1)) / 64;

	return flags ? &node->leaf_flags[word] : &node->leaf_free[word];
}

static bool itable_take_free_word(struct itable_leaf *leaf, u32 base,
				  struct itable_cursor *cursor)
{
	u32 w;

	for (w = 0; w < ITABLE_WORDS; w++) {
		if (!port_atomic_load(&leaf->free[w]))
			continue;
		cursor->mask = port_atomic_xchg(&leaf->free[w], 0);
		if (cursor->mask) {
			cursor->base = base + w * 64;
			return true;
		}
	}
	return false;
}

bool itable_cursor_refill(struct itable *t, struct itable_cursor *cursor)
{
	u32 i = 0;

	while (itable_next_leaf(t, false, &i)) {
		struct itable_leaf *leaf = itable_leaf(t, i << ITABLE_SHIFT);
		u32 base = i << ITABLE_SHIFT;
		u64 bit = (u64)1 << (i % 64);

		if (itable_take_free_word(leaf, base, cursor))
			return true;
		/* The summary was stale. Clear, then look again: see itable.h. */
		port_atomic_and(itable_summary(t, false, i), ~bit);
		if (itable_take_free_word(leaf, base, cursor)) {
			port_atomic_or(itable_summary(t, false, i), bit);
			return true;
		}
		i++;
	}
	return false;
}

void itable_put(struct itable *t, u32 base, u64 bits)
{
	u32 leaf_nr = base >> ITABLE_SHIFT;
	struct itable_leaf *leaf = itable_leaf(t, base);
	port_atomic *summary = itable_summary(t, false, leaf_nr);

	port_atomic_or(&leaf->free[(base / 64) & (ITABLE_WORDS - 1)], bits);
	if (unlikely(!(port_atomic_load(summary) >> (leaf_nr % 64) & 1)))
		port_atomic_or(summary, (u64)1 << (leaf_nr % 64));
}

PORT_NOINLINE bool itable_flag_leaf(struct itable *t, u32 leaf_nr)
{
	port_atomic *summary = itable_summary(t, true, leaf_nr);

	if (port_atomic_load(summary) >> (leaf_nr % 64) & 1)
		return false;
	return !port_atomic_test_and_set_bit(summary, leaf_nr % 64);
}

void itable_announce(struct itable *t)
{
	u32 nr = (u32)port_atomic_load_acquire(&t->nr_leaves);
	u32 i;

	for (i = 0; i < nr; i++) {
		if (port_atomic_load(&itable_leaf(t, i << ITABLE_SHIFT)->flags))
			itable_flag_leaf(t, i);
	}
}

/*
 * Take the flags of @leaf_nr that are in @mask, and append the indices of flagged
 * values that have all of @bits set to @index[*@n...], ascending. Pre: room for
 * ITABLE_GROUP times the bits of @mask.
 */
static void itable_take_leaf(struct itable *t, u32 leaf_nr, u64 mask, u64 bits,
			     u32 *index, size_t *n)
{
	u32 base = leaf_nr << ITABLE_SHIFT;
	struct itable_leaf *leaf = itable_leaf(t, base);
	u64 flags = port_atomic_load(&leaf->flags) & mask;
	u32 i;

	if (!flags)
		return;
	/* Clears them before the look at the values: see itable.h. */
	port_atomic_and(&leaf->flags, ~flags);
	for (; flags; flags &= flags - 1) {
		u32 first = port_ctz64(flags) * ITABLE_GROUP;

		for (i = first; i < first + ITABLE_GROUP; i++) {
			if ((port_atomic_load(&leaf->value[i]) & bits) == bits)
				index[(*n)++] = base + i;
		}
	}
}

/* To the end of @walk's leaf, a step at a time. False: there is no room to get there. */
static bool itable_walk_leaf(struct itable *t, struct itable_walk *walk, u64 bits,
			     u32 *index, size_t *n, size_t max)
{
	const u32 step = ITABLE_STEP / ITABLE_GROUP; /* flags */

	for (; walk->flag < ITABLE_FLAGS; walk->flag += step) {
		if (max - *n < ITABLE_STEP)
			return false;
		itable_take_leaf(t, walk->leaf_nr, (((u64)1 << step) - 1) << walk->flag,
				 bits, index, n);
	}
	return true;
}

/*
 * Leaf @leaf_nr has been walked. Unless there are flags again, it is not announced any
 * more; it remains so if there are, so that others do not pass over it. Returns
 * whether there are.
 */
static bool itable_has_flags_again(struct itable *t, u32 leaf_nr)
{
	port_atomic *summary = itable_summary(t, true, leaf_nr);
	struct itable_leaf *leaf = itable_leaf(t, leaf_nr << ITABLE_SHIFT);
	u64 bit = (u64)1 << (leaf_nr % 64);

	if (port_atomic_load(&leaf->flags))
		return true;
	/* Clear, then look again: see itable.h. */
	port_atomic_and(summary, ~bit);
	if (!port_atomic_load(&leaf->flags))
		return false;
	port_atomic_or(summary, bit);
	return true;
}

/* As itable_take_flagged(), but up to the end of the table: nothing behind @walk. */
static size_t itable_take_on(struct itable *t, struct itable_walk *walk, u64 bits,
			     u32 *index, size_t max)
{
	u32 nr = walk->leaf_nr;
	size_t n = 0;

	while (max - n >= ITABLE_STEP && itable_next_leaf(t, true, &nr)) {
		if (nr != walk->leaf_nr)
			walk->flag = 0;
		walk->leaf_nr = nr;
		if (!itable_walk_leaf(t, walk, bits, index, &n, max))
			break;
		walk->again |= itable_has_flags_again(t, nr);
		walk->leaf_nr = ++nr;
		walk->flag = 0;
	}
	return n;
}

size_t itable_take_flagged(struct itable *t, struct itable_walk *walk, u64 bits,
			   u32 *index, size_t max)
{
	size_t n = itable_take_on(t, walk, bits, index, max);

	while (!n && walk->again) {
		*walk = (struct itable_walk){0};
		n = itable_take_on(t, walk, bits, index, max);
	}
	return n;
}

static void itable_leaf_destroy(struct itable_leaf *leaf)
{
	if (!leaf)
		return;
	port_meta_free(leaf->value, sizeof(port_atomic) * ITABLE_FANOUT);
	port_meta_free(leaf, sizeof(*leaf));
}

static struct itable_leaf *itable_leaf_create(enum port_alloc how)
{
	struct itable_leaf *leaf = port_meta_alloc(sizeof(*leaf), how);
	u32 w;

	if (!leaf)
		return NULL;
	leaf->value = port_meta_alloc(sizeof(port_atomic) * ITABLE_FANOUT, how);
	if (!leaf->value) {
		port_meta_free(leaf, sizeof(*leaf));
		return NULL;
	}
	for (w = 0; w < ITABLE_WORDS; w++)
		port_atomic_store(&leaf->free[w], ~(u64)0);
	return leaf;
}

/* Under grow_lock: append @leaf. False: it needs a node and *@node is NULL. */
static bool itable_append(struct itable *t, struct itable_leaf *leaf,
			  struct itable_node **node)
{
	u32 nr = (u32)port_atomic_load(&t->nr_leaves);
	port_atomic *root = &t->root[nr >> ITABLE_SHIFT];
	struct itable_node *n = (struct itable_node *)(uintptr_t)port_atomic_load(root);

	if (!n) {
		n = *node;
		if (!n)
			return false;
		*node = NULL;
		port_atomic_store_release(root, (u64)(uintptr_t)n);
		port_atomic_add(&t->meta_bytes, sizeof(*n));
	}
	port_atomic_store_release(&n->leaf[nr & (ITABLE_FANOUT - 1)],
				  (u64)(uintptr_t)leaf);
	port_atomic_or(&n->leaf_free[(nr & (ITABLE_FANOUT - 1)) / 64],
		       (u64)1 << (nr % 64));
	port_atomic_add(&t->meta_bytes,
			sizeof(*leaf) + sizeof(port_atomic) * ITABLE_FANOUT);
	/* Publishes all of the above to itable_has(). */
	port_atomic_store_release(&t->nr_leaves, nr + 1);
	return true;
}

int itable_grow(struct itable *t, enum port_alloc how)
{
	struct itable_leaf *leaf;
	struct itable_node *node = NULL;
	u32 nr = (u32)port_atomic_load_acquire(&t->nr_leaves);
	bool appended = false;

	if (nr >= ITABLE_MAX_LEAVES)
		return -PORT_ENOSPC;
	leaf = itable_leaf_create(how);
	if (!leaf)
		return -PORT_ENOMEM;
	/* Others may grow the table at the same time: ready for either case. */
	if (!(nr & (ITABLE_FANOUT - 1)) || !((nr + 1) & (ITABLE_FANOUT - 1))) {
		node = port_meta_alloc(sizeof(*node), how);
		if (!node) {
			itable_leaf_destroy(leaf);
			return -PORT_ENOMEM;
		}
	}
	port_spin_lock(&t->grow_lock);
	if (port_atomic_load(&t->nr_leaves) < ITABLE_MAX_LEAVES)
		appended = itable_append(t, leaf, &node);
	port_spin_unlock(&t->grow_lock);
	if (!appended)
		itable_leaf_destroy(leaf);
	port_meta_free(node, sizeof(*node));
	/* Not appended: so many others grew it that there is something to take. */
	return 0;
}

int itable_init(struct itable *t)
{
	t->root = port_meta_alloc(sizeof(port_atomic) * ITABLE_FANOUT, PORT_ALLOC_WAIT);
	if (!t->root)
		return -PORT_ENOMEM;
	port_spin_init(&t->grow_lock);
	port_atomic_store(&t->nr_leaves, 0);
	port_atomic_store(&t->meta_bytes, sizeof(port_atomic) * ITABLE_FANOUT);
	return 0;
}

void itable_fini(struct itable *t)
{
	u32 nr = (u32)port_atomic_load_acquire(&t->nr_leaves);
	u32 i;

	for (i = 0; i < nr; i++)
		itable_leaf_destroy(itable_leaf(t, i << ITABLE_SHIFT));
	for (i = 0; i < nr; i += ITABLE_FANOUT)
		port_meta_free(itable_node(t, i), sizeof(struct itable_node));
	port_meta_free(t->root, sizeof(port_atomic) * ITABLE_FANOUT);
}
