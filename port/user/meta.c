/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Metadata: descriptors and the like from slabs, other small pieces from malloc,
 * large ones straight from the system: zeroed for free and resident only where
 * used. Checkers of malloc see all of the small ones, where they are built in.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>

#include "fault.h"
#include "poison.h"
#include "slab.h"

#ifdef USER_ASAN
#define META_SLABS false
#else
#define META_SLABS true
#endif

enum { META_MMAP = 256 * 1024 };

static size_t meta_bytes;

static void *meta_map(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void *meta_alloc_aligned(size_t size)
{
	void *p = NULL;

	if (META_SLABS && slab_serves(size))
		p = slab_alloc(size);
	else if (posix_memalign(&p, PORT_CACHELINE, size))
		p = NULL;
	if (!p)
		return NULL;
	port_memset(p, 0, size);
	return p;
}

void *port_meta_alloc(size_t size, enum port_alloc how)
{
	void *p;

	/* The system itself reclaims, or not, as it likes. */
	if (user_fault_fails_alloc(USER_FAULT_META, how))
		return NULL;
	if (size >= META_MMAP)
		p = meta_map(size);
	else if (size && size % PORT_CACHELINE == 0)
		p = meta_alloc_aligned(size);
	else
		p = calloc(1, size);
	if (p)
		__atomic_fetch_add(&meta_bytes, size, __ATOMIC_RELAXED);
	return p;
}

void port_meta_free(void *p, size_t size)
{
	if (!p)
		return;
	__atomic_fetch_sub(&meta_bytes, size, __ATOMIC_RELAXED);
	if (size >= META_MMAP)
		munmap(p, size);
	else if (META_SLABS && slab_serves(size))
		slab_free(p, size);
	else
		free(p);
}

size_t user_meta_outstanding(void)
{
	return __atomic_load_n(&meta_bytes, __ATOMIC_RELAXED);
}
