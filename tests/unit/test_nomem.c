/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Failure of every allocation in turn: a clean error, no leak, and a pool that
 * works afterwards. And the reverse: what must not allocate does not.
 */
#include <errno.h>
#include <stdlib.h>

#include "hold.h"

static void creation_survives_every_failure(void **state)
{
	struct zs_pool_params params = {.policy = test_policy(state)};
	struct zs_pool *const untouched = (struct zs_pool *)state;
	u64 failed = 1;
	u64 nth;

	for (nth = 1; failed; nth++) {
		struct zs_pool *pool = untouched;
		int err;

		user_fault_arm(USER_FAULT_ANY, nth, 1);
		err = zs_create_pool("nomem", &params, &pool);
		failed = user_fault_disarm();
		if (!failed) {
			assert_int_equal(err, 0);
			pool_destroy(pool);
			break;
		}
		assert_int_equal(err, -ENOMEM);
		assert_ptr_equal(pool, untouched);
		assert_int_equal(user_meta_outstanding(), 0);
		assert_int_equal(user_pages_outstanding(), 0);
	}
	/* The pool, its tables, slots, scratch and classes, at the least. */
	assert_true(nth > 10);
}

/* Starting the drain threads and attaching are the last steps: all must be undone. */
static void creation_survives_its_home_failing(void **state)
{
	static const enum user_fault_site sites[] = {USER_FAULT_WORK, USER_FAULT_ATTACH};
	struct zs_pool_params params = {.policy = test_policy(state)};

	for (size_t i = 0; i < ARRAY_SIZE(sites); i++) {
		struct zs_pool *pool = NULL;
		int err;

		user_fault_arm(sites[i], 1, 1);
		err = zs_create_pool("nomem", &params, &pool);
		if (user_fault_disarm()) {
			assert_int_equal(err, -ENOMEM);
			assert_null(pool);
		} else {
			/* Only "sync" has no drain thread to start. */
			assert_int_equal(params.policy, ZS_DEFER_SYNC);
			assert_int_equal(sites[i], USER_FAULT_WORK);
			zs_destroy_pool(pool);
		}
		assert_int_equal(user_meta_outstanding(), 0);
	}
}

/* Enough for the handle table to grow a second time, past its first 512. */
enum { SEQUENCE = 700 };

/*
 * Few classes, so that there are some hundred allocations to fail and not
 * thousands; each kind is among them.
 */
static u32 sequence_size(u64 *state)
{
	static const u32 sizes[] = {1, 20, 100, 120, 200, 300, 400, 600};

	if (random_below(state, 32) == 0)
		return (u32)PORT_PAGE_SIZE;
	return sizes[random_below(state, ARRAY_SIZE(sizes))];
}

/*
 * Allocate, with deferred frees in between, while allocations fail. Post: how many
 * zs_malloc() calls failed, each with -ENOMEM.
 */
static size_t run_sequence(struct zs_pool *pool, struct object *o, u64 seed)
{
	size_t refused = 0;

	for (size_t i = 0; i < SEQUENCE; i++) {
		int err = object_try_create(pool, &o[i], sequence_size(&seed), (u32)i);

		if (err) {
			assert_int_equal(err, -ENOMEM);
			assert_int_equal(o[i].handle, 0);
			refused++;
		}
		if (i % 3 == 0)
			objects_free_deferred(pool, &o[i / 2], 1);
	}
	return refused;
}

/* After whatever happened: nothing lost, and all that failed works now. */
static void recover(struct zs_pool *pool, struct object *o)
{
	u64 seed = 41;

	objects_verify(pool, o, SEQUENCE);
	for (size_t i = 0; i < SEQUENCE; i++) {
		if (!o[i].handle)
			object_create(pool, &o[i], sequence_size(&seed), (u32)i);
	}
	objects_verify(pool, o, SEQUENCE);
	zs_free_deferred_flush(pool);
	assert_int_equal(pool_stats(pool).objects, SEQUENCE);
	objects_free_deferred(pool, o, SEQUENCE);
	zs_free_deferred_flush(pool);
	assert_int_equal(pool_stats(pool).objects, 0);
	assert_int_equal(zs_get_total_pages(pool), 0);
	assert_int_equal(pool_stats(pool).invalid, 0);
	pool_check_account(pool);
	pool_destroy(pool);
}

