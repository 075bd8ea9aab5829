/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Which object of a zpool goes to the disk next. Kernels from 6.5 on decide that
 * themselves.
 */
#ifndef LETHE_ZPOOL_EVICT_H
#define LETHE_ZPOOL_EVICT_H

#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "compat.h"

struct zpool;
struct zpool_ops;
struct zs_pool;

#ifdef COMPAT_ZPOOL_EVICTS

struct evictor {
	struct zs_pool *pool;
	struct zpool *zpool; /* what the kernel calls the pool, */
	const struct zpool_ops *ops; /* and its call that writes an object to the disk */
	struct evict_leaf **leaf;
	unsigned long end; /* no handle has its bits past it; under lock */
	unsigned long hand; /* where the search goes on; under shrinking */
	struct mutex shrinking;
	spinlock_t lock;
	unsigned long
		evicting; /* this handle is on its way to the disk, or 0; under lock */
	bool freed; /* and was freed meanwhile; under lock */
};

/* 0 or -ENOMEM. Context: process. */
int evictor_init(struct evictor *e, struct zs_pool *pool, struct zpool *zpool,
		 const struct zpool_ops *ops);
void evictor_fini(struct evictor *e);

/* Have room for the bits of a new handle. 0 or -ENOMEM. Context: any. */
int evictor_know(struct evictor *e, unsigned long handle);
/* The object has its content: from now on it may be evicted. Context: any. */
void evictor_stored(struct evictor *e, unsigned long handle);
/*
 * The handle is given back. True: the caller frees it. False: it is being evicted, and is
 * freed after that. Context: any.
 */
bool evictor_forget(struct evictor *e, unsigned long handle);
/* Evict until @pages are back. How many pages are. Context: process. */
unsigned int evictor_shrink(struct evictor *e, unsigned int pages);

#else

struct evictor {
};

static inline int evictor_know(struct evictor *e, unsigned long handle)
{
	return 0;
}

static inline void evictor_stored(struct evictor *e, unsigned long handle)
{
}

static inline bool evictor_forget(struct evictor *e, unsigned long handle)
{
	return true;
}

static inline void evictor_fini(struct evictor *e)
{
}

#endif

#endif /* LETHE_ZPOOL_EVICT_H */
