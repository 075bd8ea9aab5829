/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* The limit of a pool: how much memory it may hold. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "hold.h"
#include "pool.h"

enum { LIMIT = 256 }; /* pages */

static struct zs_pool *pool_create_limited(enum zs_defer_policy policy, size_t bytes)
{
	struct zs_pool_params params = {
		.policy = policy, .defer_budget = 1000, .mem_limit = bytes};
	struct zs_pool *pool = NULL;

	assert_int_equal(zs_create_pool("limited", &params, &pool), 0);
	return pool;
}

static unsigned long malloc_page(struct zs_pool *pool, enum zs_alloc how)
{
	return zs_malloc_node(pool, PORT_PAGE_SIZE, how, ZS_NO_NODE);
}

/* Objects of a page until the pool is at its limit, draining nothing. How many. */
static size_t fill(struct zs_pool *pool, unsigned long *handle)
{
	size_t n = 0;
	int err;

	do {
		handle[n] = malloc_page(pool, ZS_ALLOC_NOWAIT);
		err = zs_handle_error(handle[n]);
	} while (!err && ++n <= LIMIT);
	assert_int_equal(err, -ENOSPC);
	return n;
}

static void a_limit_is_whole_pages(void **state)
{
	static const size_t asked[] = {0, 1, 3 * PORT_PAGE_SIZE - 1, SIZE_MAX};
	static const size_t given[] = {0, 1, 2, SIZE_MAX >> PORT_PAGE_SHIFT};
	struct zs_pool_params params = {.mem_limit = PORT_PAGE_SIZE - 1};
	struct zs_pool *pool = NULL;

	(void)state;
	assert_int_equal(zs_create_pool("limited", &params, &pool), -EINVAL);
	params.mem_limit = 1;
	assert_int_equal(zs_create_pool("limited", &params, &pool), -EINVAL);
	assert_null(pool);
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		pool = pool_create_limited(ZS_DEFER_DEFAULT,
					   i == 1 ? PORT_PAGE_SIZE : asked[i]);
		assert_int_equal(pool_stats(pool).mem_limit, given[i] << PORT_PAGE_SHIFT);
		pool_destroy(pool);
	}
}

/* It is refused one object too many, as often as it asks, and loses nothing by it. */
static void a_pool_at_its_limit_refuses(void **state)
{
	struct zs_pool *pool =
		pool_create_limited(test_policy(state), LIMIT * PORT_PAGE_SIZE);
	unsigned long handle[LIMIT + 1];

	assert_int_equal(fill(pool, handle), LIMIT);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(zs_handle_error(malloc_page(pool, ZS_ALLOC_WAIT)),
				 -ENOSPC);
		assert_int_equal(zs_handle_error(zs_malloc(pool, 1)), -ENOSPC);
	}
	assert_int_equal(pool_stats(pool).objects, LIMIT);
	assert_int_equal(zs_get_total_pages(pool), LIMIT);
	for (int i = 0; i < LIMIT; i++) {
		zs_free(pool, handle[i]);
		handle[i] = malloc_page(pool, ZS_ALLOC_NOWAIT);
		assert_int_equal(zs_handle_error(handle[i]), 0);
	}
	pool_destroy(pool);
}

/* Room in pages that the pool holds already is no matter of the limit. */
static void room_within_the_limit_is_used(void **state)
{
	struct zs_pool *pool = pool_create_limited(test_policy(state), PORT_PAGE_SIZE);
	size_t n;

	/* Of a zspage of one page, in every page size */
	for (n = 0; !zs_handle_error(zs_malloc(pool, PORT_PAGE_SIZE / 16)); n++)
		continue;
	assert_int_equal(n, 16);
	assert_int_equal(zs_get_total_pages(pool), 1);
	/* Two thirds of a page need more than one. */
	assert_int_equal(zs_handle_error(zs_malloc(pool, PORT_PAGE_SIZE * 2 / 3)),
			 -ENOSPC);
	pool_destroy(pool);
}

