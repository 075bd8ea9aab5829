/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* Objects keep what is written to them, whatever their size and place. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "object.h"
#include "objects.h"

/* Live objects at a time: some memory that is used again and again. */
enum { WINDOW = (2 << 20) >> PORT_PAGE_SHIFT };

/* Every size there is, in classes of every layout, also across pages. */
static void every_size_is_stored_and_read_back(void **state)
{
	struct zs_pool *pool = pool_create(ZS_DEFER_SYNC, 0);
	struct object o[WINDOW];

	(void)state;
	for (u32 size = 1; size <= PORT_PAGE_SIZE; size += WINDOW) {
		size_t n = PORT_PAGE_SIZE - size + 1;

		if (n > WINDOW)
			n = WINDOW;
		for (size_t i = 0; i < n; i++)
			object_create(pool, &o[i], size + (u32)i, size);
		objects_verify(pool, o, n);
		objects_free(pool, o, n);
	}
	assert_int_equal(zs_get_total_pages(pool), 0);
	pool_destroy(pool);
}

/* Fill one zspage after the other of a class: every object of each, all crossings. */
static void neighbours_do_not_overlap(void **state)
{
	struct zs_pool *pool = pool_create(ZS_DEFER_SYNC, 0);
	struct object o[300];
	u64 seed = 3;

	(void)state;
	for (int round = 0; round < 15; round++) {
		u32 size = 1 + random_below(&seed, (u32)PORT_PAGE_SIZE);

		for (size_t i = 0; i < ARRAY_SIZE(o); i++)
			object_create(pool, &o[i], size, (u32)i);
		objects_shuffle(o, ARRAY_SIZE(o), &seed);
		objects_free(pool, o, ARRAY_SIZE(o) / 2);
		objects_verify(pool, o, ARRAY_SIZE(o));
		for (size_t i = 0; i < ARRAY_SIZE(o) / 2; i++)
			object_create(pool, &o[i], size, (u32)(1000 + i));
		objects_verify(pool, o, ARRAY_SIZE(o));
		objects_free(pool, o, ARRAY_SIZE(o));
	}
	assert_int_equal(zs_get_total_pages(pool), 0);
	pool_destroy(pool);
}

static void many_objects_of_all_sizes(void **state)
{
	const size_t n = 15000;
	struct object *o = malloc(n * sizeof(*o));
	struct zs_pool *pool = pool_create(test_policy(state), 0);
	size_t payload = 0;
	u64 seed = 4;

	objects_create(pool, o, n, &seed);
	for (size_t i = 0; i < n; i++)
		payload += o[i].size;
	assert_int_equal(pool_stats(pool).objects, n);
	/* Packed as tightly as can be, and that is little more than the payload. */
	assert_int_equal(zs_get_total_pages(pool), pool_least_pages(pool));
	assert_true(zs_get_total_pages(pool) <
		    payload / 15 * 16 / PORT_PAGE_SIZE + pool_zspage_of_each_class(pool));
	objects_shuffle(o, n, &seed);
	objects_verify(pool, o, n);
	objects_free(pool, o, n / 2);
	objects_verify(pool, o, n);
	objects_free_deferred(pool, o, n);
	zs_free_deferred_flush(pool);
	assert_int_equal(pool_stats(pool).objects, 0);
	assert_int_equal(pool_stats(pool).zspages, 0);
	assert_int_equal(zs_get_total_pages(pool), 0);
	pool_destroy(pool);
	free(o);
}

/* A write of fewer bytes than the object has changes those and no others. */
static void short_write_keeps_the_rest(void **state)
{
	struct zs_pool *pool = pool_create(ZS_DEFER_SYNC, 0);
	u32 size = (u32)PORT_PAGE_SIZE / 4 * 3;
	unsigned char buf[PORT_PAGE_SIZE], old[PORT_PAGE_SIZE];
	struct object o[5];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(o); i++)
		object_create(pool, &o[i], size, (u32)i);
	for (size_t i = 0; i < ARRAY_SIZE(o); i++) {
		const unsigned char *now;

		memcpy(old, zs_obj_read_begin(pool, o[i].handle, size, buf), size);
		zs_obj_read_end(pool, o[i].handle);
		assert_int_equal(zs_obj_write(pool, o[i].handle, "changed", 7), 0);
		now = zs_obj_read_begin(pool, o[i].handle, size, buf);
		assert_memory_equal(now, "changed", 7);
		assert_memory_equal(now + 7, old + 7, size - 7);
		zs_obj_read_end(pool, o[i].handle);
		/* Fewer bytes may be asked for than there are. */
		now = zs_obj_read_begin(pool, o[i].handle, 3, buf);
		assert_memory_equal(now, "cha", 3);
		zs_obj_read_end(pool, o[i].handle);
	}
	pool_destroy(pool);
}

