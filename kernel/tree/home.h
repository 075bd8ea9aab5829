/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * What the files of the adapter share. The adapter gives the kernel's own interface,
 * <linux/zsmalloc.h>, on the allocator's, lethe.h: in the kernel's tree what lethe.h
 * calls zs_malloc() elsewhere is lethe_malloc(), and so on.
 */
#ifndef LETHE_HOME_H
#define LETHE_HOME_H

#include <linux/gfp.h>
#include <linux/types.h>
#include <linux/zsmalloc.h>

#include "lethe.h"

/* What the kernel knows as a pool. */
struct zs_pool {
	struct lethe_pool *core;
};

/* The policy that pools get from now on. */
extern enum lethe_defer_policy zs_policy;

/* zs_malloc() with the caller's flags in the allocator's words. Context: as they say. */
unsigned long zs_malloc_gfp(struct zs_pool *pool, size_t size, gfp_t gfp, int node);

/* Where objects are mapped. Context: process. 0 or -ENOMEM. */
int zs_map_init(void);
void zs_map_exit(void);

#ifdef CONFIG_ZPOOL
void zs_zpool_init(void);
void zs_zpool_exit(void);
#else
static inline void zs_zpool_init(void)
{
}

static inline void zs_zpool_exit(void)
{
}
#endif

#endif /* LETHE_HOME_H */
