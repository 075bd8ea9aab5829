// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Metadata: from the slab; blocks of several pages (a pool's per-CPU slots, the
 * array policy's queue) from vmalloc if physical memory is fragmented.
 *
 * No lock of ours is taken here.
 */
#include <linux/align.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "port.h"

/* Above this, a block may come from vmalloc, which cannot be freed atomically. */
#define META_SLAB_MAX (2 * PAGE_SIZE)

static gfp_t meta_gfp(enum port_alloc how)
{
	switch (how) {
	case PORT_ALLOC_TRY:
		return __GFP_KSWAPD_RECLAIM | __GFP_NOWARN | __GFP_NOMEMALLOC |
		       __GFP_ZERO;
	case PORT_ALLOC_RESERVES:
		return __GFP_KSWAPD_RECLAIM | __GFP_NOWARN | __GFP_ZERO;
	default:
		return GFP_NOIO | __GFP_NOWARN | __GFP_ZERO;
	}
}

static bool meta_aligned(const void *p, size_t size)
{
	return !IS_ALIGNED(size, PORT_CACHELINE) ||
	       IS_ALIGNED((unsigned long)p, PORT_CACHELINE);
}

void *port_meta_alloc(size_t size, enum port_alloc how)
{
	gfp_t gfp = meta_gfp(how);
	void *p;

	if (size > META_SLAB_MAX)
		return kvmalloc(size, gfp);

	p = kmalloc(size, gfp);
	/*
	 * The slab promises alignment only for powers of two. 192 bytes come
	 * aligned to a cache line too, unless slab debugging or KFENCE is on.
	 */
	if (unlikely(p && !meta_aligned(p, size))) {
		kfree(p);
		p = kmalloc(roundup_pow_of_two(size), gfp);
	}
	return p;
}

size_t port_meta_size(size_t size)
{
	return size > META_SLAB_MAX ? PAGE_ALIGN(size) : kmalloc_size_roundup(size);
}

void port_meta_free(void *p, size_t size)
{
	if (size <= META_SLAB_MAX) {
		kfree(p);
		return;
	}
	/* Blocks of this size live and die with their pool, in process context. */
	might_sleep();
	kvfree(p);
}
