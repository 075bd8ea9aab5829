/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* Deferral: what one policy or another does, on top of what test_defer.c asks of all. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include "hold.h"
#include "pool.h"

/* ---- policies with credit ---- */

/* A thread, and so a slot, of its own that frees one object and stays. */
struct helper {
	struct zs_pool *pool;
	unsigned long handle;
	pthread_t thread;
	sem_t helped, leave;
};

static void *helper_thread(void *arg)
{
	struct helper *h = arg;

	zs_free_deferred(h->pool, h->handle);
	sem_post(&h->helped);
	sem_wait(&h->leave);
	return NULL;
}

/* What a helper earns does not pile up in slots where nobody else can use it. */
static void helping_does_not_strand_credit(void **state)
{
	enum { BUDGET = 512, WORD = 64 };
	struct zs_pool *pool = pool_create(test_policy(state), BUDGET);
	struct object o[BUDGET + BUDGET / WORD];
	struct helper helpers[BUDGET / WORD];
	size_t stranded = 0;

	objects_create_equal(pool, o, ARRAY_SIZE(o), SIZE);
	/* As if the worker were about to come; but it does not. */
	port_atomic_store(&pool->defer.armed, DEFER_NOW);
	/* Spend the budget, but leave out one handle of each word of the table. */
	for (size_t i = 0; i < ARRAY_SIZE(o); i++)
		if (i >= BUDGET || i % WORD != WORD - 1)
			zs_free_deferred(pool, o[i].handle);
	assert_int_equal(zs_deferred_pending(pool), BUDGET);
	for (size_t i = 0; i < ARRAY_SIZE(helpers); i++) {
		helpers[i].pool = pool;
		helpers[i].handle = o[i * WORD + WORD - 1].handle;
		sem_init(&helpers[i].helped, 0, 0);
		sem_init(&helpers[i].leave, 0, 0);
		assert_int_equal(pthread_create(&helpers[i].thread, NULL, helper_thread,
						&helpers[i]),
				 0);
		sem_wait(&helpers[i].helped);
	}
	for (size_t i = 0; i < ARRAY_SIZE(helpers); i++) {
		sem_post(&helpers[i].leave);
		pthread_join(helpers[i].thread, NULL);
	}
	assert_true(pool_stats(pool).producer_drained >= WORD - 1);
	zs_free_deferred_flush(pool);
	for (unsigned int i = 0; i < port_cpu_slots(); i++)
		stranded += pool->slots[i].credit;
	assert_true(stranded <= BUDGET / 4);
	assert_int_equal(port_atomic_load(&pool->defer.credit.left) + stranded, BUDGET);
	pool_destroy(pool);
}

/* ---- percpu ---- */

/* However blocks were filled, stolen and left half drained, all are spare again. */
static void percpu_loses_no_block(void **state)
{
	enum { N = 4000 };
	struct zs_pool *pool = pool_create(ZS_DEFER_PERCPU, 2 * N);
	struct free_scratch *scratch[FREE_SCRATCHES];
	static struct object o[N];
	size_t spare = 0;

	(void)state;
	objects_create_equal(pool, o, N, SIZE);
	port_atomic_store(&pool->defer.flushing, 1); /* keeps the worker away */
	objects_free_deferred(pool, o, N);
	/* No large scratch is to be had: drains take parts of blocks. */
	for (size_t i = 0; i < FREE_SCRATCHES; i++)
		scratch[i] = free_scratch_try_get(pool);
	assert_non_null(scratch[FREE_SCRATCHES - 1]);
	assert_int_equal(zs_drain_deferred(pool, ZS_FLUSH_SHRINKER), N);
	for (size_t i = 0; i < FREE_SCRATCHES; i++)
		free_scratch_put(scratch[i]);
	port_atomic_store(&pool->defer.flushing, 0);
	zs_free_deferred_flush(pool);
	for (u64 nr = (u32)port_atomic_load(&pool->defer.percpu.spare); nr; spare++)
		nr = port_atomic_load((port_atomic *)((char *)pool->defer.percpu.blocks +
						      (nr - 1) * 1024));
	assert_int_equal(spare * 1024, defer_queue_bytes(pool));
	pool_check_account(pool);
	pool_destroy(pool);
}

/* There is a block for everybody, but a list may look empty for a moment. */
static void percpu_does_without_a_block(void **state)
{
	struct zs_pool *pool = pool_create(ZS_DEFER_PERCPU, 0);
	port_atomic *spare = &pool->defer.percpu.spare;
	struct object o[2];
	u64 seed = 30;
	u64 head;

	(void)state;
	objects_create(pool, o, ARRAY_SIZE(o), &seed);
	head = port_atomic_xchg(spare, 0);
	objects_free_deferred(pool, o, 1);
	port_atomic_xchg(spare, head);
	assert_int_equal(pool_stats(pool).fallback, 1);
	assert_int_equal(pool_stats(pool).objects, 1);
	objects_free_deferred(pool, o + 1, 1);
	assert_int_equal(pool_stats(pool).queued, 1);
	zs_free_deferred_flush(pool);
	pool_check_account(pool);
	pool_destroy(pool);
}

/* ---- array ---- */

static void array_is_last_in_first_out(void **state)
{
	enum { N = 10 };
	struct zs_pool *pool = pool_create(ZS_DEFER_ARRAY, 0);
	struct defer_pass pass = {0};
	u32 index[FREE_SMALL_BATCH], pushed[N];
	u16 next[FREE_SMALL_BATCH];
	struct worker_hold hold;
	struct object o[N];
	size_t n;

	(void)state;
	objects_create_equal(pool, o, N, SIZE);
	worker_hold(&hold, pool);
	for (int i = 0; i < N; i++)
		pushed[i] = index_of_handle(o[i].handle);
	objects_free_deferred(pool, o, N);
	n = defer_array_ops.take(pool, &pass, index, FREE_SMALL_BATCH);
	assert_int_equal(n, N);
	for (int i = 0; i < N; i++)
		assert_int_equal(index[i], pushed[N - 1 - i]);
	free_indices(pool, index, next, n, FREE_PENDING, "test");
	defer_account(pool, DEFER_BY_HELP, n);
	defer_array_ops.freed(pool, n, n);
	worker_release(&hold);
	pool_destroy(pool);
}

/* D4: its lock is held by someone: the caller frees, and does not wait. */
static void array_falls_back_when_its_lock_is_held(void **state)
{
	struct zs_pool *pool = pool_create(ZS_DEFER_ARRAY, 0);
	struct object o[10];

	(void)state;
	objects_create_equal(pool, o, ARRAY_SIZE(o), SIZE);
	port_spin_lock(&pool->defer.array.lock);
	objects_free_deferred(pool, o, ARRAY_SIZE(o));
	port_spin_unlock(&pool->defer.array.lock);
	assert_int_equal(pool_stats(pool).objects, 0);
	assert_int_equal(pool_stats(pool).fallback, ARRAY_SIZE(o));
	assert_int_equal(pool_stats(pool).queued, 0);
	pool_destroy(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_OF_POLICY(helping_does_not_strand_credit, tombstone),
		TEST_OF_POLICY(helping_does_not_strand_credit, percpu),
		cmocka_unit_test(percpu_loses_no_block),
		cmocka_unit_test(percpu_does_without_a_block),
		cmocka_unit_test(array_is_last_in_first_out),
		cmocka_unit_test(array_falls_back_when_its_lock_is_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
