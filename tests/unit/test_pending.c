/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* The pending map by itself: each walk goes forward, once around, and ends. */
#include "bare_table.h"
#include "handle.h"
#include "objects.h"
#include "pending.h"

/* As a push does. Returns whether its leaf was not in the summary. */
static bool push(struct handle_table *t, u32 index)
{
	port_atomic_or(table_value(t, index), ENTRY_PENDING);
	return pending_flag(t, table_leaf(t, index), index);
}

static void flags_are_found_in_every_node(void **state)
{
	static const u32 set[] = {0, TABLE_FANOUT - 1, 300 * TABLE_FANOUT + 77,
				  (TABLE_FANOUT + 1) * TABLE_FANOUT - 1};
	u32 found[TABLE_FANOUT];
	struct pending_walk walk;
	struct handle_table t;

	(void)state;
	table_with_leaves(&t, TABLE_FANOUT + 1);
	for (size_t i = 0; i < ARRAY_SIZE(set); i++) {
		push(&t, set[i]);
		/* Its group has a flag now: nothing more to do. */
		assert_false(push(&t, set[i]));
	}
	pending_walk_begin(&walk, &t, 0);
	assert_int_equal(pending_take(&t, &walk, found, ARRAY_SIZE(found)),
			 ARRAY_SIZE(set));
	assert_memory_equal(found, set, sizeof(set));
	assert_int_equal(pending_take(&t, &walk, found, ARRAY_SIZE(found)), 0);
	assert_false(walk.left);
	pending_walk_begin(&walk, &t, 0);
	assert_int_equal(pending_take(&t, &walk, found, ARRAY_SIZE(found)), 0);
	table_gone(&t);
}

/* From the middle, around the end of the table, to where it began. */
static void a_walk_from_the_middle_comes_around(void **state)
{
	static const u32 set[] = {0, TABLE_FANOUT + 1, 3 * TABLE_FANOUT + 2,
				  4 * TABLE_FANOUT + 3};
	static const u32 order[] = {3 * TABLE_FANOUT + 2, 4 * TABLE_FANOUT + 3, 0,
				    TABLE_FANOUT + 1};
	u32 found[TABLE_FANOUT];
	struct pending_walk walk;
	struct handle_table t;

	(void)state;
	table_with_leaves(&t, 5);
	for (size_t i = 0; i < ARRAY_SIZE(set); i++)
		push(&t, set[i]);
	pending_walk_begin(&walk, &t, 2 * TABLE_FANOUT + 100);
	assert_int_equal(pending_take(&t, &walk, found, ARRAY_SIZE(found)),
			 ARRAY_SIZE(set));
	assert_memory_equal(found, order, sizeof(order));
	assert_int_equal(pending_take(&t, &walk, found, ARRAY_SIZE(found)), 0);
	/* Of a handle that the table does not have, from the beginning. */
	push(&t, 7);
	pending_walk_begin(&walk, &t, 5 * TABLE_FANOUT);
	assert_int_equal(walk.leaf_nr, 0);
	assert_true(pending_take(&t, &walk, found, ARRAY_SIZE(found)) > 0);
	assert_int_equal(pending_take(&t, &walk, found, ARRAY_SIZE(found)), 0);
	table_gone(&t);
}

/* A producer may have set the first flag of a leaf, and not come to publish it. */
static void flags_that_are_not_published_are_found_after(void **state)
{
	u32 found[TABLE_FANOUT];
	struct pending_walk walk;
	struct handle_table t;

	(void)state;
	table_with_leaves(&t, 3);
	port_atomic_or(table_value(&t, 2 * TABLE_FANOUT), ENTRY_PENDING);
	port_atomic_or(&table_leaf(&t, 2 * TABLE_FANOUT)->pending, 1);
	pending_walk_begin(&walk, &t, 0);
	assert_int_equal(pending_take(&t, &walk, found, ARRAY_SIZE(found)), 0);
	assert_true(pending_publish(&t, 2));
	assert_false(pending_publish(&t, 2));
	pending_walk_begin(&walk, &t, 0);
	assert_int_equal(pending_take(&t, &walk, found, ARRAY_SIZE(found)), 1);
	assert_int_equal(found[0], 2 * TABLE_FANOUT);
	table_gone(&t);
}

