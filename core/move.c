/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Moving a page: the home wants the memory of one page of a zspage for something else
 * (the kernel: a huge page, CMA, memory that goes offline), and has another page for its
 * content. Only the page's address in the descriptor changes. Handles, and the places of
 * objects in the zspage, stay.
 *
 * Lock order: the home's lock of owners (port.h, "pages that move"), then one class lock.
 *
 * A move claims each live object that has bytes in the page, as compaction does: none of
 * them has a pin, and a reader that wants one waits until the page is copied and the
 * descriptor has its new address. If one is pinned, the move lets go of those that it has
 * claimed, and fails. So the address of a page changes only under the class lock, and
 * while no object in the page has a pin. [M1]
 *
 * While an object is claimed, its entry may become pending, and nothing else: as in
 * compact.c [P3], it is let go by a difference. [M2]
 *
 * The descriptor is there.  The home holds its lock, and its page still has an owner: so
 * port_pages_free() of that page has not returned, and the zspage's descriptor, and then
 * its pool, go after it (zspage_destroy_list()). A zspage without objects is dead, or not
 * adopted yet: a task without the class lock has it, and its addresses must stay as they
 * are. [M3]
 *
 * A move is bounded: at most 256 claims, and the copy of a page. [M4]
 */
#include "pool.h"

/* Of page @nr of a zspage: the objects from @first to before @end have bytes in it. */
struct page_objects {
	unsigned int nr, first, end;
};

static struct page_objects page_objects(const struct size_class *c, struct zspage *z,
					const void *page)
{
	struct page_objects o = {0};
	size_t at;

	while (zspage_pages(c, z)[o.nr] != page) {
		o.nr++;
		PORT_ASSERT(o.nr < c->pages);
	}
	at = (size_t)o.nr << PORT_PAGE_SHIFT;
	o.first = (unsigned int)(at / c->size);
	o.end = (unsigned int)((at + PORT_PAGE_SIZE - 1) / c->size + 1);
	if (o.end > c->objs)
		o.end = c->objs;
	return o;
}

static port_atomic *object_entry(struct zs_pool *pool, const struct size_class *c,
				 struct zspage *z, unsigned int obj)
{
	return table_value(&pool->handles, zspage_refs(c, z)[obj]);
}

/* Has none of them a pin? Reads what is cold, while no task waits for it. */
static bool objects_look_idle(struct zs_pool *pool, const struct size_class *c,
			      struct zspage *z, const struct page_objects *o)
{
	unsigned int obj;

	for (obj = o->first; obj < o->end; obj++) {
		if (zspage_is_live(z, obj) &&
		    port_atomic_load(object_entry(pool, c, z, obj)) & ENTRY_PINS)
			return false;
	}
	return true;
}

/* Claim them, up to the first that is pinned; which that is, or @o->end. */
static unsigned int objects_claim(struct zs_pool *pool, const struct size_class *c,
				  struct zspage *z, const struct page_objects *o)
{
	unsigned int obj;

	for (obj = o->first; obj < o->end; obj++) {
		if (zspage_is_live(z, obj) && !entry_claim(object_entry(pool, c, z, obj)))
			break;
	}
	return obj;
}

/* Let go of those before @end: a reader that pins one then sees its page's address. */
static void objects_let_go(struct zs_pool *pool, const struct size_class *c,
			   struct zspage *z, unsigned int first, unsigned int end)
{
	unsigned int obj;

	for (obj = first; obj < end; obj++) {
		if (zspage_is_live(z, obj))
			port_atomic_sub_return_release(object_entry(pool, c, z, obj),
						       ENTRY_MOVING);
	}
}

static bool zspage_move_page(struct zs_pool *pool, const struct size_class *c,
			     struct zspage *z, const void *from, void *to)
{
	struct page_objects o = page_objects(c, z, from);
	unsigned int claimed;

	if (!objects_look_idle(pool, c, z, &o))
		return false;
	/* Readers spin from the first claim on: see compact_zspage(). */
	port_preempt_off();
	claimed = objects_claim(pool, c, z, &o);
	if (claimed == o.end) {
		port_memcpy(to, from, PORT_PAGE_SIZE);
		zspage_pages(c, z)[o.nr] = to;
	}
	objects_let_go(pool, c, z, o.first, claimed);
	port_preempt_on();
	return claimed == o.end;
}

bool core_move_page(struct zs_pool *pool, void *owner, const void *from, void *to)
{
	struct zspage *z = owner;
	struct size_class *c = pool->classes[z->class_index];
	bool moved;

	port_spin_lock(&c->lock);
	moved = z->inuse && zspage_move_page(pool, c, z, from, to);
	port_spin_unlock(&c->lock);
	if (moved)
		port_atomic_add(&pool->pages_moved, 1);
	return moved;
}
