/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "objects.h"
#include "pool.h"

const enum zs_defer_policy policy_sync = ZS_DEFER_SYNC;
const enum zs_defer_policy policy_array = ZS_DEFER_ARRAY;
const enum zs_defer_policy policy_tombstone = ZS_DEFER_TOMBSTONE;

/*
 * For what touches nothing but its caller's own stack: ThreadSanitizer looking at
 * each step of it was a third of the time of all tests under it.
 */
#define OWN_STACK_ONLY __attribute__((no_sanitize("thread")))

OWN_STACK_ONLY u64 random_next(u64 *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

u32 random_below(u64 *state, u32 n)
{
	return (u32)((random_next(state) >> 32) * n >> 32);
}

u32 random_size(u64 *state)
{
	u32 kind = random_below(state, 16);

	if (kind == 0)
		return 1 + random_below(state, 32);
	if (kind == 1 && !random_below(state, 1u << (PORT_PAGE_SHIFT - 12)))
		return (u32)PORT_PAGE_SIZE - random_below(state, 2);
	/* Large pages: mostly small objects, or a test would need too much memory. */
	if (random_below(state, 1u << (PORT_PAGE_SHIFT - 12)))
		return 1 + random_below(state, 4096);
	return 1 + random_below(state, (u32)PORT_PAGE_SIZE);
}

void objects_shuffle(struct object *o, size_t n, u64 *state)
{
	for (size_t i = n; i > 1; i--) {
		size_t j = random_below(state, (u32)i);
		struct object swap = o[i - 1];

		o[i - 1] = o[j];
		o[j] = swap;
	}
}

/* A byte sequence in which every position differs with the seed. */
static OWN_STACK_ONLY void pattern_fill(unsigned char *buf, u32 size, u32 seed)
{
	u64 state = ((u64)seed << 32 | size) + 0x9e3779b97f4a7c15ull;
	u32 i;

	for (i = 0; i + 8 <= size; i += 8) {
		u64 word = random_next(&state);

		memcpy(buf + i, &word, 8);
	}
	for (; i < size; i++)
		buf[i] = (unsigned char)random_next(&state);
}

int object_try_create(struct zs_pool *pool, struct object *o, u32 size, u32 seed)
{
	unsigned char buf[PORT_PAGE_SIZE];
	unsigned long handle = zs_malloc(pool, size);
	int err = zs_handle_error(handle);

	*o = (struct object){.size = size, .seed = seed};
	if (err)
		return err;
	o->handle = handle;
	pattern_fill(buf, size, seed);
	return zs_obj_write(pool, handle, buf, size);
}

void object_create(struct zs_pool *pool, struct object *o, u32 size, u32 seed)
{
	assert_int_equal(object_try_create(pool, o, size, seed), 0);
	assert_int_not_equal(o->handle, 0);
	assert_true(o->handle <= UINT32_MAX);
}

bool object_is_intact(struct zs_pool *pool, const struct object *o)
{
	unsigned char want[PORT_PAGE_SIZE], buf[PORT_PAGE_SIZE];
	const void *got = zs_obj_read_begin(pool, o->handle, o->size, buf);
	bool same;

	if (!got)
		return false;
	pattern_fill(want, o->size, o->seed);
	same = !memcmp(got, want, o->size);
	zs_obj_read_end(pool, o->handle);
	return same;
}

void objects_verify(struct zs_pool *pool, const struct object *o, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (o[i].handle && !object_is_intact(pool, &o[i]))
			fail_msg("object %zu (handle %lu, size %u, seed %u) is damaged",
				 i, o[i].handle, o[i].size, o[i].seed);
	}
}

void objects_create(struct zs_pool *pool, struct object *o, size_t n, u64 *state)
{
	for (size_t i = 0; i < n; i++)
		object_create(pool, &o[i], random_size(state), (u32)random_next(state));
}

void objects_free(struct zs_pool *pool, struct object *o, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		zs_free(pool, o[i].handle);
		o[i].handle = 0;
	}
}

void objects_free_deferred(struct zs_pool *pool, struct object *o, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		zs_free_deferred(pool, o[i].handle);
		o[i].handle = 0;
	}
}

struct zs_pool *pool_create(enum zs_defer_policy policy, size_t budget)
{
	struct zs_pool_params params = {.policy = policy, .defer_budget = budget};
	struct zs_pool *pool = NULL;

	assert_int_equal(zs_create_pool("test", &params, &pool), 0);
	assert_non_null(pool);
	return pool;
}

void pool_destroy(struct zs_pool *pool)
{
	zs_destroy_pool(pool);
	assert_int_equal(user_pages_outstanding(), 0);
	assert_int_equal(user_meta_outstanding(), 0);
}

struct zs_pool_stats pool_stats(struct zs_pool *pool)
{
	struct zs_pool_stats s;

	zs_pool_stats(pool, &s);
	return s;
}

size_t pool_least_pages(const struct zs_pool *pool)
{
	size_t pages = 0;

	for (unsigned int i = 0; i < pool->table.nr; i++) {
		const struct size_class *c = pool->classes[i];

		pages += (port_atomic_load(&c->objects) + c->objs - 1) / c->objs *
			 c->pages;
	}
	return pages;
}

size_t pool_zspage_of_each_class(const struct zs_pool *pool)
{
	size_t pages = 0;

	for (unsigned int i = 0; i < pool->table.nr; i++)
		pages += pool->classes[i]->pages;
	return pages;
}

u64 stats_flushed(const struct zs_pool_stats *s)
{
	u64 sum = 0;

	for (int i = 0; i < ZS_FLUSH_NR; i++)
		sum += s->flushed[i];
	return sum;
}

void pool_check_account(struct zs_pool *pool)
{
	struct zs_pool_stats s = pool_stats(pool);

	/* A drain thread may be at work: look until nothing changes in between. */
	for (;;) {
		struct zs_pool_stats again = pool_stats(pool);

		if (!memcmp(&s.pending, &again.pending, sizeof(s.pending)) &&
		    s.drained == again.drained)
			break;
		s = again;
	}
	assert_int_equal(s.queued,
			 s.drained + s.producer_drained + stats_flushed(&s) + s.pending);
	assert_true(s.pending <= s.capacity);
}

void objects_create_equal(struct zs_pool *pool, struct object *o, size_t n, u32 size)
{
	for (size_t i = 0; i < n; i++)
		object_create(pool, &o[i], size, (u32)i);
}
