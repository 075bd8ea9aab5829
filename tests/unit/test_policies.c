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
	for (size_t i = 0; i < ARRAY_SIZE(producers); i++) {
		producers[i].pool = pool;
		producers[i].handle = o[i * WORD + WORD - 1].handle;
		sem_init(&producers[i].pushed, 0, 0);
		sem_init(&producers[i].leave, 0, 0);
		assert_int_equal(pthread_create(&producers[i].thread, NULL,
						producer_thread, &producers[i]),
				 0);
		sem_wait(&producers[i].pushed);
	}
	for (size_t i = 0; i < ARRAY_SIZE(producers); i++) {
		sem_post(&producers[i].leave);
		pthread_join(producers[i].thread, NULL);
	}
	assert_true(pool_stats(pool).producer_drained >= WORD - 1);
	zs_free_deferred_flush(pool);
	for (unsigned int i = 0; i < port_cpu_slots(); i++)
		stranded += pool->slots[i].credit;
	assert_true(stranded <= BUDGET / 4);
	assert_int_equal(port_atomic_load(&pool->defer.credit.left) + stranded, BUDGET);
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
		cmocka_unit_test(array_is_last_in_first_out),
		cmocka_unit_test(array_falls_back_when_its_lock_is_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
