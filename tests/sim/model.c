/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "pool.h"
#include "table.h"

struct model model;

void model_begin(const struct program *program)
{
	memset(model.cell, 0, program->cells * sizeof(*model.cell));
	memset(model.handle, 0, (model.handle_most + 1) * sizeof(*model.handle));
	memset(model.drained, 0, sizeof(model.drained));
	model.pool = NULL;
	model.program = program;
	model.handle_most = 0;
	model.seeds = 0;
	model.pushes = 0;
	model.pushing = 0;
	model.at_work = 0;
	model.destroyed = false;
	model.deferred = 0;
	model.live = 0;
}

bool cell_take(struct cell *c, enum cell_state state)
{
	if (c->state != state || c->readers)
		return false;
	c->state = CELL_BUSY;
	sim_sync_acquire(&c->sync);
	return true;
}

void cell_put(struct cell *c, enum cell_state state)
{
	c->state = state;
	sim_sync_release(&c->sync);
}

void model_got(unsigned long handle)
{
	struct model_handle *h;

	if (!handle || handle >= HANDLES_MAX)
		sim_fail("handle %lu is not one", handle);
	if (handle > model.handle_most)
		model.handle_most = handle;
	h = &model.handle[handle];
	if (h->owned)
		sim_fail("handle %lu is given out twice", handle);
	h->owned = true;
	h->deferred = false;
	h->generation++;
	model.live++;
}

void model_gives(unsigned long handle)
{
	model.handle[handle].owned = false;
	model.live--;
}

void content_fill(const struct cell *c, char *to)
{
	u32 x = c->seed * 2654435761u;
	u32 i;

	for (i = 0; i < c->len; i++) {
		to[i] = (char)(x >> 24);
		x += 0x3c6ef372u + i;
	}
}

void content_check(const struct cell *c, const void *from, const char *when)
{
	char wanted[PORT_PAGE_SIZE], is[PORT_PAGE_SIZE];

	/* Not memcmp() at once: the simulator is to see who reads. */
	port_memcpy(is, from, c->len);
	content_fill(c, wanted);
	if (memcmp(is, wanted, c->len))
		sim_fail("the object of handle %lu is damaged %s", c->handle, when);
}

bool handle_is_pending(unsigned long handle)
{
	u64 e;

	sim_freeze();
	e = port_atomic_load(pool_entry(model.pool, handle));
	sim_thaw();
	return e & ENTRY_PENDING;
}

void model_push_begins(void)
{
	model.pushes++;
	model.pushing++;
}

void model_deferred_note(u32 *generation)
{
	unsigned long h;

	/* What no count of pushes is, if one is under way. */
	generation[0] = model.pushing ? ~0u : model.pushes;

	for (h = 1; h < HANDLES_MAX; h++)
		generation[h] = h <= model.handle_most && model.handle[h].deferred
					? model.handle[h].generation
					: 0;
}

static bool is_still_pending(const u32 *generation, unsigned long h)
{
	return generation[h] && generation[h] == model.handle[h].generation &&
	       handle_is_pending(h);
}

unsigned long model_still_pending(const u32 *generation)
{
	unsigned long h;

	for (h = 1; h <= model.handle_most; h++) {
		if (is_still_pending(generation, h))
			return h;
	}
	return 0;
}

size_t model_count_still_pending(const u32 *generation)
{
	unsigned long h;
	size_t n = 0;

	for (h = 1; h <= model.handle_most; h++)
		n += is_still_pending(generation, h);
	return n;
}

size_t model_pending(void)
{
	size_t n;

	sim_freeze();
	n = defer_pending(model.pool);
	sim_thaw();
	return n;
}

static u64 freed_of(const struct zs_pool_stats *s)
{
	u64 freed = s->drained + s->producer_drained;
	unsigned int i;

	for (i = 0; i < ZS_FLUSH_NR; i++)
		freed += s->flushed[i];
	return freed;
}

/* What drains have said that they freed is what they are credited with. */
static void check_drained(const struct zs_pool_stats *s)
{
	static const enum zs_flush_cause causes[] = {ZS_FLUSH_LIMIT, ZS_FLUSH_SHRINKER,
						     ZS_FLUSH_OOM};
	unsigned int i;

	/* The core itself drains for the other causes. */
	for (i = 0; i < sizeof(causes) / sizeof(*causes); i++) {
		u64 said = model.drained[causes[i]];

		if (said != s->flushed[causes[i]])
			sim_fail("drains say they freed %llu, the account says %llu",
				 said, (u64)s->flushed[causes[i]]);
	}
}

/* The credit in the pool and the slots, and what is pending, are the budget. */
static void check_credit(size_t pending)
{
	u64 credit;
	unsigned int i;

	if (model.program->policy != ZS_DEFER_TOMBSTONE)
		return;
	sim_freeze();
	credit = port_atomic_load(&model.pool->defer.credit.left);
	for (i = 0; i < port_cpu_slots(); i++)
		credit += model.pool->slots[i].credit;
	sim_thaw();
	if (credit + pending != model.pool->defer.budget)
		sim_fail("of a budget of %zu, %llu are left and %zu pending",
			 model.pool->defer.budget, credit, pending);
}

