/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* Deferral: what is promised of every policy, and of each (design.md D1 to D7). */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

#include "hold.h"
#include "pool.h"

/* ---- every policy ---- */

static void flush_leaves_nothing_pending(void **state)
{
	struct zs_pool *pool = pool_create(test_policy(state), 0);
	struct object o[3000];
	u64 seed = 21;

	objects_create(pool, o, ARRAY_SIZE(o), &seed);
	objects_shuffle(o, ARRAY_SIZE(o), &seed);
	objects_free_deferred(pool, o, 2000);
	zs_free_deferred_flush(pool);
	assert_int_equal(pool_stats(pool).pending, 0);
	assert_int_equal(pool_stats(pool).objects, 1000);
	objects_verify(pool, o, ARRAY_SIZE(o));
	pool_check_account(pool);
	zs_free_deferred_flush(pool); /* with nothing to do */
	objects_free_deferred(pool, o, ARRAY_SIZE(o));
	zs_free_deferred_flush(pool);
	assert_int_equal(zs_get_total_pages(pool), 0);
	assert_int_equal(pool_stats(pool).invalid, 0);
	pool_check_account(pool);
	pool_destroy(pool);
}

static void every_deferred_free_is_counted_once(void **state)
{
	struct zs_pool *pool = pool_create(test_policy(state), 64);
	struct object o[5000];
	struct zs_pool_stats s;
	u64 seed = 22;

	objects_create(pool, o, ARRAY_SIZE(o), &seed);
	for (size_t i = 0; i < ARRAY_SIZE(o); i++) {
		objects_free_deferred(pool, &o[i], 1);
		s = pool_stats(pool);
		assert_int_equal(s.queued + s.fallback, i + 1);
	}
	zs_free_deferred_flush(pool);
	pool_check_account(pool);
	assert_int_equal(pool_stats(pool).objects, 0);
	pool_destroy(pool);
}

static void destroy_with_pending_leaks_nothing(void **state)
{
	struct object o[2000];
	u64 seed = 23;

	for (int round = 0; round < 5; round++) {
		struct zs_pool *pool = pool_create(test_policy(state), 0);

		objects_create(pool, o, ARRAY_SIZE(o), &seed);
		objects_free_deferred(pool, o, ARRAY_SIZE(o) / 2);
		pool_destroy(pool);
	}
}

static void sync_frees_at_once(void **state)
{
	struct zs_pool *pool = pool_create(ZS_DEFER_SYNC, 0);
	struct object o[100];
	struct zs_pool_stats s;

	(void)state;
	objects_create_equal(pool, o, ARRAY_SIZE(o), SIZE);
	for (size_t i = 0; i < ARRAY_SIZE(o); i++) {
		objects_free_deferred(pool, &o[i], 1);
		assert_int_equal(pool_stats(pool).objects, ARRAY_SIZE(o) - 1 - i);
	}
	s = pool_stats(pool);
	assert_int_equal(s.fallback, ARRAY_SIZE(o));
	assert_int_equal(s.queued, 0);
	assert_int_equal(s.capacity, 0);
	assert_int_equal(s.kicks, 0);
	assert_int_equal(zs_drain_deferred(pool, ZS_FLUSH_SHRINKER, 0), 0);
	pool_destroy(pool);
}

/* ---- policies that defer ---- */

static void default_budget_is_128_mib_of_pages(void **state)
{
	struct zs_pool *pool = pool_create(test_policy(state), 0);
	struct zs_pool_stats s = pool_stats(pool);
	size_t least = ((size_t)128 << 20) >> PORT_PAGE_SHIFT;

	if (s.policy == ZS_DEFER_ARRAY) {
		assert_int_equal(s.capacity, least);
		assert_int_equal(s.threshold, s.capacity / 2);
	} else {
		assert_true(s.capacity >= least);
		assert_true(s.threshold <= s.capacity / 2);
	}
	pool_destroy(pool);
}

