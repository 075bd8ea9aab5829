/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* Compaction gives back what can be given back, and moves content unharmed. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "objects.h"
#include "pool.h"

/* Keep one in @keep_of, chosen at random; the rest is freed. */
static void thin_out(struct zs_pool *pool, struct object *o, size_t n, u32 keep_of,
		     u64 *seed)
{
	for (size_t i = 0; i < n; i++) {
		if (random_below(seed, keep_of))
			objects_free(pool, &o[i], 1);
	}
}

static void nine_tenths_freed_leaves_a_tenth(void **state)
{
	const size_t n = 10000;
	struct zs_pool *pool = pool_create(test_policy(state), 0);
	struct object *o = malloc(n * sizeof(*o));
	size_t full, before, given;
	u64 seed = 31;

	objects_create(pool, o, n, &seed);
	full = zs_get_total_pages(pool);
	thin_out(pool, o, n, 10, &seed);
	before = zs_get_total_pages(pool);
	given = zs_compact(pool);
	assert_int_equal(zs_get_total_pages(pool), before - given);
	assert_int_equal(user_pages_outstanding(), before - given);
	/* Nor does the home keep any for itself. */
	assert_int_equal(user_pages_retained(), 0);
	assert_int_equal(pool_stats(pool).pages_compacted, given);
	/* Exactly as far as it can go, and that is near a tenth. */
	assert_int_equal(zs_get_total_pages(pool), pool_least_pages(pool));
	assert_true(zs_get_total_pages(pool) <
		    full / 8 + pool_zspage_of_each_class(pool));
	objects_verify(pool, o, n);
	assert_int_equal(zs_compact(pool), 0);
	objects_free_deferred(pool, o, n);
	zs_free_deferred_flush(pool);
	assert_int_equal(zs_get_total_pages(pool), 0);
	pool_destroy(pool);
	free(o);
}

/*
 * The handle table is given back with what it was for, but for the words that CPU slots
 * hold, in two leaves each, and the leaves themselves: by compaction, and without it when
 * a drain frees the last object.
 */
static void the_handle_table_shrinks(void **state)
{
	const size_t n = 60000;
	struct zs_pool *pool = pool_create(test_policy(state), n);
	const size_t empty = pool_stats(pool).meta_bytes;
	struct object *o = malloc(n * sizeof(*o));
	size_t most = empty + sizeof(struct table_node) +
		      n / TABLE_FANOUT * 2 * port_meta_size(sizeof(struct table_leaf)) +
		      2 * port_cpu_slots() * TABLE_FANOUT * sizeof(port_atomic);

	for (int round = 0; round < 3; round++) {
		objects_create_equal(pool, o, n, 64);
		objects_verify(pool, o, n);
		assert_true(pool_stats(pool).meta_bytes >
			    empty + n * sizeof(port_atomic));
		objects_free_deferred(pool, o, n);
		if (test_policy(state) == ZS_DEFER_SYNC || round == 2)
			zs_compact(pool);
		TEST_WAIT_UNTIL(pool_stats(pool).meta_bytes < most);
	}
	pool_destroy(pool);
	free(o);
}

static void moved_objects_can_be_written_and_freed(void **state)
{
	struct zs_pool *pool = pool_create(test_policy(state), 0);
	struct object o[4000];
	u64 seed = 32;

	for (int round = 0; round < 5; round++) {
		objects_create(pool, o, ARRAY_SIZE(o), &seed);
		thin_out(pool, o, ARRAY_SIZE(o), 4, &seed);
		zs_compact(pool);
		for (size_t i = 0; i < ARRAY_SIZE(o); i++) {
			if (!o[i].handle)
				object_create(pool, &o[i], random_size(&seed), (u32)i);
		}
		objects_verify(pool, o, ARRAY_SIZE(o));
		thin_out(pool, o, ARRAY_SIZE(o), 3, &seed);
		zs_compact(pool);
		objects_verify(pool, o, ARRAY_SIZE(o));
		objects_free(pool, o, ARRAY_SIZE(o));
		assert_int_equal(zs_get_total_pages(pool), 0);
	}
	pool_destroy(pool);
}

