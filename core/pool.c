/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The pool: allocation, and a pool's beginning and end.
 *
 * Lock order: one class lock, and nothing else under it.
 */
#include "pool.h"

#define NO_LIMIT (~(size_t)0)

_Static_assert(ZS_NO_NODE == PORT_NO_NODE, "nodes are handed on to the home");

/*
 * Another drain may have freed handles whose indices and pages it has not given back yet:
 * it does at the end of its slice. Sleep until one has, or for some 8 ms. [unit
 * a_task_in_need_waits_for_a_slice_at_most]
 */
static void pool_wait_for_drains(struct zs_pool *pool)
{
	u64 freed = defer_freed(pool);
	unsigned int i;

	for (i = 0; i < 8 && defer_pending(pool) && defer_freed(pool) == freed; i++)
		port_nap();
}

/*
 * Memory is short. May the caller try once more, and go further? Then it drains first,
 * if it may wait (PORT_ALLOC_WAIT); else a slice has been freed here, in passing.
 */
static PORT_NOINLINE bool pool_try_harder(struct zs_pool *pool, enum zs_alloc how,
					  enum port_alloc *effort)
{
	if (how == ZS_ALLOC_NOWAIT || *effort != PORT_ALLOC_TRY)
		return false;
	if (how == ZS_ALLOC_WAIT) {
		*effort = PORT_ALLOC_WAIT;
		return true;
	}
	*effort = PORT_ALLOC_RESERVES;
	if (defer_pending(pool))
		defer_drain_slice(pool, ZS_FLUSH_REUSE);
	return true;
}

/* Take a free index without growing the table, first of those this slot gave back. */
static bool pool_find_index(struct zs_pool *pool, u32 *index)
{
	struct pool_slot *slot = &pool->slots[port_cpu_get()];
	bool found = table_cursor_take(&slot->handles, index);

	if (unlikely(!found)) {
		slot->handles = slot->freed;
		slot->freed.mask = 0;
		found = table_cursor_take(&slot->handles, index) ||
			(table_cursor_refill(&pool->handles, &slot->handles) &&
			 table_cursor_take(&slot->handles, index));
	}
	port_cpu_put();
	return found;
}

/* Take a handle index. 0, -PORT_ENOMEM, -PORT_ENOSPC. */
static int pool_take_index(struct zs_pool *pool, enum zs_alloc how, u32 *index)
{
	enum port_alloc effort = PORT_ALLOC_TRY;

	while (unlikely(!pool_find_index(pool, index))) {
		int err;

		if (table_rewind(&pool->handles))
			continue;
		err = table_grow(&pool->handles, effort);
		if (!err)
			continue;
		if (!pool_try_harder(pool, how, &effort))
			return err;
		/* Any handle that is freed will do. */
		if (effort == PORT_ALLOC_WAIT &&
		    !defer_drain(pool, ZS_FLUSH_NOMEM, 1, NO_LIMIT))
			pool_wait_for_drains(pool);
	}
	return 0;
}

/*
 * Count @pages as held, unless that takes the pool past its limit. Before they are
 * allocated: so two tasks that ask at once do not pass it together. [Z5]
 */
static bool pool_charge(struct zs_pool *pool, size_t pages)
{
	u64 held = port_atomic_load(&pool->pages);

	do {
		if (pool->limit_pages - held < pages)
			return false;
	} while (!port_atomic_cmpxchg_acquire(&pool->pages, &held, held + pages));
	return true;
}

/* A zspage of @c, counted. NULL: no memory, or, in *@err, the pool is at its limit. */
static struct zspage *pool_create_zspage(struct zs_pool *pool, const struct size_class *c,
					 enum port_alloc effort, int node, int *err)
{
	struct zspage *z;

	*err = -PORT_ENOSPC;
	if (unlikely(!pool_charge(pool, c->pages)))
		return NULL;
	*err = -PORT_ENOMEM;
	z = zspage_create(c, effort, node);
	if (unlikely(!z))
		port_atomic_add(&pool->pages, -(u64)c->pages);
	else
		port_pages_own(zspage_pages(c, z), c->pages, pool, z);
	return z;
}

