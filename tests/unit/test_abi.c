/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Programs that were built with another header than the library's. Its structures grow
 * at their ends: here a caller knows fewer of their bytes, or more.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "objects.h"

/* As version 0.1 had them. A change here breaks every program that there is. */
#define AT(type, member, offset)                                                         \
	_Static_assert(offsetof(struct type, member) == (offset),                        \
		       #type "." #member " has moved")
AT(zs_pool_params, policy, 0);
AT(zs_pool_params, defer_budget, 8);
AT(zs_pool_params, mem_limit, 16);
AT(zs_pool_stats, page_size, 0);
AT(zs_pool_stats, pages, 8);
AT(zs_pool_stats, objects, 16);
AT(zs_pool_stats, zspages, 24);
AT(zs_pool_stats, meta_bytes, 32);
AT(zs_pool_stats, pages_compacted, 40);
AT(zs_pool_stats, policy, 48);
AT(zs_pool_stats, pending, 56);
AT(zs_pool_stats, capacity, 64);
AT(zs_pool_stats, threshold, 72);
AT(zs_pool_stats, oldest_age_ns, 80);
AT(zs_pool_stats, queued, 88);
AT(zs_pool_stats, drained, 96);
AT(zs_pool_stats, producer_drained, 104);
AT(zs_pool_stats, fallback, 112);
AT(zs_pool_stats, flushed, 120);
AT(zs_pool_stats, flushes, 248);
AT(zs_pool_stats, kicks, 376);
AT(zs_pool_stats, invalid, 384);
AT(zs_pool_stats, mem_limit, 392);
AT(zs_pool_stats, pages_moved, 400);
_Static_assert(ZS_DEFER_SYNC == 1 && ZS_DEFER_ARRAY == 2 && ZS_DEFER_TOMBSTONE == 3,
	       "policies are stored by users");
_Static_assert(ZS_FLUSH_CALLER == 0 && ZS_FLUSH_NOMEM == 1 && ZS_FLUSH_LIMIT == 2 &&
		       ZS_FLUSH_COMPACT == 3 && ZS_FLUSH_SHRINKER == 4 &&
		       ZS_FLUSH_OOM == 5 && ZS_FLUSH_REUSE == 6 && ZS_FLUSH_DESTROY == 7,
	       "causes are places in zs_pool_stats");

enum { GUARD = 0xa5, BEYOND = 40 };

/* A caller's structure, and what lies behind it. */
union caller {
	struct zs_pool_stats stats;
	struct zs_pool_params params;
	unsigned char bytes[sizeof(struct zs_pool_stats) + BEYOND];
};

static bool all_are(const unsigned char *bytes, size_t n, int value)
{
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] != value)
			return false;
	}
	return true;
}

/* Whatever it has been built with, it gets what it knows, and no byte more. */
static void an_earlier_caller_gets_its_statistics(void **state)
{
	struct zs_pool *pool = pool_create(ZS_DEFER_SYNC, 0);
	struct zs_pool_stats all;
	union caller c;
	struct object o;

	(void)state;
	object_create(pool, &o, 100, 1);
	all = pool_stats(pool);
	assert_int_equal(all.objects, 1);
	for (size_t size = 0; size <= sizeof(all); size += 8) {
		memset(&c, GUARD, sizeof(c));
		zs_pool_stats_sized(pool, &c.stats, size);
		assert_memory_equal(&c, &all, size);
		assert_true(all_are(c.bytes + size, sizeof(c) - size, GUARD));
	}
	pool_destroy(pool);
}

/* What the library has no figures for is 0. */
static void a_later_caller_gets_zeroes(void **state)
{
	struct zs_pool *pool = pool_create(ZS_DEFER_SYNC, 0);
	struct zs_pool_stats all = pool_stats(pool);
	union caller c;

	(void)state;
	memset(&c, GUARD, sizeof(c));
	zs_pool_stats_sized(pool, &c.stats, sizeof(all) + BEYOND - 8);
	assert_memory_equal(&c, &all, sizeof(all));
	assert_true(all_are(c.bytes + sizeof(all), BEYOND - 8, 0));
	assert_true(all_are(c.bytes + sizeof(all) + BEYOND - 8, 8, GUARD));
	pool_destroy(pool);
}

/* What it does not know of is 0, whatever lies behind its structure. */
static void an_earlier_caller_gets_its_pool(void **state)
{
	struct zs_pool *pool;
	union caller c;

	(void)state;
	memset(&c, GUARD, sizeof(c));
	c.params.policy = ZS_DEFER_ARRAY;
	/* The budget is not its own, and would be refused. */
	assert_int_equal(
		zs_create_pool_sized("x", &c.params, sizeof(c.params.policy), &pool), 0);
	assert_int_equal(pool_stats(pool).policy, ZS_DEFER_ARRAY);
	assert_int_equal(pool_stats(pool).capacity, (size_t)128 << 20 >> PORT_PAGE_SHIFT);
	pool_destroy(pool);
}

/* A choice that the library does not know is refused, not left out. */
static void a_later_caller_is_told_of_what_is_not_there(void **state)
{
	struct zs_pool *const untouched = (struct zs_pool *)state;
	struct zs_pool *pool = untouched;
	union caller c;

	memset(&c, 0, sizeof(c));
	c.params.policy = ZS_DEFER_SYNC;
	c.bytes[sizeof(c.params) + 15] = 1;
	assert_int_equal(
		zs_create_pool_sized("x", &c.params, sizeof(c.params) + 16, &pool),
		-EINVAL);
	assert_ptr_equal(pool, untouched);
	assert_int_equal(
		zs_create_pool_sized("x", &c.params, sizeof(c.params) + 15, &pool), 0);
	assert_int_equal(pool_stats(pool).policy, ZS_DEFER_SYNC);
	pool_destroy(pool);
}

/* As of a program that declares it by itself. */
int create_by_name(const char *name, const struct zs_pool_params *params,
		   struct zs_pool **poolp) __asm__("zs_create_pool");

static void a_pool_is_created_by_name(void **state)
{
	struct zs_pool *pool;
	union caller c;

	(void)state;
	memset(&c, GUARD, sizeof(c));
	c.params.policy = ZS_DEFER_ARRAY;
	c.params.defer_budget = 77;
	/* What follows is not the caller's, and would be a limit. */
	assert_int_equal(create_by_name("x", &c.params, &pool), 0);
	assert_int_equal(pool_stats(pool).capacity, 77);
	assert_int_equal(pool_stats(pool).mem_limit, 0);
	pool_destroy(pool);
	assert_int_equal(create_by_name("x", NULL, &pool), 0);
	pool_destroy(pool);
}

static void the_library_knows_its_version(void **state)
{
	(void)state;
	assert_int_equal(zs_version_number(), LETHE_VERSION_NUMBER);
	assert_int_equal(LETHE_VERSION_NUMBER % 100, LETHE_VERSION_PATCH);
	assert_int_equal(LETHE_VERSION_NUMBER / 100 % 100, LETHE_VERSION_MINOR);
	assert_int_equal(LETHE_VERSION_NUMBER / 10000, LETHE_VERSION_MAJOR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_earlier_caller_gets_its_statistics),
		cmocka_unit_test(a_later_caller_gets_zeroes),
		cmocka_unit_test(an_earlier_caller_gets_its_pool),
		cmocka_unit_test(a_later_caller_is_told_of_what_is_not_there),
		cmocka_unit_test(a_pool_is_created_by_name),
		cmocka_unit_test(the_library_knows_its_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
