/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Slabs: see slab.h. A slab is a page of pieces of one size behind a header; free
 * pieces are linked by their first bytes. A slab without a piece in use is given
 * back at once: the arenas keep some pages for reuse anyway.
 *
 * Locks: slab_lock; pages are taken and given back without it.
 */
#include "pages.h"
#include "slab.h"

struct slab {
	struct slab *next; /* in the list of its size's slabs with a free piece */
	struct slab *prev;
	void *free; /* pieces given back; each begins with a pointer to the next */
	unsigned int used; /* pieces in use */
	unsigned int fresh; /* pieces never used, the last of the page */
} PORT_CACHE_ALIGNED;

enum { SLAB_SIZES = SLAB_MAX / PORT_CACHELINE + 1 };

static port_spinlock slab_lock;
static struct slab *slab_partial[SLAB_SIZES]; /* by cache lines a piece has */

static void slab_link(struct slab **list, struct slab *s)
{
	s->prev = NULL;
	s->next = *list;
	if (s->next)
		s->next->prev = s;
	*list = s;
}

static void slab_unlink(struct slab **list, struct slab *s)
{
	if (s->prev)
		s->prev->next = s->next;
	else
		*list = s->next;
	if (s->next)
		s->next->prev = s->prev;
}

static bool slab_is_full(const struct slab *s)
{
	return !s->free && !s->fresh;
}

/* Pre: @s is not full. */
static void *slab_take(struct slab *s, size_t size)
{
	void *p = s->free;

	if (p)
		s->free = *(void **)p;
	else
		p = (char *)s + PORT_PAGE_SIZE - s->fresh-- * size;
	s->used++;
	return p;
}

/* A page made into a slab without a piece in use, on no list; NULL: no memory. */
static struct slab *slab_create(size_t size)
{
	struct slab *s = user_page_alloc();

	if (!s)
		return NULL;
	s->free = NULL;
	s->used = 0;
	s->fresh = (unsigned int)((PORT_PAGE_SIZE - sizeof(*s)) / size);
	return s;
}

void *slab_alloc(size_t size)
{
	struct slab **list = &slab_partial[size / PORT_CACHELINE];
	struct slab *s;
	void *p;

	port_spin_lock(&slab_lock);
	s = *list;
	if (unlikely(!s)) {
		port_spin_unlock(&slab_lock);
		s = slab_create(size);
		if (!s)
			return NULL;
		port_spin_lock(&slab_lock);
		slab_link(list, s);
	}
	p = slab_take(s, size);
	if (slab_is_full(s))
		slab_unlink(list, s);
	port_spin_unlock(&slab_lock);
	return p;
}

void slab_free(void *p, size_t size)
{
	struct slab *s = (struct slab *)((uintptr_t)p & ~(uintptr_t)(PORT_PAGE_SIZE - 1));
	struct slab **list = &slab_partial[size / PORT_CACHELINE];
	bool empty;

	port_spin_lock(&slab_lock);
	if (slab_is_full(s))
		slab_link(list, s);
	*(void **)p = s->free;
	s->free = p;
	empty = --s->used == 0;
	if (empty)
		slab_unlink(list, s);
	port_spin_unlock(&slab_lock);
	if (empty)
		user_page_free(s);
}