static void nothing_to_gain_changes_nothing(void **state)
{
	struct zs_pool *pool = pool_create(ZS_DEFER_SYNC, 0);
	struct object o[1000];
	size_t pages;
	u64 seed = 33;

	(void)state;
	assert_int_equal(zs_compact(pool), 0);
	objects_create(pool, o, ARRAY_SIZE(o), &seed);
	pages = zs_get_total_pages(pool);
	assert_int_equal(zs_compact(pool), 0); /* allocation packs well by itself */
	assert_int_equal(zs_get_total_pages(pool), pages);
	objects_verify(pool, o, ARRAY_SIZE(o));
	pool_destroy(pool);
}

/* Objects being read stay where they are, in their pages, whatever is moved. */
static void pinned_objects_stay_in_place(void **state)
{
	enum { N = 3200, EVERY = 100 };
	const u32 size = (u32)PORT_PAGE_SIZE / 16;
	struct zs_pool *pool = pool_create(ZS_DEFER_SYNC, 0);
	unsigned char *copy = malloc((size_t)N / EVERY * size);
	const void *at[N / EVERY];
	struct object o[N];
	unsigned char buf[PORT_PAGE_SIZE];
	u64 seed = 34;
	size_t pinned;

	(void)state;
	for (u32 i = 0; i < N; i++)
		object_create(pool, &o[i], size, i);
	for (u32 i = 0; i < N / EVERY; i++) {
		at[i] = zs_obj_read_begin(pool, o[i * EVERY].handle, size, buf);
		assert_ptr_not_equal(at[i], buf);
		memcpy(copy + i * size, at[i], size);
	}
	for (u32 i = 0; i < N; i++) {
		if (i % EVERY && random_below(&seed, 10))
			objects_free(pool, &o[i], 1);
	}
	zs_compact(pool);
	pinned = zs_get_total_pages(pool);
	for (u32 i = 0; i < N / EVERY; i++) {
		assert_memory_equal(at[i], copy + i * size, size);
		assert_ptr_equal(zs_obj_read_begin(pool, o[i * EVERY].handle, size, buf),
				 at[i]);
		zs_obj_read_end(pool, o[i * EVERY].handle);
		zs_obj_read_end(pool, o[i * EVERY].handle);
	}
	objects_verify(pool, o, N);
	/* Let go, they move too. */
	zs_compact(pool);
	assert_true(zs_get_total_pages(pool) < pinned);
	assert_int_equal(zs_get_total_pages(pool), pool_least_pages(pool));
	objects_verify(pool, o, N);
	pool_destroy(pool);
	free(copy);
}

/* A class of which many zspages have pinned objects is left, for this run. */
static void compaction_leaves_a_class_with_many_pins(void **state)
{
	enum { PINNED = 40, OBJS = 16 };
	const u32 size = (u32)PORT_PAGE_SIZE / OBJS;
	struct zs_pool *pool = pool_create(ZS_DEFER_SYNC, 0);
	struct object o[PINNED * OBJS];
	unsigned char buf[PORT_PAGE_SIZE];
	size_t pages, stuck = 0;

	(void)state;
	objects_create_equal(pool, o, ARRAY_SIZE(o), size);
	pages = zs_get_total_pages(pool);
	/* Of each zspage one object stays, pinned. */
	for (u32 i = 0; i < ARRAY_SIZE(o); i++) {
		if (i % OBJS)
			objects_free(pool, &o[i], 1);
		else
			zs_obj_read_begin(pool, o[i].handle, size, buf);
	}
	zs_compact(pool);
	assert_int_equal(zs_get_total_pages(pool), pages);
	for (u32 i = 0; i < ARRAY_SIZE(o); i += OBJS) {
		const struct zspage *z =
			entry_zspage(port_atomic_load(pool_entry(pool, o[i].handle)));

		stuck += z->stuck != 0;
		zs_obj_read_end(pool, o[i].handle);
	}
	assert_int_equal(stuck, 16);
	zs_compact(pool);
	assert_int_equal(zs_get_total_pages(pool), pool_least_pages(pool));
	pool_destroy(pool);
}