static void lengths_that_do_not_fit_are_refused(void **state)
{
	static const size_t bad[] = {0, PORT_PAGE_SIZE, PORT_PAGE_SIZE + 1, SIZE_MAX};
	struct zs_pool *pool = pool_create(ZS_DEFER_SYNC, 0);
	unsigned char buf[PORT_PAGE_SIZE];
	struct object o;

	(void)state;
	object_create(pool, &o, 1, 9);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_null(zs_obj_read_begin(pool, o.handle, bad[i], buf));
		assert_int_equal(zs_obj_write(pool, o.handle, buf, bad[i]), -EINVAL);
	}
	assert_true(object_is_intact(pool, &o));
	/* A refused read leaves no pin: the object can be freed. */
	zs_free(pool, o.handle);
	assert_int_equal(pool_stats(pool).objects, 0);
	assert_int_equal(pool_stats(pool).invalid, 0);
	pool_destroy(pool);
}

/* All bytes of an object are its own, those beyond what was asked for as well. */
static void the_whole_size_can_be_used(void **state)
{
	struct zs_pool *pool = pool_create(ZS_DEFER_SYNC, 0);
	const size_t step = PORT_PAGE_SIZE / 64 - 1; /* of every residue, in time */
	unsigned long handle[64 + 2];
	unsigned char want[PORT_PAGE_SIZE], buf[PORT_PAGE_SIZE];
	size_t n = 0;

	(void)state;
	for (size_t size = 1; size <= PORT_PAGE_SIZE; size += step, n++) {
		handle[n] = zs_malloc(pool, size);
		size_t has = zs_obj_size(pool, handle[n]);

		assert_in_range(has, size, PORT_PAGE_SIZE);
		/* Of the same class: the size is what a class rounds up to. */
		zs_free(pool, handle[n]);
		handle[n] = zs_malloc(pool, has);
		assert_int_equal(zs_obj_size(pool, handle[n]), has);
		memset(buf, (int)n, has);
		assert_int_equal(zs_obj_write(pool, handle[n], buf, has), 0);
		if (has < PORT_PAGE_SIZE)
			assert_null(zs_obj_read_begin(pool, handle[n], has + 1, buf));
	}
	/* Compaction moves all of it. */
	for (size_t i = 0; i < n; i += 2)
		zs_free(pool, handle[i]);
	zs_compact(pool);
	for (size_t i = 1; i < n; i += 2) {
		size_t has = zs_obj_size(pool, handle[i]);
		const void *at = zs_obj_read_begin(pool, handle[i], has, buf);

		memset(want, (int)i, has);
		assert_memory_equal(at, want, has);
		zs_obj_read_end(pool, handle[i]);
	}
	assert_int_equal(pool_stats(pool).invalid, 0);
	pool_destroy(pool);
}

static void reading_copies_only_across_pages(void **state)
{
	struct zs_pool *pool = pool_create(ZS_DEFER_SYNC, 0);
	u32 size = (u32)PORT_PAGE_SIZE / 4 * 3; /* 4 objects in 3 pages */
	unsigned char buf[PORT_PAGE_SIZE];
	size_t copied = 0;
	struct object o[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(o); i++) {
		const unsigned char *at;

		object_create(pool, &o[i], size, (u32)i);
		at = zs_obj_read_begin(pool, o[i].handle, size, buf);
		if (at == buf)
			copied++;
		else
			assert_true((uintptr_t)at % PORT_PAGE_SIZE + size <=
				    PORT_PAGE_SIZE);
		zs_obj_read_end(pool, o[i].handle);
	}
	assert_int_equal(zs_get_total_pages(pool), 3);
	assert_int_equal(copied, 2);
	pool_destroy(pool);
}

