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
struct producer {
	struct zs_pool *pool;
	unsigned long handle;
	pthread_t thread;
	sem_t pushed, leave;
};

static void *producer_thread(void *arg)
{
	struct producer *p = arg;

	zs_free_deferred(p->pool, p->handle);
	sem_post(&p->pushed);
	sem_wait(&p->leave);
	return NULL;
}

/* Returns once @p has freed @handle. */
static void producer_start(struct producer *p, struct zs_pool *pool, unsigned long handle)
{
	p->pool = pool;
	p->handle = handle;
	sem_init(&p->pushed, 0, 0);
	sem_init(&p->leave, 0, 0);
	assert_int_equal(pthread_create(&p->thread, NULL, producer_thread, p), 0);
	sem_wait(&p->pushed);
}

static void producers_end(struct producer *producers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		sem_post(&producers[i].leave);
		pthread_join(producers[i].thread, NULL);
	}
}

/* What producers drain does not pile up as credit in slots where it cannot be used. */
static void producer_drains_strand_no_credit(void **state)
{
	enum { BUDGET = 512, WORD = 64 };
	struct zs_pool *pool = pool_create(test_policy(state), BUDGET);
	struct object o[BUDGET + BUDGET / WORD];
	struct producer producers[BUDGET / WORD];
	size_t stranded = 0;

	objects_create_equal(pool, o, ARRAY_SIZE(o), SIZE);
	/* As if a drain thread were about to come; but it does not. */
	port_atomic_store(&pool->defer.armed, DEFER_NOW);
	/* Spend the budget, but leave out one handle of each word of the table. */
	for (size_t i = 0; i < ARRAY_SIZE(o); i++)
		if (i >= BUDGET || i % WORD != WORD - 1)
			zs_free_deferred(pool, o[i].handle);
	assert_int_equal(zs_deferred_pending(pool), BUDGET);
	for (size_t i = 0; i < ARRAY_SIZE(producers); i++)
		producer_start(&producers[i], pool, o[i * WORD + WORD - 1].handle);
	producers_end(producers, ARRAY_SIZE(producers));
	assert_true(pool_stats(pool).producer_drained >= WORD - 1);
	zs_free_deferred_flush(pool);
	for (unsigned int i = 0; i < port_cpu_slots(); i++)
		stranded += pool->slots[i].credit;
	assert_true(stranded <= BUDGET / 4);
	assert_int_equal(port_atomic_load(&pool->defer.credit.left) + stranded, BUDGET);
	pool_destroy(pool);
}

/* Many slots hold credit, and nothing is pending: no push is taken for a backlog. */
static void credit_in_slots_is_not_pending(void **state)
{
	enum { THREADS = 100, BUDGET = 1 << 20 };
	struct zs_pool *pool = pool_create(test_policy(state), BUDGET);
	struct producer producers[THREADS];
	struct object o[THREADS];

	objects_create_equal(pool, o, THREADS, SIZE);
	port_atomic_store(&pool->defer.armed, DEFER_NOW); /* no thread comes */
	for (size_t i = 0; i < THREADS; i++) {
		producer_start(&producers[i], pool, o[i].handle);
		assert_int_equal(credit_pending(&pool->defer), i + 1);
	}
	assert_true(BUDGET - port_atomic_load(&pool->defer.credit.left) > DEFER_BACKLOG);
	assert_false(defer_is_behind(&pool->defer));
	zs_free_deferred_flush(pool);
	assert_int_equal(credit_pending(&pool->defer), 0);
	producers_end(producers, THREADS);
	pool_destroy(pool);
}

/* ---- array ---- */

static void array_is_last_in_first_out(void **state)
{
	enum { N = 10 };
	struct zs_pool *pool = pool_create(ZS_DEFER_ARRAY, 0);
	struct drain drain = {.pool = pool};
	size_t pages = 0;
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
	n = defer_array_ops.take(&drain, index, FREE_SMALL_BATCH);
	assert_int_equal(n, N);
	for (int i = 0; i < N; i++)
		assert_int_equal(index[i], pushed[N - 1 - i]);
	free_indices(pool, index, next, n, FREE_PENDING, "test", &pages);
	port_atomic_add(&pool->defer.freed[DEFER_BY_PRODUCER], n);
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
		TEST_OF_POLICY(producer_drains_strand_no_credit, tombstone),
		TEST_OF_POLICY(credit_in_slots_is_not_pending, tombstone),
		cmocka_unit_test(array_is_last_in_first_out),
		cmocka_unit_test(array_falls_back_when_its_lock_is_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
