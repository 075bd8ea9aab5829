/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* The public API at its edges: arguments, errors, names. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "objects.h"

static void creation_refuses_bad_arguments(void **state)
{
	struct zs_pool *const untouched = (struct zs_pool *)state;
	struct zs_pool_params params = {.policy = ZS_DEFER_NR};
	struct zs_pool *pool = untouched;

	assert_int_equal(zs_create_pool("x", &params, &pool), -EINVAL);
	params.policy = (enum zs_defer_policy)99;
	assert_int_equal(zs_create_pool("x", &params, &pool), -EINVAL);
	assert_int_equal(zs_create_pool(NULL, NULL, &pool), -EINVAL);
	/* More than its queue can count. */
	params.defer_budget = (size_t)UINT32_MAX + 1;
	params.policy = ZS_DEFER_ARRAY;
	assert_int_equal(zs_create_pool("x", &params, &pool), -EINVAL);
	assert_ptr_equal(pool, untouched);
	assert_int_equal(user_meta_outstanding(), 0);
}

static void creation_takes_any_name(void **state)
{
	char name[200];
	struct zs_pool *pool;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(zs_create_pool(name, NULL, &pool), 0);
	pool_destroy(pool);
	assert_int_equal(zs_create_pool("", NULL, &pool), 0);
	pool_destroy(pool);
}

static void defaults_are_as_documented(void **state)
{
	struct zs_pool_params params = {0};
	struct zs_pool_stats s;
	struct zs_pool *pool;

	(void)state;
	for (int with = 0; with < 2; with++) {
		assert_int_equal(zs_create_pool("x", with ? &params : NULL, &pool), 0);
		s = pool_stats(pool);
		assert_int_equal(s.policy, ZS_DEFER_TOMBSTONE);
		assert_true(s.capacity >= (size_t)128 << 20 >> PORT_PAGE_SHIFT);
		assert_int_equal(s.threshold, 4096);
		assert_int_equal(s.page_size, PORT_PAGE_SIZE);
		assert_int_equal(s.pages, 0);
		assert_int_equal(s.objects, 0);
		assert_int_equal(s.pending, 0);
		pool_destroy(pool);
	}
}

static void destroying_nothing_does_nothing(void **state)
{
	(void)state;
	zs_destroy_pool(NULL);
	assert_int_equal(user_meta_outstanding(), 0);
}

static void sizes_out_of_range_are_refused(void **state)
{
	static const size_t bad[] = {0, PORT_PAGE_SIZE + 1, 2 * PORT_PAGE_SIZE, SIZE_MAX};
	struct zs_pool *pool = pool_create(test_policy(state), 0);

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(zs_handle_error(zs_malloc(pool, bad[i])), -EINVAL);
	assert_int_equal(pool_stats(pool).objects, 0);
	assert_int_equal(zs_get_total_pages(pool), 0);
	pool_destroy(pool);
}

static void smallest_and_largest_size_work(void **state)
{
	struct zs_pool *pool = pool_create(test_policy(state), 0);
	struct object o[2];

	object_create(pool, &o[0], 1, 1);
	object_create(pool, &o[1], (u32)PORT_PAGE_SIZE, 2);
	objects_verify(pool, o, 2);
	assert_int_equal(pool_stats(pool).objects, 2);
	objects_free(pool, o, 2);
	assert_int_equal(pool_stats(pool).objects, 0);
	assert_int_equal(zs_get_total_pages(pool), 0);
	pool_destroy(pool);
}

static void void_handles_are_ignored(void **state)
{
	const unsigned long nothing[] = {0, (unsigned long)-ENOMEM,
					 (unsigned long)-EINVAL,
					 (unsigned long)-ZS_MAX_ERRNO, ~0ul};
	struct zs_pool *pool = pool_create(test_policy(state), 0);
	struct zs_pool_stats s;

	for (size_t i = 0; i < ARRAY_SIZE(nothing); i++) {
		zs_free(pool, nothing[i]);
		zs_free_deferred(pool, nothing[i]);
	}
	zs_free_batch(pool, nothing, ARRAY_SIZE(nothing));
	zs_free_batch(pool, NULL, 0);
	zs_free_deferred_flush(pool);
	s = pool_stats(pool);
	assert_int_equal(s.invalid, 0);
	assert_int_equal(s.queued + s.fallback, 0);
	pool_destroy(pool);
}

