// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* Lethe, by each of the three ways to free. */
#include <stdlib.h>
#include <string.h>

#include <lethe/zsmalloc.h>

#include "backend.h"

/* Handles given to zs_free_batch() at a time: two pages of them. */
#define BATCH 1024

_Static_assert(sizeof(uintptr_t) == sizeof(unsigned long), "a ref is a handle here");

static struct zs_pool *pool;
static unsigned char *bounce; /* for objects that lie in two pages */

static enum outcome lethe_open(const struct backend *backend)
{
	struct zs_pool_stats stats;
	int error = zs_create_pool(backend->name, NULL, &pool);

	if (error)
		return fail("cannot create a pool: %s", strerror(-error));
	zs_pool_stats(pool, &stats);
	bounce = malloc(stats.page_size);
	return bounce ? OK : fail("not enough memory for a page");
}

static size_t lethe_store(const struct pack *pack, size_t first, size_t n,
			  uintptr_t *refs)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = pack->object[first + i].len;
		unsigned long handle = zs_malloc(pool, len);

		if (zs_handle_error(handle) ||
		    zs_obj_write(pool, handle, pack_data(pack, first + i), len))
			return i;
		refs[i] = handle;
	}
	return n;
}

static bool lethe_holds(uintptr_t ref, const void *data, size_t len)
{
	const void *p = zs_obj_read_begin(pool, ref, len, bounce);
	bool same = p && !memcmp(p, data, len);

	if (p)
		zs_obj_read_end(pool, ref);
	return same;
}

static void lethe_release_each(const uintptr_t *refs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		zs_free(pool, refs[i]);
}

static void lethe_release_batch(const uintptr_t *refs, size_t n)
{
	for (size_t i = 0; i < n; i += BATCH)
		zs_free_batch(pool, refs + i, n - i < BATCH ? n - i : BATCH);
}

static void lethe_release_deferred(const uintptr_t *refs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		zs_free_deferred(pool, refs[i]);
}

static void lethe_settle(void)
{
	zs_free_deferred_flush(pool);
}

static void lethe_tidy(void)
{
	zs_compact(pool);
}

static uint64_t lethe_own_count(void)
{
	struct zs_pool_stats stats;

	zs_pool_stats(pool, &stats);
	return stats.pages * stats.page_size + stats.meta_bytes;
}

static void lethe_close(void)
{
	free(bounce);
	zs_destroy_pool(pool);
}

#define LETHE_BACKEND                                                                    \
	.open = lethe_open, .store = lethe_store, .holds = lethe_holds,                  \
	.settle = lethe_settle, .tidy = lethe_tidy, .own_count = lethe_own_count,        \
	.close = lethe_close

const struct backend backend_lethe_free = {
	.name = "lethe-free",
	.release = lethe_release_each,
	LETHE_BACKEND,
};

const struct backend backend_lethe_batch = {
	.name = "lethe-batch",
	.release = lethe_release_batch,
	LETHE_BACKEND,
};

const struct backend backend_lethe_deferred = {
	.name = "lethe-deferred",
	.release = lethe_release_deferred,
	LETHE_BACKEND,
};
