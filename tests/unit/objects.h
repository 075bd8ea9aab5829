/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Objects whose content a test can tell: each is filled from a seed, and a pool
 * that is taken down must have given everything back.
 */
#ifndef LETHE_TEST_OBJECTS_H
#define LETHE_TEST_OBJECTS_H

#include "test.h"
#include "fault.h"
#include "lethe/zsmalloc.h"

struct object {
	unsigned long handle; /* 0: none */
	u32 size;
	u32 seed;
};

/* xorshift64*: the next number of a sequence that is never 0. */
u64 random_next(u64 *state);
/* A number from 0 to @n - 1. */
u32 random_below(u64 *state, u32 n);
/* Sizes as a compressor gives them: many of all, some tiny, some of a page. */
u32 random_size(u64 *state);
/* Shuffle @n objects. */
void objects_shuffle(struct object *o, size_t n, u64 *state);

/* Allocate and fill; asserts that it works. */
void object_create(struct zs_pool *pool, struct object *o, u32 size, u32 seed);
/* As object_create(), but returns what zs_handle_error() says, @o->handle 0 then. */
int object_try_create(struct zs_pool *pool, struct object *o, u32 size, u32 seed);
/* Is its content what it was filled with? Callable from any thread. */
bool object_is_intact(struct zs_pool *pool, const struct object *o);
/* Assert that all that have a handle are intact. */
void objects_verify(struct zs_pool *pool, const struct object *o, size_t n);
/* Create @n objects of random sizes. */
void objects_create(struct zs_pool *pool, struct object *o, size_t n, u64 *state);
/* Create @n objects of @size, each of its own content. */
void objects_create_equal(struct zs_pool *pool, struct object *o, size_t n, u32 size);
/* Free those that have a handle, one by one, and forget the handles. */
void objects_free(struct zs_pool *pool, struct object *o, size_t n);
/* The same with zs_free_deferred(). */
void objects_free_deferred(struct zs_pool *pool, struct object *o, size_t n);

struct zs_pool *pool_create(enum zs_defer_policy policy, size_t budget);
/* Destroy, and assert that nothing is left of it. Pre: no other pool is. */
void pool_destroy(struct zs_pool *pool);
struct zs_pool_stats pool_stats(struct zs_pool *pool);
/* The fewest pages that the pool's objects can lie in. Pre: nobody else uses it. */
size_t pool_least_pages(const struct zs_pool *pool);
/* Pages of one zspage of each class: what may be partly filled in any pool. */
size_t pool_zspage_of_each_class(const struct zs_pool *pool);
u64 stats_flushed(const struct zs_pool_stats *s);
/*
 * Assert that the account of deferred frees balances: every queued handle was
 * freed by someone or is pending. Pre: nobody else uses the pool.
 */
void pool_check_account(struct zs_pool *pool);

/* One case for each policy, named after it; the test gets the policy's address. */
extern const enum zs_defer_policy policy_sync, policy_array, policy_tombstone;

/* Releases of clang-format differ. */
/* clang-format off */
#define TEST_OF_POLICY(f, p)                                                             \
	{#f " (" #p ")", f, NULL, NULL, (void *)(uintptr_t)&policy_##p}
/* clang-format on */
#define TEST_EACH_POLICY(f) TEST_OF_POLICY(f, sync), TEST_EACH_DEFERRING(f)
#define TEST_EACH_DEFERRING(f) TEST_OF_POLICY(f, array), TEST_OF_POLICY(f, tombstone)

static inline enum zs_defer_policy test_policy(void **state)
{
	return *(const enum zs_defer_policy *)*state;
}

#endif /* LETHE_TEST_OBJECTS_H */
