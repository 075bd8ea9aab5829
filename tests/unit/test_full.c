/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * A handle table that is full. This program has a core of its own, whose table
 * takes no more than TABLE_MAX_LEAVES leaves (see meson.build).
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "objects.h"
#include "pool.h"
#include "handle_table.h"

enum { CAPACITY = TABLE_MAX_LEAVES * TABLE_FANOUT, OBJECT_SIZE = 600 };

/* Create objects until that fails, which must be for want of handles; how many. */
static size_t create_all(struct zs_pool *pool, struct object *o, size_t max)
{
	size_t n;
	int err = 0;

	for (n = 0; n < max; n++) {
		err = object_try_create(pool, &o[n], OBJECT_SIZE, (u32)n);
		if (err)
			break;
	}
	assert_int_equal(err, -ENOSPC);
	return n;
}

/* Every handle can be had, no more than that, and each again when it is free. */
static void all_handles_can_be_had(void **state)
{
	struct zs_pool *pool = pool_create(test_policy(state), 100);
	struct object *o = calloc(CAPACITY + 1, sizeof(*o));
	struct object more = {0};
	u64 seed = 71;

	assert_non_null(o);
	for (int round = 0; round < 3; round++) {
		assert_int_equal(create_all(pool, o, CAPACITY + 1), CAPACITY);
		assert_int_equal(object_try_create(pool, &more, 1, 1), -ENOSPC);
		objects_verify(pool, o, CAPACITY);
		objects_free(pool, o, 1);
		object_create(pool, &o[0], OBJECT_SIZE, 7);
		assert_int_equal(object_try_create(pool, &more, 1, 1), -ENOSPC);
		objects_verify(pool, o, CAPACITY);
		objects_shuffle(o, CAPACITY, &seed);
		objects_free(pool, o, CAPACITY / 2);
		objects_free_deferred(pool, o, CAPACITY);
	}
	pool_check_account(pool);
	pool_destroy(pool);
	free(o);
}

/* What is pending is freed before a caller is told that there is no handle. */
static void pending_frees_make_handles(void **state)
{
	enum { PENDING = 90 };
	struct zs_pool *pool = pool_create(test_policy(state), 1000);
	struct object *o = calloc(CAPACITY + 1, sizeof(*o));
	struct zs_pool_stats s;
	struct object more;
	size_t n;

	assert_non_null(o);
	n = create_all(pool, o, CAPACITY + 1);
	assert_int_equal(n, CAPACITY);
	port_atomic_store(&pool->defer.armed, DEFER_NOW); /* no thread is first */
	objects_free_deferred(pool, o, PENDING);
	object_create(pool, &more, OBJECT_SIZE, 7);
	s = pool_stats(pool);
	assert_in_range(s.flushed[ZS_FLUSH_NOMEM], 1, PENDING);
	zs_free_deferred_flush(pool);
	objects_verify(pool, o, n);
	assert_true(object_is_intact(pool, &more));
	pool_check_account(pool);
	pool_destroy(pool);
	free(o);
}

/* ---- several threads come to the end at once ---- */

enum { THREADS = 4 };

struct taker {
	struct zs_pool *pool;
	pthread_barrier_t *barrier;
	struct object o[CAPACITY + 1];
	size_t n;
	bool full;
};

static void *take_all(void *arg)
{
	struct taker *t = arg;
	int err = 0;

	pthread_barrier_wait(t->barrier);
	while (t->n <= CAPACITY && !err) {
		err = object_try_create(t->pool, &t->o[t->n], OBJECT_SIZE, (u32)t->n);
		t->n += !err;
	}
	t->full = err == -ENOSPC;
	/* While one is here its slot is its own, with the handles that are there. */
	pthread_barrier_wait(t->barrier);
	return NULL;
}

static void threads_share_all_handles(void **state)
{
	struct taker *t = calloc(THREADS, sizeof(*t));
	pthread_t thread[THREADS];
	pthread_barrier_t barrier;

	assert_non_null(t);
	for (int round = 0; round < 20; round++) {
		struct zs_pool *pool = pool_create(test_policy(state), 0);
		size_t total = 0;

		pthread_barrier_init(&barrier, NULL, THREADS);
		for (int i = 0; i < THREADS; i++) {
			t[i].pool = pool;
			t[i].barrier = &barrier;
			t[i].n = 0;
			pthread_create(&thread[i], NULL, take_all, &t[i]);
		}
		for (int i = 0; i < THREADS; i++)
			pthread_join(thread[i], NULL);
		for (int i = 0; i < THREADS; i++) {
			assert_true(t[i].full);
			objects_verify(pool, t[i].o, t[i].n);
			total += t[i].n;
			objects_free_deferred(pool, t[i].o, t[i].n);
		}
		assert_int_equal(total, CAPACITY);
		pthread_barrier_destroy(&barrier);
		pool_destroy(pool);
	}
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_EACH_POLICY(all_handles_can_be_had),
		TEST_EACH_DEFERRING(pending_frees_make_handles),
		TEST_EACH_POLICY(threads_share_all_handles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