/* What is pending is given up first: no more of it than is needed. */
static void pending_frees_make_room(void **state)
{
	struct zs_pool *pool =
		pool_create_limited(test_policy(state), LIMIT * PORT_PAGE_SIZE);
	unsigned long handle[LIMIT + 1];
	struct worker_hold hold;
	struct zs_pool_stats s;
	size_t n;

	worker_hold(&hold, pool); /* or the drain thread might be first */
	n = fill(pool, handle);
	for (size_t i = 0; i < n; i++)
		zs_free_deferred(pool, handle[i]);
	assert_int_equal(zs_handle_error(malloc_page(pool, ZS_ALLOC_NOWAIT)), -ENOSPC);
	assert_int_equal(pool_stats(pool).flushes[ZS_FLUSH_LIMIT], 0);
	assert_int_equal(zs_handle_error(malloc_page(pool, ZS_ALLOC_WAIT)), 0);
	worker_release(&hold);
	s = pool_stats(pool);
	assert_int_equal(s.flushes[ZS_FLUSH_LIMIT], 1);
	assert_in_range(s.flushed[ZS_FLUSH_LIMIT], 1, n);
	assert_int_equal(s.flushes[ZS_FLUSH_NOMEM], 0);
	zs_free_deferred_flush(pool);
	pool_check_account(pool);
	pool_destroy(pool);
}

/* A drain thread is at work on them at the same time. */
static void all_that_is_pending_makes_room(void **state)
{
	struct zs_pool *pool =
		pool_create_limited(test_policy(state), LIMIT * PORT_PAGE_SIZE);
	unsigned long handle[LIMIT + 1];

	assert_int_equal(fill(pool, handle), LIMIT);
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < LIMIT; i++)
			zs_free_deferred(pool, handle[i]);
		for (int i = 0; i < LIMIT; i++) {
			handle[i] = malloc_page(pool, ZS_ALLOC_WAIT);
			assert_int_equal(zs_handle_error(handle[i]), 0);
		}
	}
	pool_check_account(pool);
	pool_destroy(pool);
}

/* Another drain has freed a handle, and comes to count it and to give its page back. */
static void *late_drain(void *arg)
{
	struct zs_pool *pool = arg;

	test_sleep_ms(1);
	port_atomic_add(&pool->pages, (u64)-1);
	port_atomic_add(&pool->defer.freed[DEFER_BY_THREAD], 1);
	return NULL;
}

/*
 * At the limit, with nothing pending but what another drain has in hand: the task waits
 * until that drain is through, but not for ever.
 */
static void a_task_in_need_waits_for_a_slice_at_most(void **state)
{
	enum { TRIES = 200 };
	struct zs_pool *pool =
		pool_create_limited(test_policy(state), LIMIT * PORT_PAGE_SIZE);
	unsigned long handle[LIMIT + 1];
	int err = -ENOSPC;
	u64 begin;

	/* A page of the other drain's */
	port_atomic_add(&pool->pages, 1);
	assert_int_equal(fill(pool, handle), LIMIT - 1);
	/* A busy machine may let the other drain wait longer than the task does. */
	for (int i = 0; i < TRIES && err; i++) {
		pthread_t drain;

		port_atomic_add(&pool->slots[0].queued, 1);
		assert_int_equal(pthread_create(&drain, NULL, late_drain, pool), 0);
		err = zs_handle_error(malloc_page(pool, ZS_ALLOC_WAIT));
		pthread_join(drain, NULL);
		if (err)
			port_atomic_add(&pool->pages, 1);
	}
	assert_int_equal(err, 0);
	port_atomic_add(&pool->slots[0].queued, 1);
	begin = port_now_ns();
	assert_int_equal(zs_handle_error(malloc_page(pool, ZS_ALLOC_WAIT)), -ENOSPC);
	assert_in_range(port_now_ns() - begin, 1000000, 5000000000ull);
	port_atomic_add(&pool->defer.freed[DEFER_BY_THREAD], 1);
	pool_destroy(pool);
}

