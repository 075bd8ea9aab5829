/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* Drain threads: when they come, how many, and when they leave the CPU to producers. */
#include <pthread.h>
#include <stdlib.h>

#include "hold.h"
#include "pool.h"

/* Below the threshold a timer is set, at the threshold the drain thread is woken. */
static void threshold_wakes_the_thread(void **state)
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
	TEST_WAIT_UNTIL(!defer_pending(pool));
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

/* One for every four CPUs or part of it, and not without end. */
static void threads_grow_with_the_machine(void **state)
{
	(void)state;
	assert_int_equal(defer_threads_for(1), 1);
	assert_int_equal(defer_threads_for(4), 1);
	assert_int_equal(defer_threads_for(5), 2);
	assert_int_equal(defer_threads_for(8), 2);
	assert_int_equal(defer_threads_for(9), 3);
	assert_int_equal(defer_threads_for(128), 32);
	assert_int_equal(defer_threads_for(4096), DEFER_THREADS_MAX);
}

static void a_pool_whose_second_thread_fails_is_not_made(void **state)
{
	const struct zs_pool_params params = {.policy = ZS_DEFER_TOMBSTONE};
	struct zs_pool *pool = NULL;

	(void)state;
	user_pretend_cpus(12);
	for (u64 nth = 2; nth <= 3; nth++) {
		user_fault_arm(USER_FAULT_WORK, nth, 1);
		assert_int_equal(zs_create_pool("threads", &params, &pool), -PORT_ENOMEM);
		assert_int_equal(user_fault_disarm(), 1);
		assert_null(pool);
		assert_int_equal(user_meta_outstanding(), 0);
	}
	user_pretend_cpus(0);
}

/* While the first thread is held up, the second frees all there is. */
static void a_second_thread_drains_alone(void **state)
{
	enum { N = 3 * FREE_LARGE_BATCH };
	struct worker_hold hold;
	struct zs_pool *pool;
	struct object *o = calloc(N, sizeof(*o));

	(void)state;
	assert_non_null(o);
	user_pretend_cpus(8);
	pool = pool_create(ZS_DEFER_TOMBSTONE, N + 1);
	user_pretend_cpus(0);
	assert_int_equal(pool->defer.nr_threads, 2);
	objects_pushed_aside(pool, &hold, o, N);
	port_work_schedule(&pool->defer.threads[1].work, 0);
	TEST_WAIT_UNTIL(defer_pending(pool) == hold.handles);
	worker_release(&hold);
	TEST_WAIT_UNTIL(!defer_pending(pool));
	pool_check_account(pool);
	free(o);
	pool_destroy(pool);
}

/* The first thread, when it sees how much there is, wakes others. */
static void a_large_backlog_wakes_more_threads(void **state)
{
	enum { N = 2 * DEFER_BACKLOG };
	struct zs_pool *pool;
	struct object *o = calloc(N, sizeof(*o));
	struct worker_hold hold;
	bool woken = false;

	(void)state;
	assert_non_null(o);
	user_pretend_cpus(12);
	pool = pool_create(ZS_DEFER_TOMBSTONE, N + 1);
	user_pretend_cpus(0);
	/* On a busy machine the first may be done before the second gets a CPU. */
	for (int round = 0; round < 200 && !woken; round++) {
		objects_pushed_aside(pool, &hold, o, N);
		worker_release(&hold);
		TEST_WAIT_UNTIL(!defer_pending(pool));
		zs_free_deferred_flush(pool);
		/* It looks for producers after its first slice. */
		woken = pool->defer.threads[1].queued_seen;
	}
	assert_true(woken);
	pool_check_account(pool);
	free(o);
	pool_destroy(pool);
}

struct producer {
	struct zs_pool *pool;
	int stop; /* atomic */
};

static void *producer_thread(void *arg)
{
	struct producer *p = arg;

	/* Much more than a few handles in a millisecond, under any sanitizer. */
	while (!__atomic_load_n(&p->stop, __ATOMIC_RELAXED)) {
		unsigned long handle = zs_malloc(p->pool, SIZE);

		if (!zs_handle_error(handle))
			zs_free_deferred(p->pool, handle);
	}
	return NULL;
}

/*
 * Three producers, so that one always runs, until something is drained. Returns how long
 * that took, in ms.
 */
static u64 wait_beside_a_producer(enum zs_defer_policy policy)
{
	struct producer p = {.pool = pool_create(policy, 1u << 30)};
	u64 start = port_now_ns(), took;
	pthread_t thread[3];

	for (size_t i = 0; i < ARRAY_SIZE(thread); i++)
		assert_int_equal(pthread_create(&thread[i], NULL, producer_thread, &p),
				 0);
	TEST_WAIT_UNTIL_BUSY(pool_stats(p.pool).drained > 0);
	took = port_now_ns() - start;
	__atomic_store_n(&p.stop, 1, __ATOMIC_RELAXED);
	for (size_t i = 0; i < ARRAY_SIZE(thread); i++)
		pthread_join(thread[i], NULL);
	/* Without a producer a contended CPU is shared as by any two tasks. */
	TEST_WAIT_UNTIL(!defer_pending(p.pool));
	pool_check_account(p.pool);
	pool_destroy(p.pool);
	return took / 1000000;
}

/*
 * While a producer pushes and the CPU is contended, a drain thread waits until it is
 * late. On a busy machine the producers may not run for a while: then they seem to be
 * done. Without waiting it would begin after DEFER_TIMER_MS at most.
 */
static void a_thread_waits_for_producers_until_it_is_late(void **state)
{
	u64 longest = 0;

	user_fault_arm(USER_FAULT_CPU, 1, ~0ull);
	for (int round = 0; round < 50 && longest < DEFER_LATE_MS / 2; round++) {
		u64 took = wait_beside_a_producer(test_policy(state));

		if (took > longest)
			longest = took;
	}
	user_fault_disarm();
	assert_true(longest >= DEFER_LATE_MS / 2);
}

/* On a CPU that is not contended it does not. */
static void a_thread_does_not_wait_for_nothing(void **state)
{
	u64 quickest = ~0ull;

	for (int round = 0; round < 50 && quickest >= DEFER_LATE_MS; round++) {
		u64 took = wait_beside_a_producer(test_policy(state));

		if (took < quickest)
			quickest = took;
	}
	assert_true(quickest < DEFER_LATE_MS);
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
		TEST_WAIT_UNTIL_BUSY(!defer_pending(pool));
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
		TEST_EACH_DEFERRING(threshold_wakes_the_thread),
		cmocka_unit_test(threads_grow_with_the_machine),
		cmocka_unit_test(a_second_thread_drains_alone),
		cmocka_unit_test(a_large_backlog_wakes_more_threads),
		TEST_OF_POLICY(a_thread_waits_for_producers_until_it_is_late, tombstone),
		TEST_EACH_DEFERRING(a_thread_does_not_wait_for_nothing),
		cmocka_unit_test(a_pool_whose_second_thread_fails_is_not_made),
		TEST_EACH_DEFERRING(remainder_is_drained_by_the_timer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