/* What is pending is freed before anything is moved: no page holds it after. */
static void pending_is_drained_first(void **state)
{
	struct zs_pool *pool = pool_create(test_policy(state), 0);
	struct object o[2000];
	struct zs_pool_stats s;
	u64 seed = 35;

	objects_create(pool, o, ARRAY_SIZE(o), &seed);
	objects_shuffle(o, ARRAY_SIZE(o), &seed);
	objects_free_deferred(pool, o, 1800);
	zs_compact(pool);
	s = pool_stats(pool);
	assert_int_equal(s.flushes[ZS_FLUSH_COMPACT], 1);
	objects_verify(pool, o, ARRAY_SIZE(o));
	/* The worker may have been freeing a slice of its own meanwhile. */
	zs_free_deferred_flush(pool);
	zs_compact(pool);
	assert_int_equal(zs_get_total_pages(pool), pool_least_pages(pool));
	objects_verify(pool, o, ARRAY_SIZE(o));
	pool_check_account(pool);
	pool_destroy(pool);
}

static void *compact_thread(void *pool)
{
	zs_compact(pool);
	return NULL;
}

/* Two compactions of a pool at a time: what both have done is as good as one. */
static void two_compactions_at_once(void **state)
{
	struct zs_pool *pool = pool_create(ZS_DEFER_SYNC, 0);
	struct object o[6000];
	pthread_t thread;
	u64 seed = 37;

	(void)state;
	for (int round = 0; round < 5; round++) {
		objects_create(pool, o, ARRAY_SIZE(o), &seed);
		thin_out(pool, o, ARRAY_SIZE(o), 10, &seed);
		assert_int_equal(pthread_create(&thread, NULL, compact_thread, pool), 0);
		zs_compact(pool);
		assert_int_equal(pthread_join(thread, NULL), 0);
		objects_verify(pool, o, ARRAY_SIZE(o));
		/* One may have kept the other from a last zspage. */
		zs_compact(pool);
		assert_int_equal(zs_get_total_pages(pool), pool_least_pages(pool));
		objects_free(pool, o, ARRAY_SIZE(o));
	}
	pool_destroy(pool);
}

/* Most of @n objects of random sizes are freed again; what they hold is not written. */
static unsigned long *fragments_create(struct zs_pool *pool, size_t n, u64 *seed)
{
	unsigned long *handle = malloc(n * sizeof(*handle));

	for (size_t i = 0; i < n; i++) {
		handle[i] = zs_malloc(pool, random_size(seed));
		assert_int_equal(zs_handle_error(handle[i]), 0);
	}
	for (size_t i = 0; i < n; i++) {
		if (!random_below(seed, 10))
			continue;
		zs_free(pool, handle[i]);
		handle[i] = 0;
	}
	return handle;
}

static void fragments_destroy(struct zs_pool *pool, unsigned long *handle, size_t n)
{
	for (size_t i = 0; i < n; i++)
		zs_free(pool, handle[i]);
	free(handle);
	assert_int_equal(zs_get_total_pages(pool), 0);
	pool_destroy(pool);
}

/* Some 75,000 pages, 90 % of whose objects are freed: the count is what there is. */
static void the_count_is_what_compaction_gives(void **state)
{
	const size_t n = 150000;
	struct zs_pool *pool = pool_create(ZS_DEFER_SYNC, 0);
	u64 seed = 38;
	unsigned long *handle;
	size_t count, pages, given;

	(void)state;
	assert_int_equal(zs_compactable_pages(pool), 0);
	handle = fragments_create(pool, n, &seed);
	pages = zs_get_total_pages(pool);
	count = zs_compactable_pages(pool);
	assert_true(count > pages / 2);
	given = zs_compact(pool);
	assert_int_equal(given, count);
	assert_int_equal(zs_get_total_pages(pool), pages - given);
	assert_int_equal(zs_compactable_pages(pool), 0);
	fragments_destroy(pool, handle, n);
}

