/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
#include <stdio.h>

#include "describe.h"
#include "pool.h"
#include "sim.h"

static struct zs_pool *pool;

struct field {
	size_t at;
	const char *name;
};

/* Members of the pool by where they begin, ascending: one reaches to the next. */
static const struct field fields[] = {
	{offsetof(struct zs_pool, handles.root), "handles.root"},
	{offsetof(struct zs_pool, handles.nr_leaves), "handles.nr_leaves"},
	{offsetof(struct zs_pool, handles.free_from), "handles.free_from"},
	{offsetof(struct zs_pool, handles.grow_lock), "handles.grow_lock"},
	{offsetof(struct zs_pool, handles.meta_bytes), "handles.meta_bytes"},
	{offsetof(struct zs_pool, slots), "pool.slots"},
	{offsetof(struct zs_pool, defer.policy), "defer.policy, budget, threshold"},
	{offsetof(struct zs_pool, defer.array), "defer.array"},
	{offsetof(struct zs_pool, defer.credit), "defer.credit"},
	{offsetof(struct zs_pool, defer.armed), "defer.armed"},
	{offsetof(struct zs_pool, defer.armed_at_ns), "defer.armed_at_ns"},
	{offsetof(struct zs_pool, defer.drain_since_ns), "defer.drain_since_ns"},
	{offsetof(struct zs_pool, defer.share), "defer.share"},
	{offsetof(struct zs_pool, defer.show_lock), "defer.show_lock"},
	{offsetof(struct zs_pool, defer.scan_from), "defer.scan_from"},
	{offsetof(struct zs_pool, defer.slice_from), "defer.slice_from"},
	{offsetof(struct zs_pool, defer.closed), "defer.closed"},
	{offsetof(struct zs_pool, defer.freed), "defer.freed"},
	{offsetof(struct zs_pool, defer.flushes), "defer.flushes"},
	{offsetof(struct zs_pool, defer.kicks), "defer.kicks"},
	{offsetof(struct zs_pool, classes), "pool.classes"},
	{offsetof(struct zs_pool, table), "pool.table"},
	{offsetof(struct zs_pool, pages), "pool.pages"},
	{offsetof(struct zs_pool, pages_compacted), "pool.pages_compacted"},
	{offsetof(struct zs_pool, pages_moved), "pool.pages_moved"},
	{offsetof(struct zs_pool, compact_from), "pool.compact_from"},
	{offsetof(struct zs_pool, scratch), "pool.scratch"},
	{offsetof(struct zs_pool, home), "pool.home, name"},
	{sizeof(struct zs_pool), NULL},
};

static bool in(const void *p, const void *from, size_t size, size_t *at)
{
	*at = (size_t)((const char *)p - (const char *)from);
	return *at < size;
}

static bool describe_field(const void *p, char *text, size_t size)
{
	const struct field *f = fields;
	size_t at;

	if (!in(p, pool, sizeof(*pool), &at))
		return false;
	while (f[1].at <= at)
		f++;
	snprintf(text, size, "%s", f->name);
	return true;
}

static bool describe_scratch(const void *p, char *text, size_t size)
{
	size_t at;

	if (in(p, pool->scratch, sizeof(*pool->scratch), &at))
		snprintf(text, size, "scratch");
	else if (pool->defer.threads &&
		 in(p, pool->defer.threads,
		    pool->defer.nr_threads * sizeof(struct drain_thread), &at))
		snprintf(text, size, "drain thread %zu",
			 at / sizeof(struct drain_thread));
	else
		return false;
	return true;
}

static bool describe_class(const void *p, char *text, size_t size)
{
	unsigned int i;
	size_t at;

	for (i = 0; i < pool->table.nr; i++) {
		struct size_class *c = pool->classes[i];

		if (!in(p, c, sizeof(*c), &at))
			continue;
		snprintf(text, size, "%s of class %u (%u bytes)",
			 at < sizeof(c->lock) ? "lock" : "lists", i, c->size);
		return true;
	}
	return false;
}

static bool describe_leaf(u32 nr, const void *p, char *text, size_t size)
{
	struct table_leaf *leaf = table_leaf(&pool->handles, nr << TABLE_SHIFT);
	size_t at;

	if (in(p, table_leaf_value(leaf, 0), TABLE_FANOUT * sizeof(port_atomic), &at))
		snprintf(text, size, "entry of handle %zu",
			 (nr << TABLE_SHIFT) + at / sizeof(port_atomic) + 1);
	else if (in(p, leaf->free, sizeof(leaf->free), &at))
		snprintf(text, size, "free bits of leaf %u, word %zu", nr,
			 at / sizeof(port_atomic));
	else if (in(p, &leaf->pending, sizeof(leaf->pending), &at))
		snprintf(text, size, "flags of leaf %u", nr);
	else
		return false;
	return true;
}

static bool describe_node(u32 leaf_nr, const void *p, char *text, size_t size)
{
	struct table_node *node = table_node(&pool->handles, leaf_nr);
	size_t at;

	if (!in(p, node, sizeof(*node), &at))
		return false;
	snprintf(text, size, "%s of leaves",
		 at < offsetof(struct table_node, leaf_free) ? "flags summary"
		 : at < offsetof(struct table_node, leaf)    ? "free summary"
							     : "addresses");
	return true;
}

static bool describe_table(const void *p, char *text, size_t size)
{
	u32 nr = (u32)port_atomic_load(&pool->handles.nr_leaves);
	size_t at;
	u32 i;

	if (in(p, pool->handles.root, TABLE_FANOUT * sizeof(port_atomic), &at)) {
		snprintf(text, size, "table's root");
		return true;
	}
	for (i = 0; i < nr; i++) {
		if (!(i % TABLE_FANOUT) && describe_node(i, p, text, size))
			return true;
		if (describe_leaf(i, p, text, size))
			return true;
	}
	return false;
}

static bool describe_slot(const void *p, char *text, size_t size)
{
	size_t at;

	if (!in(p, pool->slots, sizeof(*pool->slots) * port_cpu_slots(), &at))
		return false;
	snprintf(text, size, "%s of CPU slot %zu",
		 at % sizeof(*pool->slots) < offsetof(struct pool_slot, queued)
			 ? "handles, credit"
		 : at % sizeof(*pool->slots) < offsetof(struct pool_slot, fallback)
			 ? "queued"
			 : "counters",
		 at / sizeof(*pool->slots));
	return true;
}

static bool describe(const void *p, char *text, size_t size)
{
	bool known;

	if (!pool)
		return false;
	sim_freeze();
	known = describe_field(p, text, size) || describe_scratch(p, text, size) ||
		describe_class(p, text, size) || describe_slot(p, text, size) ||
		describe_table(p, text, size);
	sim_thaw();
	return known;
}

void describe_pool(struct zs_pool *p)
{
	pool = p;
	sim_describe = describe;
}
