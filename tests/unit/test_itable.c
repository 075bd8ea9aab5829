/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* The handle table by itself: sizes that no test of a pool comes to. */
#include <errno.h>

#include "objects.h"
#include "itable.h"

static void table_with_leaves(struct itable *t, u32 leaves)
{
	assert_int_equal(itable_init(t), 0);
	for (u32 i = 0; i < leaves; i++)
		assert_int_equal(itable_grow(t, PORT_ALLOC_WAIT), 0);
}

static void table_gone(struct itable *t)
{
	itable_fini(t);
	assert_int_equal(user_meta_outstanding(), 0);
}

/* Each index is given out once, whichever node it is of. */
static void a_table_grows_past_a_node(void **state)
{
	enum { LEAVES = ITABLE_FANOUT + 2 };
	struct itable_cursor cursor = {0};
	struct itable t;
	u32 index, n = 0;

	(void)state;
	table_with_leaves(&t, LEAVES);
	assert_true(itable_has(&t, LEAVES * ITABLE_FANOUT - 1));
	assert_false(itable_has(&t, LEAVES * ITABLE_FANOUT));
	assert_int_equal(port_atomic_load(&t.meta_bytes), user_meta_outstanding());
	while (itable_cursor_refill(&t, &cursor)) {
		while (itable_cursor_take(&cursor, &index)) {
			/* Marked as had, by its value. */
			assert_int_equal(port_atomic_load(itable_value(&t, index)), 0);
			port_atomic_store(itable_value(&t, index), 1);
			n++;
		}
	}
	assert_int_equal(n, LEAVES * ITABLE_FANOUT);
	itable_put(&t, (LEAVES - 1) * ITABLE_FANOUT, 1u << 3);
	assert_true(itable_cursor_refill(&t, &cursor));
	assert_true(itable_cursor_take(&cursor, &index));
	assert_int_equal(index, (LEAVES - 1) * ITABLE_FANOUT + 3);
	assert_false(itable_cursor_refill(&t, &cursor));
	table_gone(&t);
}

static void flags_are_found_in_every_node(void **state)
{
	static const u32 set[] = {0, ITABLE_FANOUT - 1, 300 * ITABLE_FANOUT + 77,
				  (ITABLE_FANOUT + 1) * ITABLE_FANOUT - 1};
	u32 found[ITABLE_FANOUT];
	struct itable t;
	struct itable_walk walk = {0};
	size_t n;

	(void)state;
	table_with_leaves(&t, ITABLE_FANOUT + 1);
	for (size_t i = 0; i < ARRAY_SIZE(set); i++) {
		port_atomic_or(itable_value(&t, set[i]), 2);
		itable_flag(&t, itable_leaf(&t, set[i]), set[i]);
		/* Its group has a flag now: nothing more to do. */
		assert_false(itable_flag(&t, itable_leaf(&t, set[i]), set[i]));
	}
	n = itable_take_flagged(&t, &walk, 2, found, ARRAY_SIZE(found));
	assert_int_equal(n, ARRAY_SIZE(set));
	assert_memory_equal(found, set, sizeof(set));
	walk = (struct itable_walk){0};
	assert_int_equal(itable_take_flagged(&t, &walk, 2, found, ARRAY_SIZE(found)), 0);
	table_gone(&t);
}

/* A setter may have set the first flag of a leaf, and not come to say so. */
static void flags_that_are_not_announced_are_found_after(void **state)
{
	u32 found[ITABLE_FANOUT];
	struct itable t;
	struct itable_walk walk = {0};

	(void)state;
	table_with_leaves(&t, 3);
	port_atomic_or(itable_value(&t, 2 * ITABLE_FANOUT), 2);
	port_atomic_or(&itable_leaf(&t, 2 * ITABLE_FANOUT)->flags, 1);
	assert_int_equal(itable_take_flagged(&t, &walk, 2, found, ARRAY_SIZE(found)), 0);
	itable_announce(&t);
	walk = (struct itable_walk){0};
	assert_int_equal(itable_take_flagged(&t, &walk, 2, found, ARRAY_SIZE(found)), 1);
	assert_int_equal(found[0], 2 * ITABLE_FANOUT);
	table_gone(&t);
}

/* A taker of few comes to all, though the first is set all the time. */
static void a_taker_of_few_gets_past_what_is_set_again(void **state)
{
	u32 found[ITABLE_STEP];
	struct itable t;
	static const u32 set[] = {0, ITABLE_FANOUT - 1, 2 * ITABLE_FANOUT};
	struct itable_walk walk = {0};
	size_t i;

	(void)state;
	table_with_leaves(&t, 3);
	for (i = 0; i < ARRAY_SIZE(set); i++) {
		port_atomic_or(itable_value(&t, set[i]), 2);
		itable_flag(&t, itable_leaf(&t, set[i]), set[i]);
	}
	for (i = 0; i < 2 * ARRAY_SIZE(set); i++) {
		itable_flag(&t, itable_leaf(&t, 0), 0);
		assert_int_equal(
			itable_take_flagged(&t, &walk, 2, found, ARRAY_SIZE(found)), 1);
		assert_int_equal(found[0], i < ARRAY_SIZE(set) ? set[i] : 0);
	}
	assert_int_equal(itable_take_flagged(&t, &walk, 2, found, ARRAY_SIZE(found)), 0);
	table_gone(&t);
}

/* At the end of a node, a leaf needs a node too. */
static void no_memory_for_a_node_is_no_leaf(void **state)
{
	struct itable t;

	(void)state;
	table_with_leaves(&t, ITABLE_FANOUT);
	for (u64 nth = 1; nth <= 3; nth++) {
		user_fault_arm(USER_FAULT_META, nth, 1);
		assert_int_equal(itable_grow(&t, PORT_ALLOC_WAIT), -ENOMEM);
		assert_int_equal(user_fault_disarm(), 1);
		assert_int_equal(port_atomic_load(&t.nr_leaves), ITABLE_FANOUT);
		assert_int_equal(port_atomic_load(&t.meta_bytes),
				 user_meta_outstanding());
	}
	assert_int_equal(itable_grow(&t, PORT_ALLOC_WAIT), 0);
	table_gone(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_grows_past_a_node),
		cmocka_unit_test(flags_are_found_in_every_node),
		cmocka_unit_test(flags_that_are_not_announced_are_found_after),
		cmocka_unit_test(a_taker_of_few_gets_past_what_is_set_again),
		cmocka_unit_test(no_memory_for_a_node_is_no_leaf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