/* @count allocations fail in a row, from every place of the sequence in turn. */
static void fail_at_every_place(enum zs_defer_policy policy, unsigned int sites,
				u64 count)
{
	struct object o[SEQUENCE];
	bool failed = true;

	for (u64 nth = 1; failed; nth++) {
		struct zs_pool *pool = pool_create(policy, 100);
		struct zs_pool_stats s;
		size_t refused;

		user_fault_arm(sites, nth, count);
		refused = run_sequence(pool, o, 42);
		failed = user_fault_disarm() != 0;
		s = pool_stats(pool);
		if (count == 1) {
			/* One failure is made good: drain, and try again. */
			assert_int_equal(refused, 0);
			assert_int_equal(s.flushes[ZS_FLUSH_NOMEM], failed);
		} else if (failed && count == ~0ull) {
			assert_true(refused > 0 || nth > 1);
			assert_true(s.flushes[ZS_FLUSH_NOMEM] > 0);
		}
		recover(pool, o);
	}
}

static void one_failure_is_made_good(void **state)
{
	fail_at_every_place(test_policy(state), USER_FAULT_ANY, 1);
}

static void two_failures_in_a_row_are_clean(void **state)
{
	fail_at_every_place(test_policy(state), USER_FAULT_ANY, 2);
}

static void no_more_pages_is_clean(void **state)
{
	fail_at_every_place(test_policy(state), USER_FAULT_PAGES, ~0ull);
}

static void no_more_metadata_is_clean(void **state)
{
	fail_at_every_place(test_policy(state), USER_FAULT_META, ~0ull);
}

/* A new pool without any memory refuses, with the right error, and for ever. */
static void no_memory_at_all_is_refused(void **state)
{
	struct zs_pool *pool = pool_create(test_policy(state), 0);
	struct object o;

	user_fault_arm(USER_FAULT_ANY, 1, ~0ull);
	for (u32 i = 0; i < 10; i++)
		assert_int_equal(zs_handle_error(zs_malloc(pool, 1 + i * 100)), -ENOMEM);
	assert_true(user_fault_disarm() >= 20); /* each was tried again */
	assert_int_equal(pool_stats(pool).objects, 0);
	object_create(pool, &o, 100, 1);
	assert_true(object_is_intact(pool, &o));
	pool_destroy(pool);
}

/* zs_malloc() cannot get a page: what is pending is given up for it. */
static void pending_frees_make_room(void **state)
{
	const u32 page = (u32)PORT_PAGE_SIZE;
	struct zs_pool *pool = pool_create(test_policy(state), 1000);
	struct object o[100], more;
	struct worker_hold hold;
	struct zs_pool_stats s;

	for (size_t i = 0; i < ARRAY_SIZE(o); i++)
		object_create(pool, &o[i], page, (u32)i);
	worker_hold(&hold, pool); /* or the drain thread might be first */
	objects_free_deferred(pool, o, ARRAY_SIZE(o));
	user_fault_arm(USER_FAULT_PAGES, 1, 1);
	object_create(pool, &more, page, 7);
	assert_int_equal(user_fault_disarm(), 1);
	worker_release(&hold);
	s = pool_stats(pool);
	assert_int_equal(s.flushes[ZS_FLUSH_NOMEM], 1);
	/* A slice: it stops at the first page. */
	assert_in_range(s.flushed[ZS_FLUSH_NOMEM], 1, ARRAY_SIZE(o));
	assert_true(object_is_intact(pool, &more));
	zs_free_deferred_flush(pool);
	pool_check_account(pool);
	pool_destroy(pool);
}

/*
 * Allocate a page without waiting, each allocation of @site failing. Post: it was
 * refused at the first, and nothing that is pending was drained.
 */
