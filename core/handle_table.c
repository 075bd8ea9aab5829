/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
#include "handle_table.h"

_Static_assert(TABLE_WORDS >= 1 && TABLE_FLAGS <= 64, "a leaf has whole words");
_Static_assert(TABLE_STEP >= TABLE_GROUP && TABLE_STEP % TABLE_GROUP == 0,
	       "a step is some flags");
_Static_assert(TABLE_STEP / TABLE_GROUP < 64 && TABLE_FANOUT % TABLE_STEP == 0,
	       "a leaf is some steps");

bool table_next_leaf(const struct handle_table *t, enum table_summary which, u32 *leaf_nr)
{
	u32 nr = (u32)port_atomic_load_acquire(&t->nr_leaves);
	u32 i = *leaf_nr;

	while (i < nr) {
		u64 bits = port_atomic_load(table_summary_word(t, which, i));

		bits &= ~(u64)0 << (i % 64);
		if (bits) {
			*leaf_nr = (i & ~63u) + port_ctz64(bits);
			/* A leaf beyond is being appended: it is not there yet. */
			return *leaf_nr < nr;
		}
		i = (i & ~63u) + 64;
	}
	return false;
}

port_atomic *table_summary_word(const struct handle_table *t, enum table_summary which,
				u32 leaf_nr)
{
	struct table_node *node = table_node(t, leaf_nr);
	u32 word = (leaf_nr & (TABLE_FANOUT - 1)) / 64;

	return which == TABLE_PENDING ? &node->leaf_pending[word]
				      : &node->leaf_free[word];
}

static bool table_take_free_word(struct table_leaf *leaf, u32 base,
				 struct table_cursor *cursor)
{
	u32 w;

