/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
#include "zspage.h"
#include "handle.h"

/*
 * The fullness group of a zspage with @inuse objects: inuse * 8 / objs, by a
 * multiplication. The scale is rounded up by less than 1, so the product is
 * too large by less than 256 / 65536, and inuse < objs keeps it below 8.
 */
static u8 zspage_group_of(const struct size_class *c, unsigned int inuse)
{
	if (inuse == c->objs)
		return ZSPAGE_FULL;
	return (u8)((inuse * c->fullness_scale) >> 16);
}

static void zspage_link(struct size_class *c, struct zspage *z, u8 group)
{
	z->group = group;
	if (group == ZSPAGE_FULL)
		return;
	z->prev = NULL;
	z->next = c->group[group];
	if (z->next)
		z->next->prev = z;
	c->group[group] = z;
	c->groups |= 1u << group;
}

static void zspage_unlink(struct size_class *c, struct zspage *z)
{
	if (z->group == ZSPAGE_FULL)
		return;
	if (z->next)
		z->next->prev = z->prev;
	if (z->prev)
		z->prev->next = z->next;
	else
		c->group[z->group] = z->next;
	if (!c->group[z->group])
		c->groups &= ~(1u << z->group);
}

unsigned int zspage_take(struct size_class *c, struct zspage *z, u32 ref)
{
	unsigned int w = 0;
	unsigned int obj;
	u8 group;

	while (!~z->live[w])
		w++;
	obj = w * 64 + port_ctz64(~z->live[w]);
	PORT_ASSERT(obj < c->objs);
	z->live[w] |= (u64)1 << (obj % 64);
	zspage_refs(c, z)[obj] = ref;
	port_counter_add(&c->objects, 1);
	group = zspage_group_of(c, ++z->inuse);
	if (group != z->group) {
		zspage_unlink(c, z);
		zspage_link(c, z, group);
	}
	return obj;
}

void zspage_update_fullness(struct size_class *c, struct zspage *z, unsigned int cleared,
			    struct zspage **dead)
{
	u8 group;

	PORT_ASSERT(cleared <= z->inuse);
	port_counter_add(&c->objects, -(u64)cleared);
	z->inuse = (u16)(z->inuse - cleared);
	if (!z->inuse) {
		zspage_unlink(c, z);
		port_counter_add(&c->zspages, -(u64)1);
		z->next = *dead;
		*dead = z;
		return;
	}
	group = zspage_group_of(c, z->inuse);
	if (group != z->group) {
		zspage_unlink(c, z);
		zspage_link(c, z, group);
	}
}

void zspage_adopt(struct size_class *c, struct zspage *z)
{
	port_counter_add(&c->zspages, 1);
	zspage_link(c, z, 0);
}

void zspage_read(const struct size_class *c, struct zspage *z, unsigned int obj,
		 void *dst, size_t len)
{
	size_t done, room;

	for (done = 0; done < len; done += room) {
		const char *from = zspage_at(c, z, obj, done, &room);

		if (room > len - done)
			room = len - done;
		port_memcpy((char *)dst + done, from, room);
	}
}

void zspage_write(const struct size_class *c, struct zspage *z, unsigned int obj,
		  size_t offset, const void *src, size_t len)
{
	size_t done, room;

	for (done = 0; done < len; done += room) {
		char *to = zspage_at(c, z, obj, offset + done, &room);

		if (room > len - done)
			room = len - done;
		port_memcpy(to, (const char *)src + done, room);
	}
}

struct zspage *zspage_create(const struct size_class *c, enum port_alloc how, int node)
{
	struct zspage *z = port_meta_alloc(c->descriptor_size, how);
	unsigned int used = c->objs % 64;

	if (!z)
		return NULL;
	if (!entry_reaches(z) ||
	    port_pages_alloc(zspage_pages(c, z), c->pages, how, node)) {
		port_meta_free(z, c->descriptor_size);
		return NULL;
	}
	/* A full zspage is on no list; the entries of its objects lead to it. */
	port_meta_hide(z);
	z->class_index = c->index;
	/* Bits beyond the last object are never free. */
	if (used)
		z->live[c->live_words - 1] = ~(u64)0 << used;
	return z;
}

#define RELEASE_PAGES 64 /* given back at a time, by way of the stack */

size_t zspage_destroy_list(const struct size_class *c, struct zspage *dead)
{
	void *pages[RELEASE_PAGES];
	size_t total = 0;
	unsigned int i;

	/* Most come alone, and need no copy of their pages' addresses. */
	if (!dead->next) {
		port_pages_free(zspage_pages(c, dead), c->pages);
		port_meta_free(dead, c->descriptor_size);
		return c->pages;
	}
	while (dead) {
		struct zspage *end;
		size_t n = 0;

		for (end = dead; end && n + c->pages <= RELEASE_PAGES; end = end->next) {
			for (i = 0; i < c->pages; i++)
				pages[n++] = zspage_pages(c, end)[i];
		}
		port_pages_free(pages, n);
		total += n;
		/* Descriptors after their pages, by which the home finds them: move.c. */
		while (dead != end) {
			struct zspage *z = dead;

			dead = z->next;
			port_meta_free(z, c->descriptor_size);
		}
	}
	return total;
}

void size_class_init(struct size_class *c, unsigned int index,
		     const struct size_class_layout *layout)
{
	port_spin_init(&c->lock);
	c->index = (u8)index;
	c->size = layout->size;
	c->objs = layout->objs;
	c->pages = layout->pages;
	c->fullness_scale = ((ZSPAGE_GROUPS << 16) + layout->objs - 1) / layout->objs;
	c->live_words = (u8)((layout->objs + 63) / 64);
	c->pages_at = (u16)(sizeof(struct zspage) + c->live_words * sizeof(u64));
	c->refs_at = (u16)(c->pages_at + sizeof(void *) * c->pages);
	/* A multiple of a cache line is aligned to one: see handle.h. */
	c->descriptor_size =
		(u16)((c->refs_at + c->objs * sizeof(u32) + PORT_CACHELINE - 1) &
		      ~(size_t)(PORT_CACHELINE - 1));
}