static void budget_can_be_chosen(void **state)
{
	static const size_t budgets[] = {1, 2, 7, 1000, 100000};

	for (size_t i = 0; i < ARRAY_SIZE(budgets); i++) {
		struct zs_pool *pool = pool_create(test_policy(state), budgets[i]);
		struct zs_pool_stats s = pool_stats(pool);

		assert_int_equal(s.capacity, budgets[i]);
		assert_true(s.threshold >= 1 && s.threshold <= (budgets[i] + 1) / 2);
		pool_destroy(pool);
	}
}

/* Pushing far more than the budget, as fast as possible, never exceeds it. */
static void pending_never_exceeds_the_budget(void **state)
{
	static const size_t budgets[] = {1, 3, 64, 1000};
	struct object o[4000];

	for (size_t b = 0; b < ARRAY_SIZE(budgets); b++) {
		struct zs_pool *pool = pool_create(test_policy(state), budgets[b]);

		objects_create_equal(pool, o, ARRAY_SIZE(o), SIZE);
		for (size_t i = 0; i < ARRAY_SIZE(o); i++) {
			struct zs_pool_stats s;

			objects_free_deferred(pool, &o[i], 1);
			s = pool_stats(pool);
			/* From the outside, objects beyond those that are ours */
			assert_true(s.objects - (ARRAY_SIZE(o) - 1 - i) <= budgets[b]);
			assert_true(s.pending <= budgets[b]);
		}
		zs_free_deferred_flush(pool);
		pool_check_account(pool);
		assert_int_equal(pool_stats(pool).objects, 0);
		pool_destroy(pool);
	}
}

/* The same with the drain thread out of the way: the producer keeps the bound alone. */
static void producer_keeps_the_bound_alone(void **state)
{
	enum { BUDGET = 1024 };
	struct zs_pool *pool = pool_create(test_policy(state), BUDGET);
	struct object o[4 * BUDGET];
	struct worker_hold hold;
	struct zs_pool_stats s;
	size_t pending;

	objects_create_equal(pool, o, ARRAY_SIZE(o), SIZE);
	worker_hold(&hold, pool);
	objects_free_deferred(pool, o, ARRAY_SIZE(o));
	/* zs_pool_stats() takes class locks, the held one too: ask without it. */
	pending = defer_pending(pool);
	assert_true(pending <= BUDGET);
	/* Nor is the bound kept by deferring nearly nothing. */
	assert_true(pending >= BUDGET / 2);
	worker_release(&hold);
	s = pool_stats(pool);
	assert_true(s.objects <= BUDGET);
	assert_int_equal(s.queued + s.fallback, ARRAY_SIZE(o) + hold.handles);
	if (s.policy == ZS_DEFER_ARRAY) {
		/* All of the budget, to the last handle; then each freed at once. */
		assert_int_equal(s.queued, BUDGET);
		assert_int_equal(s.producer_drained, 0);
	} else {
		/* What the producer drains makes room for what it pushes. */
		assert_true(s.producer_drained >= BUDGET);
		assert_true(s.fallback < ARRAY_SIZE(o) / 8);
	}
	zs_free_deferred_flush(pool);
	pool_check_account(pool);
	pool_destroy(pool);
}

/* Pending memory is used memory: shown so, until it is free. */
static void pending_memory_stays_visible(void **state)
{
	struct zs_pool *pool = pool_create(test_policy(state), 0);
	struct object o[400];
	struct worker_hold hold;
	size_t pages;

	objects_create_equal(pool, o, ARRAY_SIZE(o), SIZE);
	worker_hold(&hold, pool);
	pages = zs_get_total_pages(pool);
	objects_free_deferred(pool, o, ARRAY_SIZE(o));
	assert_int_equal(zs_get_total_pages(pool), pages);
	assert_int_equal(user_pages_outstanding(), pages);
	assert_int_equal(defer_pending(pool), ARRAY_SIZE(o) + hold.handles);
	worker_release(&hold);
	TEST_WAIT_UNTIL(!zs_get_total_pages(pool));
	assert_int_equal(user_pages_outstanding(), 0);
	pool_destroy(pool);
}

