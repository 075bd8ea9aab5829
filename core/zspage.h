/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * A zspage: a chain of pages that holds objects of one class, and the
 * descriptor that says which are live, and the handle of each. The descriptor is
 * apart from the pages, so allocating and freeing never touch object memory,
 * which is cold.
 *
 * The lock of the class guards all fields. A reader that has pinned an object may read
 * the addresses of the object's pages without the lock: they change under the lock alone,
 * and only while no object in the page has a pin (move.c).
 *
 * No task can reach a dead zspage. The entry of its last object was cleared under the
 * class lock, in which the zspage also left its list, and an entry with pins is not
 * cleared. So its pages and its descriptor are given back without a lock
 * (free_dead_zspages()). The home still leads to the descriptor from the pages, until it
 * has them back (move.c). One use of a stale address is left: chain_by_class() prefetches
 * it, and a prefetch may be given any address. [Z1]
 *
 * A new zspage is made without a lock, and no other task can reach it before
 * zspage_adopt(). If there is no memory, nothing is left of it. [Z2]
 */
#ifndef LETHE_ZSPAGE_H
#define LETHE_ZSPAGE_H

#include "size_class.h"

/*
 * Fullness groups: partly used zspages by eighths, so that allocation can take
 * the fullest and compaction the emptiest. Full ones are on no list: most
 * zspages are full, and are later freed whole without touching a neighbour.
 */
#define ZSPAGE_GROUPS 8
#define ZSPAGE_FULL ZSPAGE_GROUPS

struct zspage {
	struct zspage *next; /* in its group's list; or a list of dead ones */
	struct zspage *prev;
	u16 inuse; /* live objects */
	u8 group; /* 0 to ZSPAGE_GROUPS - 1, or ZSPAGE_FULL */
	u8 stuck; /* the last run of compaction that found a pinned object in it */
	u8 class_index;
	u64 live[]; /* bitmap; then pages; then back references */
};

struct size_class {
	port_spinlock lock;
	u32 groups; /* bit g: group[g] is not empty */
	u32 fullness_scale; /* see zspage_group_of() */
	u32 size; /* of one object, bytes */
	u16 objs; /* in a zspage */
	u8 pages; /* in a zspage */
	u8 index; /* of this class in the pool */
	u8 live_words;
	u16 pages_at; /* offset of the page addresses in the descriptor */
	u16 refs_at; /* offset of the back references */
	u16 descriptor_size;
	struct zspage *group[ZSPAGE_GROUPS];
	u64 compact_gen; /* runs of compaction */
	/* Changed under the lock, read without it. */
	port_atomic objects;
	port_atomic zspages;
} PORT_CACHE_ALIGNED;

static inline void **zspage_pages(const struct size_class *c, struct zspage *z)
{
	return (void **)(void *)((char *)z + c->pages_at);
}

/* Index of the handle of each live object. */
static inline u32 *zspage_refs(const struct size_class *c, struct zspage *z)
{
	return (u32 *)(void *)((char *)z + c->refs_at);
}

static inline bool zspage_is_live(const struct zspage *z, unsigned int obj)
{
	return z->live[obj / 64] >> (obj % 64) & 1;
}

void size_class_init(struct size_class *c, unsigned int index,
		     const struct size_class_layout *layout);

/* Descriptor and pages of a new zspage of @c, on no list. NULL: no memory.
 * Context: as port_pages_alloc().
 */
struct zspage *zspage_create(const struct size_class *c, enum port_alloc how, int node);

/* Free descriptors and pages of a list of dead zspages of @c, linked by next.
 * Returns how many pages. Context: any, no class lock.
 */
size_t zspage_destroy_list(const struct size_class *c, struct zspage *dead);

/* ---- under the class lock ---- */

/* Count @z, still empty and on no list, as one of @c's. */
void zspage_adopt(struct size_class *c, struct zspage *z);

/* The fullest partly used zspage, or NULL. */
static inline struct zspage *size_class_fullest(const struct size_class *c)
{
	return c->groups ? c->group[31 - (unsigned int)__builtin_clz(c->groups)] : NULL;
}

/* Take a free object of @z for handle index @ref. Pre: @z is not full. */
unsigned int zspage_take(struct size_class *c, struct zspage *z, u32 ref);

/* Clear one object's live bit; zspage_update_fullness() must follow before unlocking. */
static inline void zspage_clear(struct zspage *z, unsigned int obj)
{
	PORT_ASSERT(zspage_is_live(z, obj));
	z->live[obj / 64] &= ~((u64)1 << (obj % 64));
}

/*
 * Account for @cleared objects cleared in @z: one update however many. A
 * zspage left without objects leaves the class and is pushed onto *@dead; it
 * is the caller's then.
 */
void zspage_update_fullness(struct size_class *c, struct zspage *z, unsigned int cleared,
			    struct zspage **dead);

/* ---- object memory ---- */

/* Address of byte @offset of object @obj; bytes from there to the page's end in *@room.
 */
static inline char *zspage_at(const struct size_class *c, struct zspage *z,
			      unsigned int obj, size_t offset, size_t *room)
{
	size_t at = (size_t)obj * c->size + offset;
	size_t in_page = at & (PORT_PAGE_SIZE - 1);

	*room = PORT_PAGE_SIZE - in_page;
	return (char *)zspage_pages(c, z)[at >> PORT_PAGE_SHIFT] + in_page;
}

void zspage_read(const struct size_class *c, struct zspage *z, unsigned int obj,
		 void *dst, size_t len);
/* Write from byte @offset of the object on. */
void zspage_write(const struct size_class *c, struct zspage *z, unsigned int obj,
		  size_t offset, const void *src, size_t len);

#endif /* LETHE_ZSPAGE_H */