/* As the shrinker asks: each call gives what was wanted, and the next goes on there. */
static void compaction_in_parts_goes_on(void **state)
{
	enum { N = 10000, WANT = 16 };
	struct zs_pool *pool = pool_create(ZS_DEFER_SYNC, 0);
	u64 seed = 39;
	unsigned long *handle = fragments_create(pool, N, &seed);
	size_t count = zs_compactable_pages(pool);
	u64 from = 0;

	(void)state;
	assert_int_equal(zs_compact_pages(pool, 0), 0);
	while (count) {
		size_t given = zs_compact_pages(pool, WANT);

		assert_true(given >= (count < WANT ? count : WANT));
		assert_true(given < WANT + ZSPAGE_MAX_PAGES);
		count -= given;
		assert_int_equal(zs_compactable_pages(pool), count);
		if (given < WANT)
			break;
		/* It does not begin from the first class again. */
		assert_true(port_atomic_load(&pool->compact_from) >= from);
		from = port_atomic_load(&pool->compact_from);
	}
	assert_int_equal(count, 0);
	assert_true(from > 0);
	assert_int_equal(zs_compact_pages(pool, WANT), 0);
	assert_int_equal(zs_get_total_pages(pool), pool_least_pages(pool));
	fragments_destroy(pool, handle, N);
}

/* The classes before the one at which it stopped have their turn, too. */
static void compaction_turns_at_the_last_class(void **state)
{
	enum { N = 10000 };
	struct zs_pool *pool = pool_create(ZS_DEFER_SYNC, 0);
	u64 seed = 40;
	unsigned long *handle = fragments_create(pool, N, &seed);
	size_t count = zs_compactable_pages(pool);

	(void)state;
	port_atomic_store(&pool->compact_from, pool->table.nr / 2);
	assert_int_equal(zs_compact_pages(pool, ~(size_t)0), count);
	assert_int_equal(zs_compactable_pages(pool), 0);
	fragments_destroy(pool, handle, N);
}

struct fragmenter {
	pthread_t thread;
	struct zs_pool *pool;
	u64 seed;
	port_atomic *stop;
	port_atomic *turns;
};

/* Allocates and frees without end, so that there is always something to compact. */
static void *fragmenter_run(void *arg)
{
	enum { HELD = 512 };
	struct fragmenter *f = arg;
	unsigned long handle[HELD] = {0};

	while (!port_atomic_load(f->stop)) {
		for (u32 i = 0; i < HELD; i++) {
			zs_free(f->pool, handle[i]);
			handle[i] = random_below(&f->seed, 4)
					    ? 0
					    : zs_malloc(f->pool, PORT_PAGE_SIZE / 2);
		}
		port_atomic_add(f->turns, 1);
	}
	for (u32 i = 0; i < HELD; i++)
		zs_free(f->pool, handle[i]);
	return NULL;
}

static void compaction_ends_while_others_fragment(void **state)
{
	struct zs_pool *pool = pool_create(ZS_DEFER_SYNC, 0);
	port_atomic stop, turns;
	struct fragmenter f[2];

	(void)state;
	port_atomic_store(&stop, 0);
	port_atomic_store(&turns, 0);
	for (u32 i = 0; i < ARRAY_SIZE(f); i++) {
		f[i] = (struct fragmenter){
			.pool = pool, .seed = 41 + i, .stop = &stop, .turns = &turns};
		assert_int_equal(
			pthread_create(&f[i].thread, NULL, fragmenter_run, &f[i]), 0);
	}
	TEST_WAIT_UNTIL(port_atomic_load(&turns) > 4);
	/* That its rounds are bounded is shown by mutants/compaction-unbounded.patch. */
	for (int i = 0; i < 200; i++)
		zs_compact(pool);
	port_atomic_store(&stop, 1);
	for (u32 i = 0; i < ARRAY_SIZE(f); i++)
		pthread_join(f[i].thread, NULL);
	zs_compact(pool);
	assert_int_equal(zs_get_total_pages(pool), 0);
	pool_destroy(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_EACH_POLICY(nine_tenths_freed_leaves_a_tenth),
		TEST_EACH_POLICY(the_handle_table_shrinks),
		TEST_EACH_POLICY(moved_objects_can_be_written_and_freed),
		cmocka_unit_test(nothing_to_gain_changes_nothing),
		cmocka_unit_test(pinned_objects_stay_in_place),
		cmocka_unit_test(compaction_leaves_a_class_with_many_pins),
		cmocka_unit_test(two_compactions_at_once),
		TEST_EACH_POLICY(pending_is_drained_first),
		cmocka_unit_test(the_count_is_what_compaction_gives),
		cmocka_unit_test(compaction_in_parts_goes_on),
		cmocka_unit_test(compaction_turns_at_the_last_class),
		cmocka_unit_test(compaction_ends_while_others_fragment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