/* One free stays pending: the drain thread was called off before it began. */
static void leave_one_pending(struct zs_pool *pool)
{
	struct object o;

	do {
		object_create(pool, &o, SIZE, 1);
		objects_free_deferred(pool, &o, 1);
		port_work_cancel(&pool->defer.threads[0].work);
	} while (!defer_pending(pool));
}

static void pending_age_is_shown(void **state)
{
	struct zs_pool *pool = pool_create(test_policy(state), 0);
	struct zs_pool_stats s;
	u64 start = port_now_ns();

	assert_int_equal(pool_stats(pool).oldest_age_ns, 0);
	assert_int_equal(zs_deferred_pending(pool), 0);
	leave_one_pending(pool);
	test_sleep_ms(30);
	s = pool_stats(pool);
	assert_int_equal(s.pending, 1);
	assert_true(s.oldest_age_ns >= 30 * 1000000ull);
	assert_true(s.oldest_age_ns <= port_now_ns() - start);
	zs_free_deferred_flush(pool);
	assert_int_equal(pool_stats(pool).oldest_age_ns, 0);
	pool_destroy(pool);
}

/*
 * Another drain has taken what leads to pending handles, and does not get to run. What
 * it has taken is not hidden: a flush, and a task in need of a page, free it.
 */
static void a_stopped_drain_hides_nothing(void **state)
{
	enum { N = FREE_SMALL_BATCH / 2 };
	static const enum zs_flush_cause causes[] = {ZS_FLUSH_CALLER, ZS_FLUSH_NOMEM,
						     ZS_FLUSH_LIMIT, ZS_FLUSH_OOM};
	const struct defer_policy_ops *ops = test_policy(state) == ZS_DEFER_ARRAY
						     ? &defer_array_ops
						     : &defer_tombstone_ops;
	struct zs_pool *pool = pool_create(test_policy(state), 0);
	struct object o[N];

	for (size_t i = 0; i < ARRAY_SIZE(causes); i++) {
		struct drain other = {.pool = pool};
		u32 index[FREE_SMALL_BATCH];
		u16 next[FREE_SMALL_BATCH];
		size_t n, pages = 0;

		objects_create_equal(pool, o, N, SIZE);
		port_atomic_store(&pool->defer.armed, DEFER_NOW); /* no thread comes */
		objects_free_deferred(pool, o, N);
		pending_walk_begin(&other.walk, &pool->handles, 0);
		n = ops->take(&other, index, FREE_SMALL_BATCH);
		assert_int_equal(n, N);
		if (causes[i] == ZS_FLUSH_CALLER)
			zs_free_deferred_flush(pool);
		else
			zs_drain_deferred(pool, causes[i], 1000);
		assert_int_equal(pool_stats(pool).objects, 0);
		assert_int_equal(pool_stats(pool).pending, 0);
		assert_int_equal(pool_stats(pool).flushed[causes[i]], N);
		/* It runs again, too late. */
		assert_int_equal(
			free_indices(pool, index, next, n, FREE_PENDING, "test", &pages),
			0);
		ops->freed(pool, n, 0);
		assert_int_equal(pool_stats(pool).invalid, 0);
		zs_free_deferred_flush(pool);
		pool_check_account(pool);
	}
	pool_destroy(pool);
}

/*
 * A task in need reads no more than a part of a large table in one call, and the next
 * call goes on behind it, and after the end begins again.
 */
