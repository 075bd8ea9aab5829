/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* The handle table by itself: sizes that no test of a pool comes to. */
#include <errno.h>

#include "bare_table.h"
#include "objects.h"

/* Bytes of a leaf's values */
static size_t values_size(void)
{
	return port_meta_size(TABLE_FANOUT * sizeof(port_atomic));
}

/* All indices that the table has, by number. */
static u32 table_take_all(struct handle_table *t)
{
	struct table_cursor cursor = {0};
	u32 n = 0;

	while (table_cursor_refill(t, &cursor) || table_rewind(t)) {
		n += __builtin_popcountll(cursor.mask);
		cursor.mask = 0;
	}
	return n;
}

/* Each index is given out once, whichever node it is of. */
static void a_table_grows_past_a_node(void **state)
{
	enum { LEAVES = TABLE_FANOUT + 2 };
	struct table_cursor cursor = {0};
	struct handle_table t;
	u32 index, n = 0;

	(void)state;
	table_with_leaves(&t, LEAVES);
	assert_true(table_has(&t, LEAVES * TABLE_FANOUT - 1));
	assert_false(table_has(&t, LEAVES * TABLE_FANOUT));
	assert_int_equal(port_atomic_load(&t.meta_bytes), user_meta_outstanding());
	while (table_cursor_refill(&t, &cursor) || table_rewind(&t)) {
		while (table_cursor_take(&cursor, &index)) {
			/* Marked as had, by its value. */
			assert_int_equal(port_atomic_load(table_value(&t, index)), 0);
			port_atomic_store(table_value(&t, index), 1);
			n++;
		}
	}
	assert_int_equal(n, LEAVES * TABLE_FANOUT);
	table_put(&t, (LEAVES - 1) * TABLE_FANOUT, 1u << 3);
	assert_true(table_cursor_refill(&t, &cursor));
	assert_true(table_cursor_take(&cursor, &index));
	assert_int_equal(index, (LEAVES - 1) * TABLE_FANOUT + 3);
	assert_false(table_cursor_refill(&t, &cursor));
	table_gone(&t);
}

/* After much was freed at the front, indices from there are given out before it grows. */
static void a_table_does_not_grow_while_it_has_room(void **state)
{
	struct table_cursor cursor = {0};
	struct handle_table t;
	u32 index;

	(void)state;
	table_with_leaves(&t, 3);
	assert_int_equal(table_take_all(&t), 3 * TABLE_FANOUT);
	table_put(&t, 64, 1u << 5);
	assert_false(table_cursor_refill(&t, &cursor));
	assert_true(table_rewind(&t));
	assert_true(table_cursor_refill(&t, &cursor));
	assert_true(table_cursor_take(&cursor, &index));
	assert_int_equal(index, 69);
	table_gone(&t);
}

/* A scan finds what has all of the bits, a bounded part of the table a call. */
static void a_scan_reads_every_value_once(void **state)
{
	enum { LEAVES = 2 * TABLE_SCAN_LEAVES + 3 };
	static const u32 set[] = {0, 63, TABLE_FANOUT, LEAVES * TABLE_FANOUT - 1};
	u32 found[8];
	struct handle_table t;
	size_t n = 0;
	u64 at = 0;
	int calls = 0;

	(void)state;
	table_with_leaves(&t, LEAVES);
	for (size_t i = 0; i < ARRAY_SIZE(set); i++)
		port_atomic_or(table_value(&t, set[i]), 6);
	port_atomic_or(table_value(&t, 1), 2);
	while (at < (u64)LEAVES * TABLE_FANOUT) {
		n += table_scan(&t, &at, 6, found + n, ARRAY_SIZE(found) - n);
		calls++;
	}
	assert_int_equal(n, ARRAY_SIZE(set));
	assert_memory_equal(found, set, sizeof(set));
	assert_int_equal(calls, 3);
	/* With room for one it stops behind that one. */
	at = 0;
	assert_int_equal(table_scan(&t, &at, 6, found, 1), 1);
	assert_int_equal(at, 1);
	table_gone(&t);
}

static void table_put_leaf(struct handle_table *t, u32 leaf_nr)
{
	for (u32 w = 0; w < TABLE_WORDS; w++)
		table_put(t, leaf_nr * TABLE_FANOUT + w * 64, ~(u64)0);
}