/* Assert that the first @len bytes of @o are in the parts; 0: all. Returns how many. */
static unsigned int parts_hold(struct zs_pool *pool, const struct object *o, size_t len)
{
	size_t all = len ? len : zs_obj_size(pool, o->handle);
	struct object_part part[OBJECT_PARTS];
	unsigned char buf[PORT_PAGE_SIZE];
	const unsigned char *bytes;
	unsigned int n;

	n = object_pin_parts(pool, o->handle, len, part);
	assert_in_range(n, 1, OBJECT_PARTS);
	bytes = zs_obj_read_begin(pool, o->handle, all, buf);
	assert_memory_equal(bytes, part[0].at, part[0].len);
	if (n == 2)
		assert_memory_equal(bytes + part[0].len, part[1].at, part[1].len);
	assert_int_equal(part[0].len + (n == 2 ? part[1].len : 0), all);
	zs_obj_read_end(pool, o->handle);
	zs_obj_read_end(pool, o->handle);
	return n;
}

static void parts_are_where_the_bytes_are(void **state)
{
	struct zs_pool *pool = pool_create(ZS_DEFER_SYNC, 0);
	u32 size = (u32)PORT_PAGE_SIZE / 4 * 3; /* 4 objects in 3 pages */
	struct object_part part[OBJECT_PARTS];
	struct object o[4];
	size_t divided = 0;

	(void)state;
	objects_create_equal(pool, o, ARRAY_SIZE(o), size);
	for (size_t i = 0; i < ARRAY_SIZE(o); i++) {
		divided += parts_hold(pool, &o[i], 0) - 1;
		parts_hold(pool, &o[i], size - 1);
		assert_int_equal(parts_hold(pool, &o[i], 1), 1);
		assert_int_equal(object_pin_parts(pool, o[i].handle, size + 1, part), 0);
	}
	assert_int_equal(divided, 2);
	objects_free(pool, o, ARRAY_SIZE(o));
	/* Nothing was left pinned: they could be freed. */
	assert_int_equal(pool_stats(pool).objects, 0);
	pool_destroy(pool);
}

static void readers_share_an_object(void **state)
{
	struct zs_pool *pool = pool_create(ZS_DEFER_SYNC, 0);
	struct object o;
	unsigned char buf[100];

	(void)state;
	object_create(pool, &o, 100, 7);
	for (int i = 0; i < 62; i++)
		assert_non_null(zs_obj_read_begin(pool, o.handle, 100, buf));
	for (int i = 0; i < 62; i++)
		zs_obj_read_end(pool, o.handle);
	zs_free(pool, o.handle);
	assert_int_equal(pool_stats(pool).objects, 0);
	pool_destroy(pool);
}

struct late_reader {
	struct zs_pool *pool;
	unsigned long handle;
	u32 begun; /* atomic */
};