	for (w = 0; w < TABLE_WORDS; w++) {
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

bool table_cursor_refill(struct handle_table *t, struct table_cursor *cursor)
{
	u32 i = (u32)port_atomic_load(&t->free_from);

	while (table_next_leaf(t, TABLE_FREE, &i)) {
		struct table_leaf *leaf = table_leaf(t, i << TABLE_SHIFT);
		port_atomic *summary = table_summary_word(t, TABLE_FREE, i);
		u32 base = i << TABLE_SHIFT;
		u64 bit = (u64)1 << (i % 64);

		if (!table_take_free_word(leaf, base, cursor)) {
			/* The summary was stale. Clear, then look again. */
			port_atomic_and(summary, ~bit);
			if (!table_take_free_word(leaf, base, cursor)) {
				i++;
				continue;
			}
			port_atomic_or(summary, bit);
		}
		port_atomic_store(&t->free_from, i);
		return true;
	}
	return false;
}

bool table_rewind(struct handle_table *t)
{
	u32 from = (u32)port_atomic_load(&t->free_from);
	u32 i = 0;

	if (!table_next_leaf(t, TABLE_FREE, &i) || i >= from)
		return false;
	port_atomic_store(&t->free_from, i);
	return true;
}

void table_put(struct handle_table *t, u32 base, u64 bits)
{
	u32 leaf_nr = base >> TABLE_SHIFT;
	struct table_leaf *leaf = table_leaf(t, base);
	port_atomic *summary = table_summary_word(t, TABLE_FREE, leaf_nr);

	port_atomic_or(&leaf->free[(base / 64) & (TABLE_WORDS - 1)], bits);
	if (unlikely(!(port_atomic_load(summary) >> (leaf_nr % 64) & 1)))
		port_atomic_or(summary, (u64)1 << (leaf_nr % 64));
}

size_t table_scan(const struct handle_table *t, u64 *at, u64 bits, u32 *index, size_t max)
{
	u64 end = table_end(t);
	u64 most = ((*at >> TABLE_SHIFT) + TABLE_SCAN_LEAVES) << TABLE_SHIFT;
	size_t n = 0;
	u64 i;

	if (end > most)
		end = most;
	for (i = *at; i < end && n < max; i++) {
		if ((port_atomic_load(table_value(t, (u32)i)) & bits) == bits)
			index[n++] = (u32)i;
	}
	*at = i;
	return n;
}

static void table_leaf_destroy(struct table_leaf *leaf)
{
	if (!leaf)
		return;
	port_meta_free(leaf->value, sizeof(port_atomic) * TABLE_FANOUT);
	port_meta_free(leaf, sizeof(*leaf));
}

static struct table_leaf *table_leaf_create(enum port_alloc how)
{
	struct table_leaf *leaf = port_meta_alloc(sizeof(*leaf), how);
	u32 w;

	if (!leaf)
		return NULL;
	leaf->value = port_meta_alloc(sizeof(port_atomic) * TABLE_FANOUT, how);
	if (!leaf->value) {
		port_meta_free(leaf, sizeof(*leaf));
		return NULL;
	}
	for (w = 0; w < TABLE_WORDS; w++)
		port_atomic_store(&leaf->free[w], ~(u64)0);
	return leaf;
}

/* Under grow_lock: append @leaf. False: it needs a node and *@node is NULL. */
static bool table_append(struct handle_table *t, struct table_leaf *leaf,
			 struct table_node **node)
{
	u32 nr = (u32)port_atomic_load(&t->nr_leaves);
	port_atomic *root = &t->root[nr >> TABLE_SHIFT];
	struct table_node *n = (struct table_node *)(uintptr_t)port_atomic_load(root);

	if (!n) {
		n = *node;
		if (!n)
			return false;
		*node = NULL;
		port_atomic_store_release(root, (u64)(uintptr_t)n);
		port_atomic_add(&t->meta_bytes, port_meta_size(sizeof(*n)));
	}
	port_atomic_store_release(&n->leaf[nr & (TABLE_FANOUT - 1)],
				  (u64)(uintptr_t)leaf);
	port_atomic_or(&n->leaf_free[(nr & (TABLE_FANOUT - 1)) / 64],
		       (u64)1 << (nr % 64));
	port_atomic_add(&t->meta_bytes,
			port_meta_size(sizeof(*leaf)) +
				port_meta_size(sizeof(port_atomic) * TABLE_FANOUT));
	/* Publishes all of the above to table_has(). */
	port_atomic_store_release(&t->nr_leaves, nr + 1);
	return true;
}

int table_grow(struct handle_table *t, enum port_alloc how)
{
	struct table_leaf *leaf;
	struct table_node *node = NULL;
	u32 nr = (u32)port_atomic_load_acquire(&t->nr_leaves);
	bool appended = false;

	if (nr >= TABLE_MAX_LEAVES)
		return -PORT_ENOSPC;
	leaf = table_leaf_create(how);
	if (!leaf)
		return -PORT_ENOMEM;
	/* Another task may grow the table meanwhile: be ready for either case. */
	if (!(nr & (TABLE_FANOUT - 1)) || !((nr + 1) & (TABLE_FANOUT - 1))) {
		node = port_meta_alloc(sizeof(*node), how);
		if (!node) {
			table_leaf_destroy(leaf);
			return -PORT_ENOMEM;
		}
	}
	port_spin_lock(&t->grow_lock);
	if (port_atomic_load(&t->nr_leaves) < TABLE_MAX_LEAVES)
		appended = table_append(t, leaf, &node);
	port_spin_unlock(&t->grow_lock);
	if (!appended)
		table_leaf_destroy(leaf);
	port_meta_free(node, sizeof(*node));
	/* Not appended: other tasks have grown it, so there is something to take. */
	return 0;
}

int table_init(struct handle_table *t)
{
	t->root = port_meta_alloc(sizeof(port_atomic) * TABLE_FANOUT, PORT_ALLOC_WAIT);
	if (!t->root)
		return -PORT_ENOMEM;
	port_spin_init(&t->grow_lock);
	port_atomic_store(&t->nr_leaves, 0);
	port_atomic_store(&t->meta_bytes,
			  port_meta_size(sizeof(port_atomic) * TABLE_FANOUT));
	return 0;
}

void table_fini(struct handle_table *t)
{
	u32 nr = (u32)port_atomic_load_acquire(&t->nr_leaves);
	u32 i;

	for (i = 0; i < nr; i++)
		table_leaf_destroy(table_leaf(t, i << TABLE_SHIFT));
	for (i = 0; i < nr; i += TABLE_FANOUT)
		port_meta_free(table_node(t, i), sizeof(struct table_node));
	port_meta_free(t->root, sizeof(port_atomic) * TABLE_FANOUT);
}