/*
 * The pool is at its limit: drain until there is room for a zspage of @c, once. False:
 * the caller gives up.
 */
static PORT_NOINLINE bool at_limit_drain(struct zs_pool *pool, const struct size_class *c,
					 enum zs_alloc how, bool *drained)
{
	if (how != ZS_ALLOC_WAIT || *drained)
		return false;
	*drained = true;
	defer_drain(pool, ZS_FLUSH_LIMIT, NO_LIMIT, c->pages);
	/* Another drain may have cleared the entries of what this one wants. */
	if (pool->limit_pages - port_atomic_load(&pool->pages) < c->pages)
		pool_wait_for_drains(pool);
	return true;
}

/*
 * Find room for an object of @c and take its lock. NULL (lock not held): there is none,
 * and why in *@err. A drain for each reason, once.
 */
static struct zspage *pool_lock_zspage(struct zs_pool *pool, struct size_class *c,
				       enum zs_alloc how, int node, int *err)
{
	enum port_alloc effort = PORT_ALLOC_TRY;
	bool drained = false;
	struct zspage *z;
	bool reuse = true;

	for (;;) {
		port_spin_lock(&c->lock);
		z = size_class_fullest(c);
		if (likely(z))
			return z;
		port_spin_unlock(&c->lock);

		if (unlikely(reuse && defer_is_behind(&pool->defer))) {
			reuse = false;
			if (defer_drain_slice(pool, ZS_FLUSH_REUSE))
				continue;
		}
		z = pool_create_zspage(pool, c, effort, node, err);
		if (z) {
			port_spin_lock(&c->lock);
			zspage_adopt(c, z);
			return z;
		}
		if (*err == -PORT_ENOSPC) {
			if (!at_limit_drain(pool, c, how, &drained))
				return NULL;
			continue;
		}
		if (!pool_try_harder(pool, how, &effort))
			return NULL;
		/* One page will do, or room in this class: a large batch often leaves
		 * some. */
		if (effort == PORT_ALLOC_WAIT)
			defer_drain(pool, ZS_FLUSH_NOMEM, FREE_LARGE_BATCH, 1);
	}
}

static PORT_ALWAYS_INLINE unsigned long pool_malloc(struct zs_pool *pool, size_t size,
						    enum zs_alloc how, int node)
{
	struct size_class *c;
	struct zspage *z;
	unsigned int obj;
	u32 index = 0; /* for compilers that do not see that it is set */
	int err;

	if (unlikely(size - 1 >= PORT_PAGE_SIZE))
		return (unsigned long)-PORT_EINVAL;
	err = pool_take_index(pool, how, &index);
	if (unlikely(err))
		return (unsigned long)err;
	c = pool->classes[size_class_index(&pool->table, size)];
	z = pool_lock_zspage(pool, c, how, node, &err);
	if (unlikely(!z)) {
		table_put(&pool->handles, index & ~63u, (u64)1 << (index % 64));
		return (unsigned long)err;
	}
	obj = zspage_take(c, z, index);
	/* Under the lock: compaction finds the object and its entry together. */
	port_atomic_store_release(table_value(&pool->handles, index),
				  entry_make(c->index, z, obj));
	port_spin_unlock(&c->lock);
	return handle_of_index(index);
}

unsigned long zs_malloc(struct zs_pool *pool, size_t size)
{
	return pool_malloc(pool, size, ZS_ALLOC_WAIT, ZS_NO_NODE);
}

unsigned long zs_malloc_node(struct zs_pool *pool, size_t size, enum zs_alloc how,
			     int node)
{
	return pool_malloc(pool, size, how, node);
}

void pool_misuse(struct zs_pool *pool, unsigned long handle, const char *call,
		 const char *what)
{
	port_atomic_add(&pool->invalid, 1);
	port_misuse(pool->name, handle, call, what);
}

static void pool_free_classes(struct zs_pool *pool)
{
	unsigned int i;

	for (i = 0; i < pool->table.nr; i++)
		port_meta_free(pool->classes[i], sizeof(struct size_class));
}

