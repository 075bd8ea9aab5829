/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "objects.h"
#include "pool.h"
#include "table.h"
#include "work.h"

struct model model;

void fuzz_fail(const char *what, ...)
{
	va_list args;

	fputs("fuzz: ", stderr);
	va_start(args, what);
	vfprintf(stderr, what, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

void model_begin(void)
{
	for (size_t i = 0; i < CELLS; i++)
		model.cell[i].handle = 0;
	memset(model.owner, 0, sizeof(model.owner));
	model.pool = NULL;
	model.live = 0;
	model.seed = 1;
}

void model_pool_created(struct zs_pool *pool, const struct zs_pool_params *params)
{
	model.pool = pool;
	model.params = *params;
	model.nr_pending = 0;
	model.deferred = 0;
	model.invalid = 0;
}

void model_destroy_pool(void)
{
	zs_destroy_pool(model.pool);
	if (user_pages_outstanding() || user_meta_outstanding())
		fuzz_fail("the pool leaks %zu pages and %zu bytes",
			  user_pages_outstanding(), user_meta_outstanding());
	if (fuzz_work_exists())
		fuzz_fail("the pool is gone, its worker is not");
	model_begin();
}

static bool pending_remove(unsigned long handle)
{
	for (size_t i = 0; i < model.nr_pending; i++) {
		if (model.pending[i] != handle)
			continue;
		model.pending[i] = model.pending[--model.nr_pending];
		return true;
	}
	return false;
}

static struct cell *cell_of_handle(unsigned long handle)
{
	return handle < HANDLES_MAX ? model.owner[handle] : NULL;
}

void model_got(struct cell *c, unsigned long handle, u32 size)
{
	if (!handle || handle >= HANDLES_MAX)
		fuzz_fail("handle %lu is not one", handle);
	if (cell_of_handle(handle))
		fuzz_fail("handle %lu is given out twice", handle);
	/* It was freed on the way here, or it would not be free. */
	pending_remove(handle);
	model.owner[handle] = c;
	c->handle = handle;
	c->size = size;
	c->known = 0;
	c->holds = 0;
	model.live++;
}

void model_freed(struct cell *c)
{
	model.owner[c->handle] = NULL;
	c->handle = 0;
	model.live--;
}

void model_deferred(struct cell *c)
{
	model.deferred++;
	model.pending[model.nr_pending++] = c->handle;
	model_freed(c);
}

bool model_is_stranger(unsigned long handle)
{
	for (size_t i = 0; i < model.nr_pending; i++) {
		if (model.pending[i] == handle)
			return false;
	}
	return handle && !zs_handle_error(handle) && !cell_of_handle(handle);
}

void cell_write(struct cell *c, u32 len)
{
	int err;

	for (u32 i = 0; i < len; i += 8) {
		u64 word = random_next(&model.seed);

		memcpy(c->bytes + i, &word, len - i < 8 ? len - i : 8);
	}
	if (len > c->known)
		c->known = len;
	err = zs_obj_write(model.pool, c->handle, c->bytes, len);
	if (err)
		fuzz_fail("a write of %u bytes to handle %lu gives %d", len, c->handle,
			  err);
}

static void compare(const struct cell *c, const u8 *is)
{
	if (memcmp(is, c->bytes, c->known))
		fuzz_fail("the object of handle %lu (size %u) is damaged", c->handle,
			  c->size);
}

void hold_begin(struct hold *h, struct cell *c)
{
	/* Not a byte more, so that AddressSanitizer sees what is too much. */
	h->buf = malloc(c->known);
	h->at = zs_obj_read_begin(model.pool, c->handle, c->known, h->buf);
	if (!h->at)
		fuzz_fail("a read of handle %lu is refused", c->handle);
	h->cell = c;
	c->holds++;
	compare(c, h->at);
}

void hold_end(struct hold *h)
{
	/* Nobody has moved it meanwhile, nor written. */
	compare(h->cell, h->at);
	zs_obj_read_end(model.pool, h->cell->handle);
	h->cell->holds--;
	h->cell = NULL;
	free(h->buf);
}

void model_end_holds(void)
{
	for (size_t i = 0; i < HOLDS; i++) {
		if (model.hold[i].cell)
			hold_end(&model.hold[i]);
	}
}

void cell_verify(struct cell *c)
{
	struct hold h;

	if (!c->known)
		return;
	hold_begin(&h, c);
	hold_end(&h);
}

void model_verify_all(void)
{
	for (size_t i = 0; i < CELLS; i++) {
		if (model.cell[i].handle)
			cell_verify(&model.cell[i]);
	}
}

static void forget_what_is_freed(void)
{
	size_t i = 0;

	/* As a drain: handles may be freed meanwhile. */
	table_read_begin(&model.pool->handles);
	while (i < model.nr_pending) {
		const port_atomic *entry = pool_entry(model.pool, model.pending[i]);

		if (port_atomic_load(entry) & ENTRY_PENDING)
			i++;
		else
			model.pending[i] = model.pending[--model.nr_pending];
	}
	table_read_end(&model.pool->handles);
}

static void check_deferral(const struct zs_pool_stats *s)
{
	u64 freed = s->drained + s->producer_drained + stats_flushed(s);

	if (s->pending != model.nr_pending || s->pending != s->queued - freed)
		fuzz_fail("%zu are pending, of %llu queued %llu are freed, and the pool "
			  "says %zu",
			  model.nr_pending, (u64)s->queued, freed, s->pending);
	if (s->pending > s->capacity)
		fuzz_fail("%zu pending of %zu", s->pending, s->capacity);
	if (s->queued + s->fallback != model.deferred)
		fuzz_fail("%llu deferred frees: %llu queued, %llu freed at once",
			  model.deferred, (u64)s->queued, (u64)s->fallback);
	if (s->pending && !fuzz_work_scheduled())
		fuzz_fail("%zu pending, and nobody will come", s->pending);
	if (s->policy == ZS_DEFER_ARRAY && s->pending >= s->threshold &&
	    !fuzz_work_urgent())
		fuzz_fail("the threshold is reached, and the worker is not called");
	if (!s->pending && s->oldest_age_ns)
		fuzz_fail("nothing is pending, and old");
}

void model_check(void)
{
	struct zs_pool_stats s;

	if (!model.pool)
		return;
	forget_what_is_freed();
	zs_pool_stats(model.pool, &s);
	if (s.objects != model.live + model.nr_pending)
		fuzz_fail("%zu objects, of which %zu are live and %zu pending", s.objects,
			  model.live, model.nr_pending);
	if ((s.objects + table_free(model.pool)) % TABLE_FANOUT)
		fuzz_fail("%zu objects and %zu free handles are no whole leaves",
			  s.objects, table_free(model.pool));
	if (s.invalid != model.invalid)
		fuzz_fail("%llu mistakes, %llu refused", model.invalid, (u64)s.invalid);
	if (s.pages != user_pages_outstanding() || s.pages < pool_least_pages(model.pool))
		fuzz_fail("%zu pages are held, the pool says %zu",
			  user_pages_outstanding(), s.pages);
	if (s.meta_bytes != user_meta_outstanding())
		fuzz_fail("%zu bytes of metadata are held, the pool says %zu",
			  user_meta_outstanding(), s.meta_bytes);
	check_deferral(&s);
}
