/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* Deferral: when the worker comes, who is at its side, and when it gives way. */
#include <stdlib.h>

#include "hold.h"
#include "pool.h"

/* Below the threshold a timer is set, at the threshold the worker is wanted at once. */
static void threshold_kicks_the_worker(void **state)
{
	enum { BUDGET = 256 };
	struct zs_pool *pool = pool_create(test_policy(state), BUDGET);
	struct object o[BUDGET];
	struct worker_hold hold;

	objects_create_equal(pool, o, ARRAY_SIZE(o), SIZE);
	/* Held in a run, it cannot begin the one that it is armed for. */
	worker_hold(&hold, pool);
	objects_free_deferred(pool, o, BUDGET / 4);
	assert_int_equal(port_atomic_load(&pool->defer.armed), DEFER_SOON);
	objects_free_deferred(pool, o + BUDGET / 4, BUDGET / 2);
	assert_int_equal(port_atomic_load(&pool->defer.armed), DEFER_NOW);
	worker_release(&hold);
	TEST_WAIT_UNTIL(!zs_deferred_pending(pool));
	assert_true(pool_stats(pool).drained >= BUDGET * 3 / 4);
	objects_free_deferred(pool, o + BUDGET * 3 / 4, BUDGET / 4);
	pool_destroy(pool);
}

static size_t objects_pushed_aside(struct zs_pool *pool, struct worker_hold *hold,
				   struct object *o, size_t n)
{
	objects_create_equal(pool, o, n, SIZE);
	worker_hold(hold, pool);
	objects_free_deferred(pool, o, n);
	return n + hold->handles;
}

/* The worker, when it sees how much there is, gets help. */
static void a_large_backlog_has_two_drains(void **state)
{
	enum { N = 2 * DEFER_BACKLOG + FREE_LARGE_BATCH };
	struct zs_pool *pool = pool_create(test_policy(state), N + 1);
	struct object *o = calloc(N, sizeof(*o));
	port_atomic *aided = &pool->defer.freed[DEFER_BY_AIDE];
	struct worker_hold hold;
	size_t pushed = 0;

	assert_non_null(o);
	/* On a busy machine the worker may be done before the aide gets a CPU. */
	for (int round = 0; round < 200 && !port_atomic_load(aided); round++) {
		pushed += objects_pushed_aside(pool, &hold, o, N);
		worker_release(&hold);
		TEST_WAIT_UNTIL(!zs_deferred_pending(pool));
	}
	assert_true(port_atomic_load(aided) > 0);
	assert_true(port_atomic_load(aided) <= pool_stats(pool).drained);
	assert_int_equal(pool_stats(pool).drained + pool_stats(pool).producer_drained,
			 pushed);
	free(o);
	pool_destroy(pool);
}

/* The aide goes when its CPU is wanted, and what it leaves is not forgotten. */
static void an_aide_that_goes_arms_the_worker(void **state)
{
	enum { N = 3 * FREE_LARGE_BATCH };
	struct zs_pool *pool = pool_create(test_policy(state), N + 1);
	struct object *o = calloc(N, sizeof(*o));
	port_atomic *aided = &pool->defer.freed[DEFER_BY_AIDE];
	struct worker_hold hold;
	size_t pushed;

	assert_non_null(o);
	pushed = objects_pushed_aside(pool, &hold, o, N);
	port_atomic_store(&pool->defer.armed, DEFER_IDLE);
	user_fault_arm(USER_FAULT_CPU, 1, 1);
	port_work_schedule(&pool->defer.aide, 0);
	TEST_WAIT_UNTIL(user_fault_seen() == 1);
	port_work_cancel(&pool->defer.aide);
	/* Wanted before it began, it has done nothing. */
	assert_int_equal(port_atomic_load(aided), 0);
	assert_int_equal(port_atomic_load(&pool->defer.armed), DEFER_IDLE);
	user_fault_arm(USER_FAULT_CPU, 2, 1);
	port_work_schedule(&pool->defer.aide, 0);
	TEST_WAIT_UNTIL(port_atomic_load(&pool->defer.armed) == DEFER_SOON);
	assert_int_equal(user_fault_disarm(), 1);
	/* One slice of it, and no more. */
	assert_true(port_atomic_load(aided) > 0);
	assert_true(port_atomic_load(aided) <= FREE_LARGE_BATCH);
	assert_int_equal(zs_deferred_pending(pool), pushed - port_atomic_load(aided));
	worker_release(&hold);
	TEST_WAIT_UNTIL(!zs_deferred_pending(pool));
	free(o);
	pool_destroy(pool);
}

/* Whose CPU is wanted waits with nothing in its hands: others find all there is. */
static void a_resting_worker_hides_nothing(void **state)
{
	enum { N = 2 * FREE_LARGE_BATCH };
	struct zs_pool *pool = pool_create(test_policy(state), N + 1);
	struct object *o = calloc(N, sizeof(*o));
	struct defer *d = &pool->defer;
	struct worker_hold hold;

	assert_non_null(o);
	objects_pushed_aside(pool, &hold, o, N);
	user_fault_arm(USER_FAULT_CPU, 1, ~0ull);
	worker_release(&hold);
	TEST_WAIT_UNTIL(user_fault_seen() > 1);
	assert_int_equal(port_atomic_load(&d->holders[0]), 0);
	assert_int_equal(port_atomic_load(&d->holders[1]), 0);
	assert_true(zs_deferred_pending(pool) > 0);
	zs_drain_deferred(pool, ZS_FLUSH_SHRINKER);
	assert_int_equal(zs_deferred_pending(pool), 0);
	assert_int_equal(pool_stats(pool).objects, 0);
	user_fault_disarm();
	pool_check_account(pool);
	free(o);
	pool_destroy(pool);
}

/* However busy the machine: the quickest of many rounds tells what the timer does. */
static u64 quickest_drain_ns(struct zs_pool *pool, struct object *o, size_t n, int rounds)
{
	u64 quickest = ~0ull;

	for (int r = 0; r < rounds; r++) {
		u64 start, took;

		objects_create_equal(pool, o, n, SIZE);
		zs_free_deferred_flush(pool);
		start = port_now_ns();
		objects_free_deferred(pool, o, n);
		TEST_WAIT_UNTIL_BUSY(!zs_deferred_pending(pool));
		took = port_now_ns() - start;
		if (took < quickest)
			quickest = took;
	}
	return quickest;
}

static void remainder_is_drained_by_the_timer(void **state)
{
	struct zs_pool *pool = pool_create(test_policy(state), 1000);
	struct object o[1000];
	struct zs_pool_stats s;
	u64 quickest = quickest_drain_ns(pool, o, 10, 20);

	/* After a few ms for company, and soon after that. */
	assert_true(quickest >= DEFER_TIMER_MS * 1000000ull * 3 / 4);
	assert_true(quickest < 200 * 1000000ull);
	s = pool_stats(pool);
	assert_int_equal(s.drained, 10 * 20);
	assert_int_equal(s.objects, 0);
	pool_check_account(pool);
	pool_destroy(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_EACH_DEFERRING(threshold_kicks_the_worker),
		TEST_EACH_DEFERRING(a_large_backlog_has_two_drains),
		TEST_EACH_DEFERRING(an_aide_that_goes_arms_the_worker),
		TEST_EACH_DEFERRING(a_resting_worker_hides_nothing),
		TEST_EACH_DEFERRING(remainder_is_drained_by_the_timer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