static void error_values_are_told_from_handles(void **state)
{
	(void)state;
	assert_int_equal(zs_handle_error(0), 0);
	assert_int_equal(zs_handle_error(1), 0);
	assert_int_equal(zs_handle_error(UINT32_MAX), 0);
	assert_int_equal(zs_handle_error((unsigned long)-ENOMEM), -ENOMEM);
	assert_int_equal(zs_handle_error(-ZS_MAX_ERRNO), -(int)ZS_MAX_ERRNO);
	assert_int_equal(zs_handle_error(-ZS_MAX_ERRNO - 1), 0);
}

static void names_and_policies_map_both_ways(void **state)
{
	(void)state;
	for (int p = ZS_DEFER_SYNC; p < ZS_DEFER_NR; p++)
		assert_int_equal(zs_policy_by_name(zs_policy_name(p)), p);
	assert_string_equal(zs_policy_name(ZS_DEFER_SYNC), "sync");
	assert_string_equal(zs_policy_name(ZS_DEFER_ARRAY), "array");
	assert_string_equal(zs_policy_name(ZS_DEFER_TOMBSTONE), "tombstone");
	assert_string_equal(zs_policy_name(ZS_DEFER_DEFAULT), "tombstone");
	assert_null(zs_policy_name(ZS_DEFER_NR));
	assert_int_equal(zs_policy_by_name("default"), ZS_DEFER_DEFAULT);
	assert_int_equal(zs_policy_by_name(""), -EINVAL);
	assert_int_equal(zs_policy_by_name("arr"), -EINVAL);
	assert_int_equal(zs_policy_by_name("arrays"), -EINVAL);
}

static void flush_causes_have_distinct_names(void **state)
{
	(void)state;
	for (int a = 0; a < ZS_FLUSH_NR; a++) {
		assert_non_null(zs_flush_cause_name(a));
		for (int b = 0; b < a; b++)
			assert_string_not_equal(zs_flush_cause_name(a),
						zs_flush_cause_name(b));
	}
	assert_null(zs_flush_cause_name(ZS_FLUSH_NR));
}

/* An unknown cause is not counted under somebody else's. */
static void drain_refuses_an_unknown_cause(void **state)
{
	struct zs_pool *pool = pool_create(ZS_DEFER_TOMBSTONE, 0);
	struct zs_pool_stats s;

	(void)state;
	assert_int_equal(zs_drain_deferred(pool, ZS_FLUSH_NR, 0), 0);
	s = pool_stats(pool);
	for (int i = 0; i < ZS_FLUSH_NR; i++)
		assert_int_equal(s.flushes[i], 0);
	pool_destroy(pool);
}

/* Objects nobody freed go with the pool. */
static void destroying_frees_what_is_left(void **state)
{
	struct zs_pool *pool = pool_create(test_policy(state), 0);
	struct object o[500];
	u64 seed = 5;

	objects_create(pool, o, ARRAY_SIZE(o), &seed);
	pool_destroy(pool);
}

/* Two pools know nothing of each other. */
static void pools_are_apart(void **state)
{
	struct zs_pool *a = pool_create(test_policy(state), 0);
	struct zs_pool *b = pool_create(test_policy(state), 0);
	struct object in_a[200], in_b[200];
	u64 seed = 6;

	objects_create(a, in_a, ARRAY_SIZE(in_a), &seed);
	objects_create(b, in_b, ARRAY_SIZE(in_b), &seed);
	objects_free_deferred(a, in_a, ARRAY_SIZE(in_a));
	zs_destroy_pool(a);
	objects_verify(b, in_b, ARRAY_SIZE(in_b));
	assert_int_equal(pool_stats(b).objects, ARRAY_SIZE(in_b));
	pool_destroy(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(creation_refuses_bad_arguments),
		cmocka_unit_test(creation_takes_any_name),
		cmocka_unit_test(defaults_are_as_documented),
		cmocka_unit_test(destroying_nothing_does_nothing),
		TEST_EACH_POLICY(sizes_out_of_range_are_refused),
		TEST_EACH_POLICY(smallest_and_largest_size_work),
		TEST_EACH_POLICY(void_handles_are_ignored),
		cmocka_unit_test(error_values_are_told_from_handles),
		cmocka_unit_test(names_and_policies_map_both_ways),
		cmocka_unit_test(flush_causes_have_distinct_names),
		cmocka_unit_test(drain_refuses_an_unknown_cause),
		TEST_EACH_POLICY(destroying_frees_what_is_left),
		TEST_EACH_POLICY(pools_are_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