static void *read_late(void *arg)
{
	struct late_reader *r = arg;
	unsigned char buf[100];

	if (zs_obj_read_begin(r->pool, r->handle, 100, buf))
		__atomic_store_n(&r->begun, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void a_reader_too_many_waits(void **state)
{
	struct late_reader late = {.pool = pool_create(ZS_DEFER_SYNC, 0)};
	unsigned char buf[100];
	struct object o;
	pthread_t thread;

	(void)state;
	object_create(late.pool, &o, 100, 7);
	late.handle = o.handle;
	for (int i = 0; i < 62; i++)
		assert_non_null(zs_obj_read_begin(late.pool, o.handle, 100, buf));
	assert_int_equal(pthread_create(&thread, NULL, read_late, &late), 0);
	test_sleep_ms(10);
	assert_int_equal(__atomic_load_n(&late.begun, __ATOMIC_SEQ_CST), 0);
	zs_obj_read_end(late.pool, o.handle);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(late.begun, 1);
	for (int i = 0; i < 62; i++)
		zs_obj_read_end(late.pool, o.handle);
	zs_free(late.pool, o.handle);
	assert_int_equal(pool_stats(late.pool).objects, 0);
	pool_destroy(late.pool);
}

/* From zs_huge_class_size() on an object costs a page; just below, less. */
static void huge_class_size_is_the_border(void **state)
{
	enum { N = 900 }; /* many zspages, so that a last one does not matter */
	struct zs_pool *pool = pool_create(ZS_DEFER_SYNC, 0);
	size_t huge = zs_huge_class_size(pool);
	struct object o[N];

	(void)state;
	assert_true(huge > PORT_PAGE_SIZE / 2 && huge <= PORT_PAGE_SIZE);
	for (int i = 0; i < N; i++)
		object_create(pool, &o[i], (u32)huge, (u32)i);
	assert_int_equal(zs_get_total_pages(pool), N);
	objects_free(pool, o, N);
	for (int i = 0; i < N; i++)
		object_create(pool, &o[i], (u32)huge - 1, (u32)i);
	assert_true(zs_get_total_pages(pool) < N);
	objects_verify(pool, o, N);
	pool_destroy(pool);
}

/* Handles are handed out again, so the table does not grow for ever. */
static void handles_are_reused(void **state)
{
	struct zs_pool *pool = pool_create(test_policy(state), 0);
	struct object o[1000];
	unsigned long highest = 0;
	u64 seed = 8;

	for (int round = 0; round < 30; round++) {
		objects_create(pool, o, ARRAY_SIZE(o), &seed);
		for (size_t i = 0; i < ARRAY_SIZE(o); i++)
			if (o[i].handle > highest)
				highest = o[i].handle;
		objects_free_deferred(pool, o, ARRAY_SIZE(o));
		zs_free_deferred_flush(pool);
	}
	assert_true(highest < 4 * ARRAY_SIZE(o));
	pool_destroy(pool);
}

/* Bookkeeping per object stays within 16 bytes, plus that of its zspage. */
static void overhead_per_object_is_bounded(void **state)
{
	const size_t n = 100000;
	struct zs_pool *pool = pool_create(ZS_DEFER_TOMBSTONE, 0);
	struct object *o = malloc(n * sizeof(*o));
	size_t empty = pool_stats(pool).meta_bytes;
	struct zs_pool_stats s;

	(void)state;
	for (size_t i = 0; i < n; i++)
		object_create(pool, &o[i], 300, 1);
	s = pool_stats(pool);
	/* A descriptor: its fields, 8 page addresses, 4 words of bits. */
	assert_true(s.meta_bytes - empty <= 16 * n + s.zspages * 128);
	assert_true(user_meta_outstanding() >= s.meta_bytes / 10 * 9);
	assert_true(user_meta_outstanding() <= s.meta_bytes / 10 * 11);
	pool_destroy(pool);
	free(o);
}

/*
 * A handle works as soon as zs_malloc() has given it out, also one from a part of
 * the table that another thread is adding at that moment.
 */
enum { NEW_THREADS = 4, NEW_OBJECTS = 3000, NEW_ROUNDS = 20 };

static void *write_new_objects(void *arg)
{
	struct zs_pool *pool = arg;

	for (u32 i = 0; i < NEW_OBJECTS; i++) {
		struct object o;

		if (object_try_create(pool, &o, 16, i) || !object_is_intact(pool, &o))
			return pool;
	}
	return NULL;
}

static void new_handles_work_at_once(void **state)
{
	pthread_t t[NEW_THREADS];

	(void)state;
	for (int round = 0; round < NEW_ROUNDS; round++) {
		struct zs_pool *pool = pool_create(ZS_DEFER_SYNC, 0);
		void *failed = NULL;

		for (int i = 0; i < NEW_THREADS; i++)
			assert_int_equal(
				pthread_create(&t[i], NULL, write_new_objects, pool), 0);
		for (int i = 0; i < NEW_THREADS; i++) {
			void *one;

			pthread_join(t[i], &one);
			failed = one ? one : failed;
		}
		assert_null(failed);
		assert_int_equal(pool_stats(pool).objects, NEW_THREADS * NEW_OBJECTS);
		pool_destroy(pool);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_size_is_stored_and_read_back),
		cmocka_unit_test(neighbours_do_not_overlap),
		TEST_EACH_POLICY(many_objects_of_all_sizes),
		cmocka_unit_test(short_write_keeps_the_rest),
		cmocka_unit_test(lengths_that_do_not_fit_are_refused),
		cmocka_unit_test(the_whole_size_can_be_used),
		cmocka_unit_test(reading_copies_only_across_pages),
		cmocka_unit_test(parts_are_where_the_bytes_are),
		cmocka_unit_test(readers_share_an_object),
		cmocka_unit_test(a_reader_too_many_waits),
		cmocka_unit_test(huge_class_size_is_the_border),
		TEST_EACH_POLICY(handles_are_reused),
		cmocka_unit_test(new_handles_work_at_once),
		cmocka_unit_test(overhead_per_object_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