static void refused_at_once(struct zs_pool *pool, enum user_fault_site site)
{
	size_t pending = pool_stats(pool).pending;
	unsigned long handle;

	user_fault_arm(site, 1, ~0ull);
	handle = zs_malloc_node(pool, PORT_PAGE_SIZE, ZS_ALLOC_NOWAIT, ZS_NO_NODE);
	assert_int_equal(zs_handle_error(handle), -ENOMEM);
	assert_int_equal(user_fault_disarm(), 1);
	assert_int_equal(pool_stats(pool).pending, pending);
}

/* Neither for pages nor for metadata. */
static void no_wait_leaves_what_is_pending(void **state)
{
	struct zs_pool *pool = pool_create(test_policy(state), 1000);
	struct object o[100];
	struct worker_hold hold;
	struct zs_pool_stats s;

	for (size_t i = 0; i < ARRAY_SIZE(o); i++)
		object_create(pool, &o[i], (u32)PORT_PAGE_SIZE, (u32)i);
	worker_hold(&hold, pool);
	objects_free_deferred(pool, o, ARRAY_SIZE(o));
	refused_at_once(pool, USER_FAULT_PAGES);
	refused_at_once(pool, USER_FAULT_META);
	worker_release(&hold);
	s = pool_stats(pool);
	assert_int_equal(s.flushes[ZS_FLUSH_NOMEM], 0);
	pool_check_account(pool);
	pool_destroy(pool);
}

enum { SMALL = 1100 }; /* objects: the handle table grows twice or more */

/* Whatever has to grow: a zspage's descriptor, the handle table. */
static void no_wait_gives_up_at_the_first_failure(void **state)
{
	struct zs_pool *pool = pool_create(test_policy(state), 0);
	unsigned long handle[SMALL];
	size_t refused = 0;

	for (size_t i = 0; i < SMALL; i++) {
		u64 failed;

		user_fault_arm(USER_FAULT_ANY, 1, ~0ull);
		handle[i] = zs_malloc_node(pool, 32, ZS_ALLOC_NOWAIT, ZS_NO_NODE);
		failed = user_fault_disarm();
		if (!failed)
			continue;
		refused++;
		assert_int_equal(failed, 1);
		assert_int_equal(zs_handle_error(handle[i]), -ENOMEM);
		handle[i] = zs_malloc_node(pool, 32, ZS_ALLOC_NOWAIT, ZS_NO_NODE);
		assert_int_equal(zs_handle_error(handle[i]), 0);
	}
	assert_true(refused >= 2);
	assert_int_equal(pool_stats(pool).flushes[ZS_FLUSH_NOMEM], 0);
	zs_free_batch(pool, handle, SMALL);
	assert_int_equal(pool_stats(pool).objects, 0);
	pool_destroy(pool);
}

/* It does not ask its home for memory in a way that waits, either. */
static void no_wait_never_waits(void **state)
{
	struct zs_pool *pool = pool_create(test_policy(state), 0);
	unsigned long handle[SMALL];

	user_fault_arm(USER_FAULT_WAITS, 1, ~0ull);
	for (size_t i = 0; i < SMALL; i++) {
		handle[i] = zs_malloc_node(pool, 1 + i, ZS_ALLOC_NOWAIT, 0);
		assert_int_equal(zs_handle_error(handle[i]), 0);
	}
	assert_int_equal(user_fault_seen(), 0);
	user_fault_disarm();
	/* What would have been counted: an attempt that does not wait, then one that
	 * does. */
	user_fault_arm(USER_FAULT_PAGES | USER_FAULT_WAITS, 1, ~0ull);
	assert_int_equal(zs_handle_error(zs_malloc(pool, PORT_PAGE_SIZE)), -ENOMEM);
	assert_true(user_fault_disarm() >= 2);
	zs_free_batch(pool, handle, SMALL);
	assert_int_equal(pool_stats(pool).objects, 0);
	pool_destroy(pool);
}

/*
 * A caller that may use reserves: what is free first, then a slice of what is pending,
 * then the reserves, and never a wait.
 */
