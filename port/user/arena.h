/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * An arena: a 2 MiB piece of address space, aligned to its size and carved into
 * pages. Its descriptor lies in the first page slot, of which only the bytes
 * used are ever resident. Everything here needs the caller's lock (pages.c),
 * except arena_map(), arena_unmap(), arena_discard() and arena_populate().
 */
#ifndef LETHE_USER_ARENA_H
#define LETHE_USER_ARENA_H

#include "port.h"

#define ARENA_SIZE (2ul << 20)
#define ARENA_SLOTS (ARENA_SIZE >> PORT_PAGE_SHIFT)
#define ARENA_PAGES (ARENA_SLOTS - 1)
#define ARENA_WORDS ((ARENA_SLOTS + 63) / 64)

struct arena {
	struct arena *next; /* in the list of arenas with free pages */
	struct arena *prev;
	bool listed;
	unsigned int nr_free;
	unsigned int nr_dirty;
	u64 free[ARENA_WORDS]; /* a set bit: the page is not held */
	u64 dirty[ARENA_WORDS]; /* free, and resident */
};

/* Pages of one arena that are free, and out of reach while the system is called. */
struct arena_claim {
	u64 bits[ARENA_WORDS];
	unsigned int nr;
};

/* Post: an arena with every page free and not resident, or NULL. */
struct arena *arena_map(void);

/* Pre: every page free. */
void arena_unmap(struct arena *a);

/* The arena that @page lies in. */
static inline struct arena *arena_of(const void *page)
{
	return (struct arena *)((uintptr_t)page & ~(ARENA_SIZE - 1));
}

/* Take a free page, a resident one if there is any. Pre: a->nr_free > 0. */
void *arena_take(struct arena *a);

/* Give back a page that was taken. */
void arena_put(struct arena *a, void *page);

/*
 * Take the dirty pages of runs of at least @least free pages out of reach, to
 * discard them without the lock.
 */
void arena_claim_runs(struct arena *a, struct arena_claim *claim, unsigned int least);

/* Give the memory of claimed pages back to the system. */
void arena_discard(struct arena *a, const struct arena_claim *claim);

/*
 * Take the first run of free pages, @most of them, out of reach, to have them made
 * resident without the lock. Pre: a->nr_free > 0, a->nr_dirty == 0.
 */
void arena_claim_cold(struct arena *a, struct arena_claim *claim, unsigned int most);

/* Make the pages that arena_claim_cold() claimed resident. Post: whether they are. */
bool arena_populate(struct arena *a, const struct arena_claim *claim);

/* Make the claimed pages free again, @resident or not. */
void arena_unclaim(struct arena *a, const struct arena_claim *claim, bool resident);

#endif /* LETHE_USER_ARENA_H */