static int pool_create_classes(struct zs_pool *pool)
{
	unsigned int i;

	size_class_table_init(&pool->table);
	PORT_ASSERT(pool->table.nr <= ENTRY_CLASSES);
	for (i = 0; i < pool->table.nr; i++) {
		pool->classes[i] =
			port_meta_alloc(sizeof(struct size_class), PORT_ALLOC_WAIT);
		if (!pool->classes[i]) {
			pool_free_classes(pool);
			return -PORT_ENOMEM;
		}
		size_class_init(pool->classes[i], i, &pool->table.layout[i]);
	}
	return 0;
}

static size_t pool_slots_size(void)
{
	return sizeof(struct pool_slot) * port_cpu_slots();
}

/* All but deferral and publication. Undone by pool_fini(). */
static int pool_init(struct zs_pool *pool, const char *name)
{
	size_t i;
	int err;

	for (i = 0; i < POOL_NAME_MAX - 1 && name[i]; i++)
		pool->name[i] = name[i];
	err = table_init(&pool->handles);
	if (err)
		return err;
	err = -PORT_ENOMEM;
	pool->slots = port_meta_alloc(pool_slots_size(), PORT_ALLOC_WAIT);
	if (!pool->slots)
		goto no_slots;
	for (i = 0; i < port_cpu_slots(); i++)
		pool->slots[i].leaf_nr = NO_LEAF;
	pool->scratch = port_meta_alloc(sizeof(*pool->scratch), PORT_ALLOC_WAIT);
	if (!pool->scratch)
		goto no_scratch;
	err = pool_create_classes(pool);
	if (err)
		goto no_classes;
	return 0;

no_classes:
	port_meta_free(pool->scratch, sizeof(*pool->scratch));
no_scratch:
	port_meta_free(pool->slots, pool_slots_size());
no_slots:
	table_fini(&pool->handles);
	return err;
}

static void pool_fini(struct zs_pool *pool)
{
	free_all_live(pool);
	pool_free_classes(pool);
	port_meta_free(pool->scratch, sizeof(*pool->scratch));
	port_meta_free(pool->slots, pool_slots_size());
	table_fini(&pool->handles);
}

/*
 * The @size bytes of @from as this version knows them: an earlier caller leaves the rest
 * 0. False: a later caller asks for something that is not known here.
 */
static bool params_take(struct zs_pool_params *params, const struct zs_pool_params *from,
			size_t size)
{
	const char *bytes = (const char *)from;
	size_t i;

	if (!from)
		return true;
	for (i = sizeof(*params); i < size; i++) {
		if (bytes[i])
			return false;
	}
	port_memcpy(params, from, size < sizeof(*params) ? size : sizeof(*params));
	return true;
}

int zs_create_pool_sized(const char *name, const struct zs_pool_params *from, size_t size,
			 struct zs_pool **poolp)
{
	struct zs_pool_params params = {0};
	struct zs_pool *pool;
	int err;

	if (!name || !params_take(&params, from, size) ||
	    (params.mem_limit && params.mem_limit < PORT_PAGE_SIZE))
		return -PORT_EINVAL;
	pool = port_meta_alloc(sizeof(*pool), PORT_ALLOC_WAIT);
	if (!pool)
		return -PORT_ENOMEM;
	pool->limit_pages =
		params.mem_limit ? params.mem_limit >> PORT_PAGE_SHIFT : NO_LIMIT;
	err = pool_init(pool, name);
	if (err)
		goto no_init;
	err = defer_init(pool, &params);
	if (err)
		goto no_defer;
	err = port_pool_attach(pool, pool->name, &pool->home);
	if (err)
		goto no_attach;
	*poolp = pool;
	return 0;

no_attach:
	defer_stop(pool);
	defer_fini(pool);
no_defer:
	pool_fini(pool);
no_init:
	port_meta_free(pool, sizeof(*pool));
	return err;
}

void zs_destroy_pool(struct zs_pool *pool)
{
	if (!pool)
		return;
	/* The home calls in no more: nothing arms a drain thread but the flush. [F4] */
	port_pool_detach(pool, pool->home);
	defer_flush(pool, ZS_FLUSH_DESTROY);
	defer_stop(pool);
	/* The drain threads use the home no more. */
	port_pool_forget(pool->home);
	defer_fini(pool);
	pool_fini(pool);
	port_meta_free(pool, sizeof(*pool));
}
