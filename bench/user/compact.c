// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "compact.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lethe/zsmalloc.h>

#include "clock.h"
#include "interrupt.h"
#include "parts.h"

static struct {
	struct zs_pool *pool;
	unsigned long *handle; /* by number of the object */
	uint32_t *order; /* in which they are freed; the last parts_kept() stay */
	unsigned char *bounce;
} compact;

static enum outcome store(const struct pack *pack)
{
	for (size_t i = 0; i < pack->n; i++) {
		size_t len = pack->object[i].len;
		unsigned long handle = zs_malloc(compact.pool, len);

		if (zs_handle_error(handle) ||
		    zs_obj_write(compact.pool, handle, pack_data(pack, i), len))
			return fail("an object cannot be stored");
		compact.handle[i] = handle;
	}
	return OK;
}

static enum outcome check_kept(const struct pack *pack)
{
	for (size_t i = pack->n - parts_kept(pack->n); i < pack->n; i++) {
		size_t nr = compact.order[i], len = pack->object[nr].len;
		const void *p = zs_obj_read_begin(compact.pool, compact.handle[nr], len,
						  compact.bounce);
		bool same = p && !memcmp(p, pack_data(pack, nr), len);

		if (p)
			zs_obj_read_end(compact.pool, compact.handle[nr]);
		if (!same)
			return fail("object %zu has not its content", nr);
	}
	return OK;
}

/* Call until there is nothing more to be had, and print how it went. */
static enum outcome call_again_and_again(size_t want)
{
	size_t before = zs_get_total_pages(compact.pool), after, calls = 0;
	uint64_t all = 0, longest = 0;

	for (bool more = true; more && !interrupt_caught(); calls++) {
		uint64_t ns = clock_ns(CLOCK_MONOTONIC);

		more = zs_compact_pages(compact.pool, want);
		ns = clock_ns(CLOCK_MONOTONIC) - ns;
		all += ns;
		longest = ns > longest ? ns : longest;
	}
	if (interrupt_caught())
		return INTERRUPTED;
	after = zs_get_total_pages(compact.pool);
	printf("{\"want\": %zu, \"calls\": %zu, \"pages_back\": %zu, \"pages_left\": "
	       "%zu, "
	       "\"ms\": %.10g, \"pages_per_ms\": %.10g, \"longest_call_ms\": %.10g}\n",
	       want, calls, before - after, after, (double)all / 1e6,
	       (double)(before - after) * 1e6 / (double)all, (double)longest / 1e6);
	return OK;
}

static enum outcome measure(const struct pack *pack, size_t want)
{
	enum outcome err = store(pack);

	if (err)
		return err;
	parts_shuffle(parts_of(pack->n, 1, 0), compact.order);
	for (size_t i = 0; i < pack->n - parts_kept(pack->n); i++)
		zs_free(compact.pool, compact.handle[compact.order[i]]);
	err = call_again_and_again(want);
	return err ? err : check_kept(pack);
}

enum outcome compact_run(const struct pack *pack, size_t want)
{
	struct zs_pool_stats stats;
	enum outcome err;
	int error = zs_create_pool("compact", NULL, &compact.pool);

	if (error)
		return fail("cannot create a pool: %s", strerror(-error));
	zs_pool_stats(compact.pool, &stats);
	compact.handle = calloc(pack->n, sizeof(*compact.handle));
	compact.order = calloc(pack->n, sizeof(*compact.order));
	compact.bounce = malloc(stats.page_size);
	if (compact.handle && compact.order && compact.bounce)
		err = measure(pack, want);
	else
		err = fail("not enough memory for %zu objects", pack->n);
	free(compact.bounce);
	free(compact.order);
	free(compact.handle);
	zs_destroy_pool(compact.pool);
	return err;
}
