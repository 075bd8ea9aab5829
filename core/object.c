/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Reading and writing objects.
 *
 * No lock is taken here. A pin, counted in the handle's entry, keeps the object where
 * it is, and its zspage alive: compaction claims an object by compare-and-swap from "no
 * pins", and a free refuses an entry with pins. [P1]
 *
 * The pin's acquire pairs with the release by which zs_malloc() or compaction stored the
 * entry: the reader sees the descriptor and the moved bytes. The unpin's release pairs
 * with the acquire by which compaction claims the object: compaction copies all that was
 * written, and overwrites nothing that a task still reads. [P2]
 *
 * A read may see half of a write: the caller keeps writers and readers of one object
 * apart. [Z4]
 */
#include "object.h"
#include "pool.h"

/* Pin a live object; its entry, or 0 if it is not live, or given back. */
static u64 object_pin(port_atomic *entry)
{
	u64 e = port_atomic_load(entry);

	for (;;) {
		if (unlikely((e & (ENTRY_LIVE | ENTRY_PENDING)) != ENTRY_LIVE))
			return 0;
		/*
		 * Moving, or 62 readers: wait until the move is over, or a reader
		 * goes. [P4]
		 */
		if (unlikely((e & ENTRY_PINS) >= ENTRY_MAX_PINS)) {
			port_cpu_relax();
			e = port_atomic_load(entry);
		} else if (port_atomic_cmpxchg_acquire(entry, &e, e + ENTRY_PIN)) {
			return e;
		}
	}
}

static void object_unpin(port_atomic *entry)
{
	u64 e = port_atomic_sub_return_release(entry, ENTRY_PIN);

	PORT_ASSERT((e & ENTRY_PINS) < ENTRY_MAX_PINS);
	(void)e;
}

/* Pin the object for @call, which asks for @len bytes; its entry, or 0. */
static PORT_ALWAYS_INLINE u64 object_pin_for(struct zs_pool *pool, unsigned long handle,
					     size_t len, const char *call)
{
	port_atomic *entry = handle_is_void(handle) ? NULL : pool_entry(pool, handle);
	u64 e = entry ? object_pin(entry) : 0;

	if (unlikely(!e)) {
		pool_misuse(pool, handle, call, "not allocated, or freed");
		return 0;
	}
	if (unlikely(len - 1 >= pool->classes[entry_class(e)]->size)) {
		object_unpin(entry);
		return 0;
	}
	return e;
}

const void *zs_obj_read_begin(struct zs_pool *pool, unsigned long handle, size_t len,
			      void *buf)
{
	u64 e = object_pin_for(pool, handle, len, "zs_obj_read_begin");
	const struct size_class *c;
	const char *at;
	size_t room;

	if (unlikely(!e))
		return NULL;
	c = pool->classes[entry_class(e)];
	at = zspage_at(c, entry_zspage(e), entry_obj(e), 0, &room);
	if (len <= room)
		return at;
	zspage_read(c, entry_zspage(e), entry_obj(e), buf, len);
	return buf;
}

unsigned int object_pin_parts(struct zs_pool *pool, unsigned long handle, size_t len,
			      struct object_part part[OBJECT_PARTS])
{
	u64 e = object_pin_for(pool, handle, len ? len : 1, "object_pin_parts");
	const struct size_class *c;
	size_t room;

	if (unlikely(!e))
		return 0;
	c = pool->classes[entry_class(e)];
	if (!len)
		len = c->size;
	part[0].at = zspage_at(c, entry_zspage(e), entry_obj(e), 0, &room);
	part[0].len = len < room ? len : room;
	if (len <= room)
		return 1;
	part[1].at = zspage_at(c, entry_zspage(e), entry_obj(e), room, &room);
	part[1].len = len - part[0].len;
	return 2;
}

void zs_obj_read_end(struct zs_pool *pool, unsigned long handle)
{
	object_unpin(pool_entry(pool, handle));
}

size_t zs_obj_size(struct zs_pool *pool, unsigned long handle)
{
	const port_atomic *entry = pool_entry(pool, handle);
	u64 e = entry ? port_atomic_load(entry) : 0;

	if (unlikely((e & (ENTRY_LIVE | ENTRY_PENDING)) != ENTRY_LIVE)) {
		pool_misuse(pool, handle, "zs_obj_size", "not allocated, or freed");
		return 0;
	}
	/* No pin: a live entry keeps its class [H1], which lives as long as the pool. */
	return pool->classes[entry_class(e)]->size;
}

int zs_obj_write(struct zs_pool *pool, unsigned long handle, const void *src, size_t len)
{
	u64 e = object_pin_for(pool, handle, len, "zs_obj_write");

	if (unlikely(!e))
		return -PORT_EINVAL;
	zspage_write(pool->classes[entry_class(e)], entry_zspage(e), entry_obj(e), 0, src,
		     len);
	object_unpin(pool_entry(pool, handle));
	return 0;
}
