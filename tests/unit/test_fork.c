/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* What lethe/zsmalloc.h says of fork(), as far as it says that something works. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "objects.h"

enum { OBJECTS = 1000, CHILDREN = 10 };

/* Use a pool from its beginning to its end; false: something is wrong with it. */
static bool use_a_pool(enum zs_defer_policy policy, u64 seed)
{
	struct zs_pool_params params = {.policy = policy};
	struct object o[OBJECTS];
	struct zs_pool *pool;
	bool good = true;

	if (zs_create_pool("fork", &params, &pool))
		return false;
	for (int i = 0; i < OBJECTS; i++)
		good &= !object_try_create(pool, &o[i], random_size(&seed), (u32)i);
	for (int i = 0; i < OBJECTS; i++) {
		good &= object_is_intact(pool, &o[i]);
		zs_free_deferred(pool, o[i].handle);
	}
	/* Its drain threads run. */
	for (int i = 0; i < TEST_WAIT_MS && zs_get_total_pages(pool); i++)
		test_sleep_ms(1);
	good &= !zs_get_total_pages(pool);
	zs_destroy_pool(pool);
	return good && !user_pages_outstanding() && !user_meta_outstanding();
}

/* Fork @n processes that use a pool each, all at a time, this one too. */
static void fork_users(enum zs_defer_policy policy, int n)
{
	pid_t child[CHILDREN];
	int status;

	fflush(NULL);
	for (int i = 0; i < n; i++) {
		child[i] = fork();
		assert_true(child[i] >= 0);
		if (!child[i])
			_exit(use_a_pool(policy, (u64)i + 1) ? 0 : 1);
	}
	assert_true(use_a_pool(policy, 100));
	for (int i = 0; i < n; i++) {
		assert_int_equal(waitpid(child[i], &status, 0), child[i]);
		assert_int_equal(status, 0);
	}
}

/* Before the first pool and after the last, which is the case of every later call. */
static void children_of_a_process_without_pools_have_their_own(void **state)
{
	fork_users(test_policy(state), 3);
	fork_users(test_policy(state), 3);
}

/* Whatever its drain threads are at, its children end, or run another program. */
static void a_parent_goes_on(void **state)
{
	struct zs_pool *pool = pool_create(test_policy(state), 0);
	struct object o[OBJECTS];
	u64 seed = 7;
	int status;

	objects_create(pool, o, OBJECTS, &seed);
	fflush(NULL);
	for (int i = 0; i < CHILDREN; i++) {
		pid_t child;

		objects_free_deferred(pool, o, OBJECTS / 2);
		child = fork();
		assert_true(child >= 0);
		if (!child && i % 2)
			_exit(0);
		if (!child) {
			execl("/bin/true", "true", (char *)NULL);
			_exit(2);
		}
		objects_create(pool, o, OBJECTS / 2, &seed);
		objects_verify(pool, o, OBJECTS);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
	}
	zs_free_deferred_flush(pool);
	assert_int_equal(pool_stats(pool).objects, OBJECTS);
	pool_check_account(pool);
	pool_destroy(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_EACH_POLICY(children_of_a_process_without_pools_have_their_own),
		TEST_EACH_POLICY(a_parent_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
