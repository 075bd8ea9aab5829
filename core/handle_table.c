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

/* The values of all leaves without indices. Nothing writes them. */
static port_atomic no_values[TABLE_FANOUT];

#define VALUES_SIZE (sizeof(port_atomic) * TABLE_FANOUT)

static port_atomic *leaf_values(const struct table_leaf *leaf)
{
	return table_leaf_value(leaf, 0);
}

static void table_leaf_destroy(struct table_leaf *leaf)
{
	if (leaf_values(leaf) != no_values)
		port_meta_free(leaf_values(leaf), VALUES_SIZE);
	port_meta_free(leaf, sizeof(*leaf));
}

static struct table_leaf *table_leaf_create(port_atomic *values, enum port_alloc how)
{
	struct table_leaf *leaf = port_meta_alloc(sizeof(*leaf), how);
	u32 w;

	if (!leaf)
		return NULL;
	port_atomic_store(&leaf->values, (u64)(uintptr_t)values);
	for (w = 0; w < TABLE_WORDS; w++)
		port_atomic_store(&leaf->free[w], ~(u64)0);
	return leaf;
}

/* @values to a leaf of which the caller has all indices, and these to the table. */
static void leaf_restore(struct handle_table *t, struct table_leaf *leaf, u32 leaf_nr,
			 port_atomic *values)
{
	u32 w;

	port_atomic_store_release(&leaf->values, (u64)(uintptr_t)values);
	/* Fully ordered: the task that takes an index finds the values. */
	for (w = 0; w < TABLE_WORDS; w++)
		table_put(t, (leaf_nr << TABLE_SHIFT) + w * 64, ~(u64)0);
}

/* Give @values to a leaf without. False: there is none. */
static bool table_restore_leaf(struct handle_table *t, port_atomic *values)
{
	struct table_leaf *leaf;
	u32 leaf_nr;

	port_spin_lock(&t->grow_lock);
	if (!t->stripped) {
		port_spin_unlock(&t->grow_lock);
		return false;
	}
	leaf_nr = t->stripped - 1;
	leaf = table_leaf(t, leaf_nr << TABLE_SHIFT);
	t->stripped = leaf->next_stripped;
	port_spin_unlock(&t->grow_lock);
	port_atomic_add(&t->meta_bytes, port_meta_size(VALUES_SIZE));
	leaf_restore(t, leaf, leaf_nr, values);
	return true;
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
			port_meta_size(sizeof(*leaf)) + port_meta_size(VALUES_SIZE));
	/* Publishes all of the above to table_has(). */
	port_atomic_store_release(&t->nr_leaves, nr + 1);
	return true;
}

/* A leaf more, of @values. 0, -PORT_ENOMEM, or -PORT_ENOSPC: they are not used. */
static int table_add_leaf(struct handle_table *t, port_atomic *values,
			  enum port_alloc how)
{
	struct table_leaf *leaf;
	struct table_node *node = NULL;
	u32 nr = (u32)port_atomic_load_acquire(&t->nr_leaves);
	bool appended = false;

	if (nr >= TABLE_MAX_LEAVES)
		return -PORT_ENOSPC;
	leaf = table_leaf_create(values, how);
	if (!leaf)
		return -PORT_ENOMEM;
	/* Another task may grow the table meanwhile: be ready for either case. */
	if (!(nr & (TABLE_FANOUT - 1)) || !((nr + 1) & (TABLE_FANOUT - 1))) {
		node = port_meta_alloc(sizeof(*node), how);
		if (!node) {
			port_meta_free(leaf, sizeof(*leaf));
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

int table_grow(struct handle_table *t, enum port_alloc how)
{
	port_atomic *values = port_meta_alloc(VALUES_SIZE, how);
	int err;

	if (!values)
		return -PORT_ENOMEM;
	if (table_restore_leaf(t, values))
		return 0;
	err = table_add_leaf(t, values, how);
	if (err)
		port_meta_free(values, VALUES_SIZE);
	return err;
}

/* Take all indices of a leaf. False: some are in use, and the others are free again. */
static bool leaf_take_all(struct handle_table *t, struct table_leaf *leaf, u32 leaf_nr)
{
	u32 base = leaf_nr << TABLE_SHIFT;
	u64 bits = ~(u64)0;
	u32 w;

	for (w = 0; w < TABLE_WORDS; w++) {
		if (~port_atomic_load(&leaf->free[w]))
			return false;
	}
	for (w = 0; w < TABLE_WORDS && !~bits; w++)
		bits = port_atomic_xchg(&leaf->free[w], 0);
	if (!~bits)
		return true;
	/* Another task was faster with a word of it. */
	while (w--) {
		table_put(t, base + w * 64, bits);
		bits = ~(u64)0;
	}
	return false;
}

/*
 * Free the values of a leaf of which the caller has taken all indices. False: a drain may
 * read them, and all is as it was.
 */
static bool leaf_strip(struct handle_table *t, struct table_leaf *leaf, u32 leaf_nr)
{
	port_atomic *values = leaf_values(leaf);

	port_atomic_store(&leaf->values, (u64)(uintptr_t)no_values);
	/* See "Shrinking" in handle_table.h. */
	port_atomic_fence();
	if (port_atomic_load_acquire(&t->readers)) {
		leaf_restore(t, leaf, leaf_nr, values);
		return false;
	}
	port_meta_free(values, VALUES_SIZE);
	port_atomic_add(&t->meta_bytes, -(u64)port_meta_size(VALUES_SIZE));
	/* All indices are the caller's, so nothing sets the bit until they are back. */
	port_atomic_and(table_summary_word(t, TABLE_FREE, leaf_nr),
			~((u64)1 << (leaf_nr % 64)));
	port_spin_lock(&t->grow_lock);
	leaf->next_stripped = t->stripped;
	t->stripped = leaf_nr + 1;
	port_spin_unlock(&t->grow_lock);
	return true;
}

/* Leaves that are looked at between two points where the caller can be preempted. */
#define SHRINK_STEP 256u

void table_shrink(struct handle_table *t, u32 leaves)
{
	u32 nr = (u32)port_atomic_load_acquire(&t->nr_leaves);
	u64 idle = 0;
	u32 n;

	if (!port_atomic_cmpxchg_acquire(&t->shrinking, &idle, 1))
		return;
	for (n = 0; n < leaves && n < nr; n++) {
		u32 leaf_nr = t->shrink_from < nr ? t->shrink_from : 0;
		struct table_leaf *leaf = table_leaf(t, leaf_nr << TABLE_SHIFT);

		if (leaf_take_all(t, leaf, leaf_nr) && !leaf_strip(t, leaf, leaf_nr))
			break;
		t->shrink_from = leaf_nr + 1;
		if (n % SHRINK_STEP == SHRINK_STEP - 1)
			port_yield();
	}
	port_atomic_store_release(&t->shrinking, 0);
}

int table_init(struct handle_table *t)
{
	t->root = port_meta_alloc(sizeof(port_atomic) * TABLE_FANOUT, PORT_ALLOC_WAIT);
	if (!t->root)
		return -PORT_ENOMEM;
	port_spin_init(&t->grow_lock);
	t->stripped = t->shrink_from = 0;
	port_atomic_store(&t->readers, 0);
	port_atomic_store(&t->shrinking, 0);
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