static void reserves_are_asked_for_last(void **state)
{
	struct zs_pool *pool = pool_create(test_policy(state), 1000);
	struct object o[100];
	struct worker_hold hold;
	unsigned long handle[2];
	size_t pending;

	for (size_t i = 0; i < ARRAY_SIZE(o); i++)
		object_create(pool, &o[i], (u32)PORT_PAGE_SIZE, (u32)i);
	worker_hold(&hold, pool);
	user_fault_arm(USER_FAULT_RESERVES | USER_FAULT_WAITS, 1, ~0ull);
	handle[0] = zs_malloc_node(pool, PORT_PAGE_SIZE, ZS_ALLOC_RESERVES, ZS_NO_NODE);
	assert_int_equal(zs_handle_error(handle[0]), 0);
	assert_int_equal(user_fault_disarm(), 0);

	objects_free_deferred(pool, o, ARRAY_SIZE(o));
	pending = zs_deferred_pending(pool);
	user_fault_arm(USER_FAULT_PAGES, 1, 1);
	handle[1] = zs_malloc_node(pool, PORT_PAGE_SIZE, ZS_ALLOC_RESERVES, ZS_NO_NODE);
	assert_int_equal(zs_handle_error(handle[1]), 0);
	assert_int_equal(user_fault_seen(), 2);
	assert_int_equal(user_fault_disarm(), 1);
	assert_in_range(zs_deferred_pending(pool), 1, pending - 1);

	/* No more than once, and it does not wait. */
	user_fault_arm(USER_FAULT_PAGES, 1, ~0ull);
	assert_int_equal(zs_handle_error(zs_malloc_node(pool, PORT_PAGE_SIZE,
							ZS_ALLOC_RESERVES, ZS_NO_NODE)),
			 -ENOMEM);
	assert_int_equal(user_fault_disarm(), 2);
	worker_release(&hold);
	assert_int_equal(pool_stats(pool).flushes[ZS_FLUSH_NOMEM], 0);
	zs_free_batch(pool, handle, 2);
	zs_free_deferred_flush(pool);
	assert_int_equal(pool_stats(pool).objects, 0);
	pool_destroy(pool);
}

/* Freeing, deferring, draining, compacting and asking never allocate. */
static void giving_back_never_allocates(void **state)
{
	struct zs_pool *pool = pool_create(test_policy(state), 500);
	struct object o[4000];
	struct zs_pool_stats s;
	u64 seed = 43;

	objects_create(pool, o, ARRAY_SIZE(o), &seed);
	objects_shuffle(o, ARRAY_SIZE(o), &seed);
	user_fault_arm(USER_FAULT_ANY, 1, ~0ull);
	objects_free_deferred(pool, o, 1500);
	objects_free(pool, o, 2000);
	zs_drain_deferred(pool, ZS_FLUSH_SHRINKER, 0);
	zs_free_deferred_flush(pool);
	zs_compact(pool);
	objects_verify(pool, o, ARRAY_SIZE(o));
	zs_pool_stats(pool, &s);
	objects_free_deferred(pool, o, ARRAY_SIZE(o));
	zs_destroy_pool(pool);
	assert_int_equal(user_fault_disarm(), 0);
	assert_int_equal(user_meta_outstanding(), 0);
	assert_int_equal(user_pages_outstanding(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_EACH_POLICY(creation_survives_every_failure),
		TEST_EACH_POLICY(creation_survives_its_home_failing),
		TEST_EACH_POLICY(one_failure_is_made_good),
		TEST_EACH_POLICY(two_failures_in_a_row_are_clean),
		TEST_EACH_POLICY(no_more_pages_is_clean),
		TEST_EACH_POLICY(no_more_metadata_is_clean),
		TEST_EACH_POLICY(no_memory_at_all_is_refused),
		TEST_EACH_DEFERRING(pending_frees_make_room),
		TEST_EACH_DEFERRING(no_wait_leaves_what_is_pending),
		TEST_EACH_POLICY(no_wait_gives_up_at_the_first_failure),
		TEST_EACH_POLICY(no_wait_never_waits),
		TEST_EACH_DEFERRING(reserves_are_asked_for_last),
		TEST_EACH_POLICY(giving_back_never_allocates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