static void a_large_table_is_read_in_parts(void **state)
{
	enum { N = FREE_SMALL_BATCH / 2 };
	const size_t total = DEFER_SCAN_MOST + 1000;
	const struct defer_policy_ops *ops = test_policy(state) == ZS_DEFER_ARRAY
						     ? &defer_array_ops
						     : &defer_tombstone_ops;
	struct zs_pool *pool = pool_create(test_policy(state), 0);
	unsigned long *handle = malloc(total * sizeof(*handle));
	size_t left = total, taken;

	assert_non_null(handle);
	for (size_t i = 0; i < total; i++) {
		handle[i] = zs_malloc(pool, SIZE);
		assert_int_equal(zs_handle_error(handle[i]), 0);
	}
	for (int round = 0; round < 2; round++) {
		struct drain other = {.pool = pool};
		u32 index[FREE_SMALL_BATCH];

		port_atomic_store(&pool->defer.armed, DEFER_NOW); /* no thread comes */
		for (size_t i = 0; i < N; i++)
			zs_free_deferred(pool, handle[--left]);
		pending_walk_begin(&other.walk, &pool->handles, 0);
		taken = 0;
		while (!other.walk.over)
			taken += ops->take(&other, index, FREE_SMALL_BATCH);
		assert_int_equal(taken, N);
		/* They lie at the end of the table. */
		assert_int_equal(zs_drain_deferred(pool, ZS_FLUSH_OOM, 1000), 0);
		assert_int_equal(zs_drain_deferred(pool, ZS_FLUSH_OOM, 1000), N);
		ops->freed(pool, N, 0);
	}
	zs_free_batch(pool, handle, left);
	assert_int_equal(pool_stats(pool).objects, 0);
	zs_free_deferred_flush(pool);
	pool_destroy(pool);
	free(handle);
}

/* A drain stops when its caller has what it wants: handles, or pages. */
static void a_drain_stops_when_it_has_enough(void **state)
{
	enum { N = 4 * FREE_LARGE_BATCH };
	struct zs_pool *pool = pool_create(test_policy(state), N + 1);
	struct object *o = malloc(N * sizeof(*o));
	struct worker_hold hold;
	size_t freed;

	objects_create_equal(pool, o, N, SIZE);
	worker_hold(&hold, pool);
	objects_free_deferred(pool, o, N);
	freed = zs_drain_deferred(pool, ZS_FLUSH_SHRINKER, 1);
	assert_in_range(freed, 1, FREE_SMALL_BATCH);
	freed = zs_drain_deferred(pool, ZS_FLUSH_SHRINKER, 1000);
	assert_in_range(freed, 1000, 1000 + FREE_SMALL_BATCH);
	/* One page is had by one slice. */
	freed = zs_drain_deferred(pool, ZS_FLUSH_NOMEM, 1);
	assert_in_range(freed, 1, FREE_LARGE_BATCH);
	freed = zs_drain_deferred(pool, ZS_FLUSH_OOM, 1);
	assert_in_range(freed, 1, FREE_LARGE_BATCH);
	assert_true(defer_pending(pool) >= FREE_LARGE_BATCH);
	worker_release(&hold);
	zs_free_deferred_flush(pool);
	pool_check_account(pool);
	pool_destroy(pool);
	free(o);
}

static void drain_counts_under_its_cause(void **state)
{
	static const enum zs_flush_cause causes[] = {ZS_FLUSH_LIMIT, ZS_FLUSH_SHRINKER,
						     ZS_FLUSH_OOM};
	struct zs_pool *pool = pool_create(test_policy(state), 0);
	struct object o[300];

	objects_create_equal(pool, o, ARRAY_SIZE(o), SIZE);
	for (size_t i = 0; i < ARRAY_SIZE(causes); i++) {
		struct zs_pool_stats s;
		struct worker_hold hold;
		size_t freed;

		worker_hold(&hold, pool);
		objects_free_deferred(pool, o + 50 * i, 50);
		/* Does not wait for the drain thread, which is held up for good. */
		freed = zs_drain_deferred(pool, causes[i],
					  causes[i] == ZS_FLUSH_SHRINKER ? 50 : 1);
		assert_int_equal(freed, 50); /* one slice */
		worker_release(&hold);
		s = pool_stats(pool);
		assert_int_equal(s.flushed[causes[i]], 50);
		assert_int_equal(s.flushes[causes[i]], 1);
		zs_free_deferred_flush(pool);
	}
	pool_check_account(pool);
	pool_destroy(pool);
}