/*
 * A walk ends though a producer pushes at its heels all the time, and says that it has
 * left something; what was pushed before it is taken.
 */
static void a_walk_ends_while_others_push(void **state)
{
	enum { LEAVES = 10 };
	u32 found[TABLE_STEP];
	struct pending_walk walk;
	struct handle_table t;
	size_t total = 0, calls = 0;

	(void)state;
	table_with_leaves(&t, LEAVES);
	for (u32 i = 0; i < LEAVES; i++)
		push(&t, i * TABLE_FANOUT + TABLE_FANOUT - 1);
	pending_walk_begin(&walk, &t, 0);
	do {
		for (u32 i = 0; i < LEAVES; i++)
			push(&t, i * TABLE_FANOUT);
		total += pending_take(&t, &walk, found, ARRAY_SIZE(found));
		assert_true(++calls <= LEAVES * TABLE_FANOUT / TABLE_STEP + 1);
	} while (!walk.over);
	assert_true(walk.left);
	/* Each leaf's last, and its first at most once. */
	assert_in_range(total, LEAVES, 2 * LEAVES);
	for (u32 i = 0; i < LEAVES; i++)
		assert_int_equal(
			port_atomic_load(&table_leaf(&t, i * TABLE_FANOUT)->pending) >>
				(TABLE_FLAGS - 1),
			0);
	table_gone(&t);
}

/* Flags without pending entries below, as a flush leaves them, do not make a call long.
 */
static void a_call_reads_so_many_stale_flags(void **state)
{
	enum { LEAVES = 64, LINES = 2 * TABLE_STEP };
	u32 found[TABLE_STEP];
	struct pending_walk walk;
	struct handle_table t;
	size_t calls = 0, left;

	(void)state;
	table_with_leaves(&t, LEAVES);
	for (u32 i = 0; i < LEAVES * TABLE_FANOUT; i += TABLE_GROUP)
		pending_flag(&t, table_leaf(&t, i), i);
	push(&t, LEAVES * TABLE_FANOUT - 1);
	pending_walk_begin(&walk, &t, 0);
	for (left = LEAVES * TABLE_FLAGS; !walk.over; calls++) {
		size_t n = pending_take(&t, &walk, found, ARRAY_SIZE(found));
		size_t now = 0;

		for (u32 i = 0; i < LEAVES; i++)
			now += __builtin_popcountll(port_atomic_load(
				&table_leaf(&t, i * TABLE_FANOUT)->pending));
		assert_in_range(left - now, n, LINES + TABLE_STEP / TABLE_GROUP);
		left = now;
		if (n)
			assert_int_equal(found[0], LEAVES * TABLE_FANOUT - 1);
	}
	assert_int_equal(left, 0);
	assert_true(calls >= LEAVES * TABLE_FLAGS / (LINES + TABLE_STEP));
	table_gone(&t);
}

/* Leaves that the table gets meanwhile are for the next walk, and the turn ends too. */
static void a_walk_ends_where_the_table_ended(void **state)
{
	u32 found[TABLE_FANOUT];
	struct pending_walk walk;
	struct handle_table t;

	(void)state;
	table_with_leaves(&t, 4);
	push(&t, 2 * TABLE_FANOUT);
	pending_walk_begin(&walk, &t, 2 * TABLE_FANOUT);
	assert_int_equal(table_grow(&t, PORT_ALLOC_WAIT), 0);
	push(&t, 4 * TABLE_FANOUT);
	assert_int_equal(pending_take(&t, &walk, found, ARRAY_SIZE(found)), 1);
	assert_int_equal(found[0], 2 * TABLE_FANOUT);
	push(&t, 2 * TABLE_FANOUT + 1);
	assert_int_equal(pending_take(&t, &walk, found, ARRAY_SIZE(found)), 0);
	pending_walk_begin(&walk, &t, 0);
	assert_int_equal(pending_take(&t, &walk, found, ARRAY_SIZE(found)), 3);
	table_gone(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags_are_found_in_every_node),
		cmocka_unit_test(a_walk_from_the_middle_comes_around),
		cmocka_unit_test(flags_that_are_not_published_are_found_after),
		cmocka_unit_test(a_walk_ends_while_others_push),
		cmocka_unit_test(a_call_reads_so_many_stale_flags),
		cmocka_unit_test(a_walk_ends_where_the_table_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
