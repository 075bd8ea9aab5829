/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Pages that the kernel may move elsewhere.
 */
#ifndef LETHE_MOVABLE_H
#define LETHE_MOVABLE_H

#include <linux/mm.h>

#include "compat.h"

#ifdef COMPAT_PAGES_MOVE

/* May be in ZONE_MOVABLE, or CMA's. */
#define MOVABLE_GFP (__GFP_MOVABLE | __GFP_HIGHMEM)

/*
 * The page has no owner any more, and no move of it is at work. True: the caller frees
 * it. False: that is done here, later. Context: any.
 */
bool movable_disown(struct page *page);

/* 0 or a negative errno. Context of both: process. */
int movable_init(void);
/* Pre: every pool is gone. */
void movable_exit(void);

#else

#define MOVABLE_GFP 0

static inline bool movable_disown(struct page *page)
{
	return true;
}

static inline int movable_init(void)
{
	return 0;
}

static inline void movable_exit(void)
{
}

#endif

#endif /* LETHE_MOVABLE_H */