/* Freed handles do not do at the limit, without a page: the task waits as well. */
static void a_drain_without_pages_is_not_enough(void **state)
{
	struct zs_pool *pool =
		pool_create_limited(test_policy(state), LIMIT * PORT_PAGE_SIZE);
	unsigned long handle[LIMIT + 1], small[2];
	u64 begin;

	for (size_t i = 0; i < ARRAY_SIZE(small); i++)
		small[i] = zs_malloc(pool, PORT_PAGE_SIZE / 16);
	fill(pool, handle);
	port_atomic_store(&pool->defer.armed, DEFER_NOW); /* no thread comes */
	zs_free_deferred(pool, small[0]);
	/* Another drain has one in hand. */
	port_atomic_add(&pool->slots[0].queued, 1);
	begin = port_now_ns();
	assert_int_equal(zs_handle_error(malloc_page(pool, ZS_ALLOC_WAIT)), -ENOSPC);
	assert_in_range(port_now_ns() - begin, 1000000, 5000000000ull);
	assert_int_equal(pool_stats(pool).flushed[ZS_FLUSH_LIMIT], 1);
	port_atomic_add(&pool->defer.freed[DEFER_BY_THREAD], 1);
	pool_destroy(pool);
}

/* Pages that the system did not have are not counted. */
static void pages_that_cannot_be_had_do_not_count(void **state)
{
	struct zs_pool *pool =
		pool_create_limited(test_policy(state), LIMIT * PORT_PAGE_SIZE);
	unsigned long handle[LIMIT + 1];

	user_fault_arm(USER_FAULT_PAGES, 1, ~0ull);
	for (int i = 0; i < 2 * LIMIT; i++)
		assert_int_equal(zs_handle_error(malloc_page(pool, ZS_ALLOC_WAIT)),
				 -ENOMEM);
	user_fault_disarm();
	assert_int_equal(zs_get_total_pages(pool), 0);
	assert_int_equal(fill(pool, handle), LIMIT);
	pool_destroy(pool);
}

/* ---- threads that are all at the limit ---- */

enum { THREADS = 6, KEPT = 100, STEPS = 20000 };

struct taker {
	struct zs_pool *pool;
	u64 seed;
	size_t refused;
	size_t most; /* pages that it has seen */
};

static void *take_and_give(void *arg)
{
	struct taker *t = arg;
	unsigned long kept[KEPT] = {0};

	for (int i = 0; i < STEPS; i++) {
		u32 at = random_below(&t->seed, KEPT);
		unsigned long handle;
		size_t pages;

		if (random_below(&t->seed, 2))
			zs_free(t->pool, kept[at]);
		else
			zs_free_deferred(t->pool, kept[at]);
		kept[at] = 0;
		handle = zs_malloc(t->pool, random_size(&t->seed));
		if (!zs_handle_error(handle))
			kept[at] = handle;
		t->refused += zs_handle_error(handle) == -ENOSPC;
		pages = zs_get_total_pages(t->pool);
		t->most = pages > t->most ? pages : t->most;
		pages = user_pages_outstanding();
		t->most = pages > t->most ? pages : t->most;
	}
	return NULL;
}

static void a_limit_holds_whatever_threads_do(void **state)
{
	struct zs_pool *pool =
		pool_create_limited(test_policy(state), LIMIT / 2 * PORT_PAGE_SIZE);
	struct taker t[THREADS] = {0};
	pthread_t thread[THREADS];
	size_t refused = 0;

	for (int i = 0; i < THREADS; i++) {
		t[i].pool = pool;
		t[i].seed = (u64)i + 1;
		assert_int_equal(pthread_create(&thread[i], NULL, take_and_give, &t[i]),
				 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], NULL);
		assert_in_range(t[i].most, 1, LIMIT / 2);
		refused += t[i].refused;
	}
	assert_true(refused > 0);
	assert_true(pool_stats(pool).flushes[ZS_FLUSH_LIMIT] > 0);
	zs_free_deferred_flush(pool);
	assert_int_equal(zs_get_total_pages(pool), user_pages_outstanding());
	pool_check_account(pool);
	pool_destroy(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_limit_is_whole_pages),
		TEST_EACH_POLICY(a_pool_at_its_limit_refuses),
		TEST_EACH_POLICY(room_within_the_limit_is_used),
		TEST_EACH_DEFERRING(pending_frees_make_room),
		TEST_EACH_DEFERRING(all_that_is_pending_makes_room),
		TEST_EACH_DEFERRING(a_task_in_need_waits_for_a_slice_at_most),
		TEST_EACH_DEFERRING(a_drain_without_pages_is_not_enough),
		TEST_EACH_POLICY(pages_that_cannot_be_had_do_not_count),
		TEST_EACH_POLICY(a_limit_holds_whatever_threads_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