/* What is pending when a flush begins is freed when it returns, and its pages are back.
 */
static void flush_waits_for_the_drain_thread(void **state)
{
	struct zs_pool *pool = pool_create(test_policy(state), 100000);
	struct object *o = malloc(6000 * sizeof(*o));

	for (int round = 0; round < 10; round++) {
		objects_create_equal(pool, o, 6000, SIZE);
		objects_free_deferred(pool, o, 6000);
		if (round % 2)
			test_sleep_ms(DEFER_TIMER_MS); /* it is in the middle */
		zs_free_deferred_flush(pool);
		assert_int_equal(pool_stats(pool).objects, 0);
		assert_int_equal(pool_stats(pool).pending, 0);
		assert_int_equal(zs_get_total_pages(pool), 0);
	}
	pool_check_account(pool);
	pool_destroy(pool);
	free(o);
}

static void *drain_thread(void *pool)
{
	zs_drain_deferred(pool, ZS_FLUSH_SHRINKER, 0);
	return NULL;
}

static int flush_returned;

static void *flush_thread(void *pool)
{
	zs_free_deferred_flush(pool);
	__atomic_store_n(&flush_returned, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/* A handle that another drain is about to free is freed when a flush returns. */
static void flush_waits_for_the_free(void **state)
{
	struct zs_pool *pool = pool_create(test_policy(state), 0);
	struct size_class *c = pool->classes[size_class_index(&pool->table, SIZE)];
	pthread_t drain, flush;

	leave_one_pending(pool);
	flush_returned = 0;
	port_spin_lock(&c->lock);
	assert_int_equal(pthread_create(&drain, NULL, drain_thread, pool), 0);
	/* It takes the handle, and waits for the class. */
	TEST_WAIT_UNTIL(port_user_lock_waited(&c->lock));
	assert_int_equal(pthread_create(&flush, NULL, flush_thread, pool), 0);
	test_sleep_ms(50);
	assert_int_equal(__atomic_load_n(&flush_returned, __ATOMIC_SEQ_CST), 0);
	port_spin_unlock(&c->lock);
	pthread_join(flush, NULL);
	assert_int_equal(pool_stats(pool).objects, 0);
	pthread_join(drain, NULL);
	pool_destroy(pool);
}

struct pusher {
	struct zs_pool *pool;
	pthread_t thread;
	int stop; /* atomic */
	int gave_up; /* nobody stopped it for PUSHER_LIFE_S: atomic */
};
#define PUSHER_LIFE_S 15

static void *pusher_thread(void *arg)
{
	struct pusher *p = arg;
	time_t begin = time(NULL);

	while (!__atomic_load_n(&p->stop, __ATOMIC_RELAXED)) {
		unsigned long handle = zs_malloc(p->pool, SIZE);

		if (!zs_handle_error(handle))
			zs_free_deferred(p->pool, handle);
		if (time(NULL) > begin + PUSHER_LIFE_S) {
			__atomic_store_n(&p->gave_up, 1, __ATOMIC_RELAXED);
			break;
		}
	}
	return NULL;
}

/* Producers may push, and drain past the budget, without end. */
static void flush_ends_while_others_push(void **state)
{
	struct zs_pool *pool = pool_create(test_policy(state), 2000);
	struct pusher pushers[3] = {0};

	for (size_t i = 0; i < ARRAY_SIZE(pushers); i++) {
		pushers[i].pool = pool;
		assert_int_equal(pthread_create(&pushers[i].thread, NULL, pusher_thread,
						&pushers[i]),
				 0);
	}
	for (int i = 0; i < 3; i++) {
		test_sleep_ms(20);
		zs_free_deferred_flush(pool);
	}
	for (size_t i = 0; i < ARRAY_SIZE(pushers); i++) {
		assert_int_equal(__atomic_load_n(&pushers[i].gave_up, __ATOMIC_RELAXED),
				 0);
		__atomic_store_n(&pushers[i].stop, 1, __ATOMIC_RELAXED);
		pthread_join(pushers[i].thread, NULL);
	}
	/* What was pushed after the last flush is drained without another. */
	TEST_WAIT_UNTIL(!defer_pending(pool));
	pool_check_account(pool);
	pool_destroy(pool);
}

enum { CROWD = 160 }; /* of threads: more than there are slots to own */

struct crowd {
	struct zs_pool *pool;
	pthread_barrier_t all_here;
	u32 damaged; /* atomic */
};

static void *crowd_member(void *arg)
{
	struct crowd *c = arg;
	struct object o[20];
	u64 seed = (u64)(uintptr_t)&seed;

	for (size_t i = 0; i < ARRAY_SIZE(o); i++) {
		if (object_try_create(c->pool, &o[i], random_size(&seed), (u32)seed))
			o[i].handle = 0;
	}
	/* Whoever owns a slot keeps it until all have had one. */
	pthread_barrier_wait(&c->all_here);
	for (size_t i = 0; i < ARRAY_SIZE(o); i++) {
		if (!o[i].handle || !object_is_intact(c->pool, &o[i]))
			__atomic_fetch_add(&c->damaged, 1, __ATOMIC_RELAXED);
	}
	objects_free_deferred(c->pool, o, ARRAY_SIZE(o));
	pthread_barrier_wait(&c->all_here);
	return NULL;
}

static void threads_without_a_slot_share_some(void **state)
{
	struct crowd c = {.pool = pool_create(test_policy(state), 500)};
	pthread_t thread[CROWD];
	pthread_attr_t attr;

	pthread_barrier_init(&c.all_here, NULL, CROWD);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 1 << 20);
	for (int i = 0; i < CROWD; i++)
		assert_int_equal(pthread_create(&thread[i], &attr, crowd_member, &c), 0);
	for (int i = 0; i < CROWD; i++)
		pthread_join(thread[i], NULL);
	pthread_attr_destroy(&attr);
	pthread_barrier_destroy(&c.all_here);
	assert_int_equal(c.damaged, 0);
	zs_free_deferred_flush(c.pool);
	assert_int_equal(pool_stats(c.pool).objects, 0);
	assert_int_equal(pool_stats(c.pool).invalid, 0);
	pool_check_account(c.pool);
	pool_destroy(c.pool);
}

struct late_drain {
	struct zs_pool *pool;
	u32 index;
	size_t freed;
};

static void *drain_late(void *arg)
{
	struct late_drain *d = arg;
	u32 index = d->index;
	size_t pages = 0;
	u16 next;

	d->freed = free_indices(d->pool, &index, &next, 1, FREE_PENDING, "test", &pages);
	return NULL;
}

/*
 * A drain has taken a handle, and waits for the lock of its class; before it gets
 * that, the handle is freed, given out again, and pending in another class.
 */
static void a_drain_that_comes_late_leaves_it_to_the_next(void **state)
{
	struct late_drain d = {.pool = pool_create(ZS_DEFER_TOMBSTONE, 0), .freed = 1};
	struct size_class *c = d.pool->classes[size_class_index(&d.pool->table, 100)];
	port_atomic *entry, *other;
	struct object o[2];
	pthread_t thread;
	u64 was;

	(void)state;
	object_create(d.pool, &o[0], 100, 1);
	object_create(d.pool, &o[1], 3000, 2);
	d.index = index_of_handle(o[0].handle);
	entry = table_value(&d.pool->handles, d.index);
	other = table_value(&d.pool->handles, index_of_handle(o[1].handle));
	/* Pending, and taken off; the drain thread stays away. */
	port_atomic_xchg(&d.pool->defer.closed, 1);
	port_atomic_or(entry, ENTRY_PENDING);
	was = port_atomic_load(entry);
	port_spin_lock(&c->lock);
	assert_int_equal(pthread_create(&thread, NULL, drain_late, &d), 0);
	TEST_WAIT_UNTIL(port_user_lock_waited(&c->lock));
	port_atomic_store(entry, port_atomic_load(other) | ENTRY_PENDING);
	port_spin_unlock(&c->lock);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(d.freed, 0);
	assert_int_equal(pool_stats(d.pool).invalid, 0);
	/* It is still pending: the drain that its push leads to frees it. */
	assert_int_equal(port_atomic_load(entry),
			 port_atomic_load(other) | ENTRY_PENDING);
	port_atomic_store(entry, was & ~ENTRY_PENDING);
	port_atomic_xchg(&d.pool->defer.closed, 0);
	objects_free(d.pool, o, ARRAY_SIZE(o));
	pool_destroy(d.pool);
}

static size_t entries_pending(struct zs_pool *pool)
{
	u64 at = 0, end = port_atomic_load_acquire(&pool->handles.nr_leaves)
			  << TABLE_SHIFT;
	size_t n = 0;
	u32 index[64];

	table_read_begin(&pool->handles);
	while (at < end)
		n += table_scan(&pool->handles, &at, FREE_PENDING, index,
				ARRAY_SIZE(index));
	table_read_end(&pool->handles);
	return n;
}

/*
 * Two flushes at a time: neither waits for the other, both leave nothing pending. What
 * the other has freed, it may count a moment later.
 */
static void two_flushes_at_once(void **state)
{
	enum { N = 5000 };
	struct zs_pool *pool = pool_create(test_policy(state), 0);
	struct object *o = malloc(N * sizeof(*o));
	pthread_t thread;
	u64 seed = 29;

	for (int round = 0; round < 10; round++) {
		objects_create(pool, o, N, &seed);
		objects_free_deferred(pool, o, N);
		assert_int_equal(pthread_create(&thread, NULL, flush_thread, pool), 0);
		zs_free_deferred_flush(pool);
		assert_int_equal(entries_pending(pool), 0);
		assert_int_equal(pthread_join(thread, NULL), 0);
		assert_int_equal(pool_stats(pool).pending, 0);
		assert_int_equal(pool_stats(pool).objects, 0);
	}
	assert_int_equal(pool_stats(pool).flushes[ZS_FLUSH_CALLER], 20);
	pool_check_account(pool);
	pool_destroy(pool);
	free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_EACH_POLICY(flush_leaves_nothing_pending),
		TEST_EACH_POLICY(every_deferred_free_is_counted_once),
		TEST_EACH_POLICY(destroy_with_pending_leaks_nothing),
		cmocka_unit_test(sync_frees_at_once),
		TEST_EACH_DEFERRING(default_budget_is_128_mib_of_pages),
		TEST_EACH_DEFERRING(budget_can_be_chosen),
		TEST_EACH_DEFERRING(two_flushes_at_once),
		TEST_EACH_POLICY(threads_without_a_slot_share_some),
		TEST_EACH_DEFERRING(pending_never_exceeds_the_budget),
		TEST_EACH_DEFERRING(producer_keeps_the_bound_alone),
		TEST_EACH_DEFERRING(pending_memory_stays_visible),
		TEST_EACH_DEFERRING(pending_age_is_shown),
		TEST_EACH_DEFERRING(a_stopped_drain_hides_nothing),
		TEST_EACH_DEFERRING(a_large_table_is_read_in_parts),
		TEST_EACH_DEFERRING(a_drain_stops_when_it_has_enough),
		TEST_EACH_DEFERRING(drain_counts_under_its_cause),
		TEST_EACH_DEFERRING(flush_waits_for_the_drain_thread),
		TEST_EACH_DEFERRING(flush_waits_for_the_free),
		TEST_EACH_DEFERRING(flush_ends_while_others_push),
		cmocka_unit_test(a_drain_that_comes_late_leaves_it_to_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