static void check_at_rest(const struct zs_pool_stats *s)
{
	u64 pending = s->queued - freed_of(s);

	if (pending != s->pending)
		sim_fail("the account does not balance: queued %llu, freed %llu, "
			 "pending %zu",
			 (u64)s->queued, freed_of(s), s->pending);
	if (s->objects != model.live + pending)
		sim_fail("%zu objects, of which %llu are pending and %zu live",
			 s->objects, pending, model.live);
	if (s->queued + s->fallback != model.deferred)
		sim_fail("%llu deferred frees: %llu queued, %llu freed at once",
			 model.deferred, (u64)s->queued, (u64)s->fallback);
	check_drained(s);
	check_credit(s->pending);
	if (s->pages != sim_pages_outstanding())
		sim_fail("%zu pages are held, the pool says %zu", sim_pages_outstanding(),
			 s->pages);
	if (s->meta_bytes != sim_meta_outstanding())
		sim_fail("%zu bytes of metadata are held, the pool says %zu",
			 sim_meta_outstanding(), s->meta_bytes);
}

/*
 * The handle table: each index is an object's or free, and what is set below is
 * announced above (core/handle_table.h).
 */
static void check_leaf(struct handle_table *t, u32 nr)
{
	struct table_leaf *leaf = table_leaf(t, nr << TABLE_SHIFT);
	struct table_node *node = table_node(t, nr);
	u32 word = nr % TABLE_FANOUT / 64;
	u32 free = table_leaf_free(t, nr);

	if (free && !(port_atomic_load(&node->leaf_free[word]) >> nr % 64 & 1))
		sim_fail("leaf %u has %u free indices and does not say so", nr, free);
	if (port_atomic_load(&leaf->pending) &&
	    !(port_atomic_load(&node->leaf_pending[word]) >> nr % 64 & 1))
		sim_fail("leaf %u has flags and does not say so", nr);
}

static void check_table(size_t objects)
{
	struct handle_table *t = &model.pool->handles;
	size_t free;
	u32 nr, i;

	sim_freeze();
	nr = (u32)port_atomic_load(&t->nr_leaves);
	for (i = 0; i < nr; i++)
		check_leaf(t, i);
	free = table_free(model.pool);
	sim_thaw();
	if (free + objects != nr * TABLE_FANOUT)
		sim_fail("of %u handles, %zu are free and %zu in use", nr * TABLE_FANOUT,
			 free, objects);
}

static void stats_look(struct zs_pool_stats *s)
{
	sim_freeze();
	zs_pool_stats(model.pool, s);
	sim_thaw();
}

static size_t pending_entries(void)
{
	size_t n = 0;
	u32 index[FREE_LARGE_BATCH];
	u64 at = 0, end;

	sim_freeze();
	end = port_atomic_load(&model.pool->handles.nr_leaves) << TABLE_SHIFT;
	while (at < end)
		n += table_scan(&model.pool->handles, &at, ENTRY_PENDING, index,
				FREE_LARGE_BATCH);
	sim_thaw();
	return n;
}

void model_check(void)
{
	struct zs_pool_stats s;
	size_t pending = pending_entries();

	stats_look(&s);
	/*
	 * Not by the account: the array has room again when the drain that popped a
	 * handle is done, and another may have freed it and not counted it yet.
	 */
	if (pending > s.capacity)
		sim_fail("over the budget of %zu: %zu are pending", s.capacity, pending);
	if (s.invalid)
		sim_fail("a good handle was refused");
	if (!model.at_work && !sim_work_running())
		check_at_rest(&s);
}

/* ---- no two objects overlap ---- */

struct extent {
	const char *from, *to;
	unsigned long handle;
};

static int extent_compare(const void *a, const void *b)
{
	const struct extent *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

/* Where the objects are, but for those in two pages, of which one gets a copy. */
static size_t extents_gather(struct extent *extent)
{
	char buf[PORT_PAGE_SIZE];
	size_t n = 0;
	u32 i;

	for (i = 0; i < model.program->cells; i++) {
		struct cell *c = &model.cell[i];
		const char *p;

		if (c->state != CELL_LIVE)
			continue;
		p = zs_obj_read_begin(model.pool, c->handle, c->size, buf);
		if (!p)
			sim_fail("the object of handle %lu cannot be read", c->handle);
		if (c->seed)
			content_check(c, p, "at the end");
		if (p != buf)
			extent[n++] = (struct extent){p, p + c->size, c->handle};
		zs_obj_read_end(model.pool, c->handle);
	}
	return n;
}

void model_check_quiet(void)
{
	static struct extent extent[CELLS_MAX];
	struct zs_pool_stats s;
	size_t i, n;

	stats_look(&s);
	check_at_rest(&s);
	check_table(s.objects);
	n = extents_gather(extent);
	qsort(extent, n, sizeof(*extent), extent_compare);
	for (i = 1; i < n; i++) {
		if (extent[i].from < extent[i - 1].to)
			sim_fail("the objects of handles %lu and %lu overlap",
				 extent[i - 1].handle, extent[i].handle);
	}
}