/* Leaves without handles give their values back, and get some again. */
static void a_table_shrinks_and_grows_again(void **state)
{
	enum { LEAVES = 74, KEPT = 5 };
	struct handle_table t;
	size_t full;
	u32 leaf = 0;

	(void)state;
	table_with_leaves(&t, LEAVES);
	full = user_meta_outstanding();
	assert_int_equal(table_take_all(&t), LEAVES * TABLE_FANOUT);
	table_shrink(&t, ~0u);
	assert_int_equal(user_meta_outstanding(), full);
	/* A word of leaf KEPT stays in use, with a value. */
	port_atomic_store(table_value(&t, KEPT * TABLE_FANOUT), 7);
	for (u32 i = 0; i < LEAVES; i++) {
		if (i != KEPT)
			table_put_leaf(&t, i);
	}
	for (u32 w = 1; w < TABLE_WORDS; w++)
		table_put(&t, KEPT * TABLE_FANOUT + w * 64, ~(u64)0);
	table_shrink(&t, ~0u);
	assert_int_equal(user_meta_outstanding(), full - (LEAVES - 1) * values_size());
	assert_int_equal(port_atomic_load(&t.meta_bytes), user_meta_outstanding());
	assert_int_equal(port_atomic_load(table_value(&t, KEPT * TABLE_FANOUT)), 7);
	assert_int_equal(port_atomic_load(table_value(&t, 3)), 0);
	/* A look for free indices passes over leaves without values. */
	assert_true(table_next_leaf(&t, TABLE_FREE, &leaf));
	assert_int_equal(leaf++, KEPT);
	assert_false(table_next_leaf(&t, TABLE_FREE, &leaf));
	/* What is left is given out, and then leaves get values again. */
	assert_int_equal(table_take_all(&t), TABLE_FANOUT - 64);
	for (u32 i = 1; i < LEAVES; i++) {
		assert_int_equal(table_grow(&t, PORT_ALLOC_WAIT), 0);
		assert_int_equal(table_take_all(&t), TABLE_FANOUT);
		assert_int_equal(user_meta_outstanding(),
				 full - (LEAVES - 1 - i) * values_size());
	}
	assert_int_equal(port_atomic_load(&t.nr_leaves), LEAVES);
	for (u32 i = 0; i < LEAVES * TABLE_FANOUT; i++) {
		assert_int_equal(port_atomic_xchg(table_value(&t, i), i + 1),
				 i == KEPT * TABLE_FANOUT ? 7 : 0);
	}
	assert_int_equal(table_grow(&t, PORT_ALLOC_WAIT), 0);
	assert_int_equal(port_atomic_load(&t.nr_leaves), LEAVES + 1);
	assert_int_equal(port_atomic_load(&t.meta_bytes), user_meta_outstanding());
	table_gone(&t);
}

/* A part of the table a call, each leaf in its turn. */
static void a_shrink_looks_at_so_many_leaves(void **state)
{
	enum { LEAVES = 7 };
	struct handle_table t;
	size_t full;

	(void)state;
	table_with_leaves(&t, LEAVES);
	full = user_meta_outstanding();
	for (u32 n = 3; n <= 6; n += 3) {
		table_shrink(&t, 3);
		assert_int_equal(user_meta_outstanding(), full - n * values_size());
	}
	table_shrink(&t, 3);
	assert_int_equal(user_meta_outstanding(), full - LEAVES * values_size());
	table_gone(&t);
}

/* Values that a drain may read stay, and so do the leaf's indices. */
static void values_stay_while_a_drain_reads(void **state)
{
	enum { LEAVES = 3 };
	struct handle_table t;
	port_atomic *value;
	size_t full;

	(void)state;
	table_with_leaves(&t, LEAVES);
	full = user_meta_outstanding();
	table_read_begin(&t);
	value = table_value(&t, 3);
	table_shrink(&t, ~0u);
	assert_int_equal(user_meta_outstanding(), full);
	assert_ptr_equal(table_value(&t, 3), value);
	assert_int_equal(table_take_all(&t), LEAVES * TABLE_FANOUT);
	for (u32 i = 0; i < LEAVES; i++)
		table_put_leaf(&t, i);
	table_read_end(&t);
	/* The next goes on where that one stopped. */
	table_shrink(&t, 1);
	assert_int_equal(user_meta_outstanding(), full - values_size());
	assert_ptr_not_equal(table_value(&t, 3), value);
	table_shrink(&t, ~0u);
	assert_int_equal(user_meta_outstanding(), full - LEAVES * values_size());
	table_gone(&t);
}

/* At the end of a node, a leaf needs a node too. */
static void no_memory_for_a_node_is_no_leaf(void **state)
{
	struct handle_table t;

	(void)state;
	table_with_leaves(&t, TABLE_FANOUT);
	for (u64 nth = 1; nth <= 3; nth++) {
		user_fault_arm(USER_FAULT_META, nth, 1);
		assert_int_equal(table_grow(&t, PORT_ALLOC_WAIT), -ENOMEM);
		assert_int_equal(user_fault_disarm(), 1);
		assert_int_equal(port_atomic_load(&t.nr_leaves), TABLE_FANOUT);
		assert_int_equal(port_atomic_load(&t.meta_bytes),
				 user_meta_outstanding());
	}
	assert_int_equal(table_grow(&t, PORT_ALLOC_WAIT), 0);
	table_gone(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_grows_past_a_node),
		cmocka_unit_test(a_table_does_not_grow_while_it_has_room),
		cmocka_unit_test(a_scan_reads_every_value_once),
		cmocka_unit_test(a_table_shrinks_and_grows_again),
		cmocka_unit_test(a_shrink_looks_at_so_many_leaves),
		cmocka_unit_test(values_stay_while_a_drain_reads),
		cmocka_unit_test(no_memory_for_a_node_is_no_leaf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
