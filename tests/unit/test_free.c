/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* zs_free() and zs_free_batch(): what goes goes wholly, what stays stays whole. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "objects.h"
#include "pool.h"

/* The handles of @o, in order; the objects forget them. */
static unsigned long *take_handles(struct object *o, size_t n)
{
	unsigned long *handles = malloc(n * sizeof(*handles));

	for (size_t i = 0; i < n; i++) {
		handles[i] = o[i].handle;
		o[i].handle = 0;
	}
	return handles;
}

/* Batches of every length around the internal limits, in random order. */
static void batches_of_any_length_free_what_they_name(void **state)
{
	static const size_t lengths[] = {1,    2,    63,   64,	 65,  127,
					 1000, 4095, 4096, 4097, 9000};
	const size_t spare = 500;
	struct object *o = malloc((9000 + spare) * sizeof(*o));
	u64 seed = 11;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct zs_pool *pool = pool_create(ZS_DEFER_SYNC, 0);
		size_t n = lengths[i];
		unsigned long *handles, *copy;

		objects_create(pool, o, n + spare, &seed);
		objects_shuffle(o, n + spare, &seed);
		handles = take_handles(o, n);
		copy = malloc(n * sizeof(*copy));
		memcpy(copy, handles, n * sizeof(*copy));
		zs_free_batch(pool, handles, n);
		assert_memory_equal(handles, copy, n * sizeof(*copy));
		assert_int_equal(pool_stats(pool).objects, spare);
		assert_int_equal(pool_stats(pool).invalid, 0);
		objects_verify(pool, o, n + spare);
		objects_free(pool, o, n + spare);
		assert_int_equal(zs_get_total_pages(pool), 0);
		pool_destroy(pool);
		free(handles);
		free(copy);
	}
	free(o);
}

static void batch_ignores_void_handles_in_between(void **state)
{
	struct zs_pool *pool = pool_create(ZS_DEFER_SYNC, 0);
	struct object o[1000];
	unsigned long *handles;
	u64 seed = 12;

	(void)state;
	objects_create(pool, o, ARRAY_SIZE(o), &seed);
	handles = take_handles(o, ARRAY_SIZE(o));
	for (size_t i = 0; i < ARRAY_SIZE(o); i += 3) {
		o[i].handle = handles[i];
		handles[i] = i % 2 ? 0 : (unsigned long)-ENOMEM;
	}
	zs_free_batch(pool, handles, ARRAY_SIZE(o));
	assert_int_equal(pool_stats(pool).objects, (ARRAY_SIZE(o) + 2) / 3);
	assert_int_equal(pool_stats(pool).invalid, 0);
	objects_verify(pool, o, ARRAY_SIZE(o));
	pool_destroy(pool);
	free(handles);
}

/* The pages of a zspage go when its last object does, not before or after. */
static void pages_go_with_the_last_object(void **state)
{
	struct zs_pool *pool = pool_create(ZS_DEFER_SYNC, 0);
	u32 size = (u32)PORT_PAGE_SIZE / 4;
	struct object o[40];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(o); i++)
		object_create(pool, &o[i], size, (u32)i);
	assert_int_equal(zs_get_total_pages(pool), 10);
	assert_int_equal(user_pages_outstanding(), 10);
	for (size_t i = 0; i < ARRAY_SIZE(o); i++) {
		objects_free(pool, &o[i], 1);
		assert_int_equal(zs_get_total_pages(pool), 10 - (i + 1) / 4);
		assert_int_equal(user_pages_outstanding(), 10 - (i + 1) / 4);
		objects_verify(pool, o, ARRAY_SIZE(o));
	}
	pool_destroy(pool);
}

/* New objects go where there is room already: into the fullest zspage. */
static void allocation_packs_the_fullest(void **state)
{
	struct zs_pool *pool = pool_create(ZS_DEFER_SYNC, 0);
	u32 size = (u32)PORT_PAGE_SIZE / 16;
	struct object o[16 * 4], again;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(o); i++)
		object_create(pool, &o[i], size, (u32)i);
	assert_int_equal(zs_get_total_pages(pool), 4);
	objects_free(pool, o, 8); /* the first zspage is half full, */
	objects_free(pool, o + 16, 14); /* the second nearly empty, */
	objects_free(pool, o + 32, 2); /* the third nearly full */
	for (int i = 0; i < 2; i++)
		object_create(pool, &again, size, 100);
	objects_free(pool, o + 30, 2);
	/* Had the new ones gone to the second, it would still be there. */
	assert_int_equal(zs_get_total_pages(pool), 3);
	pool_destroy(pool);
}

/* Another thread has the pool's room for large batches: small ones do as well. */
static void a_large_batch_does_without_the_scratch(void **state)
{
	struct zs_pool *pool = pool_create(ZS_DEFER_SYNC, 0);
	struct free_scratch *scratch;
	unsigned long handles[1000];
	struct object o[1000];
	u64 seed = 46;

	(void)state;
	objects_create(pool, o, ARRAY_SIZE(o), &seed);
	for (size_t i = 0; i < ARRAY_SIZE(o); i++)
		handles[i] = o[i].handle;
	scratch = free_scratch_try_get(pool);
	assert_non_null(scratch);
	assert_null(free_scratch_try_get(pool));
	zs_free_batch(pool, handles, ARRAY_SIZE(handles));
	free_scratch_put(pool);
	assert_ptr_equal(free_scratch_try_get(pool), scratch);
	free_scratch_put(pool);
	assert_int_equal(pool_stats(pool).objects, 0);
	assert_int_equal(pool_stats(pool).invalid, 0);
	pool_destroy(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batches_of_any_length_free_what_they_name),
		cmocka_unit_test(batch_ignores_void_handles_in_between),
		cmocka_unit_test(pages_go_with_the_last_object),
		cmocka_unit_test(a_large_batch_does_without_the_scratch),
		cmocka_unit_test(allocation_packs_the_fullest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
