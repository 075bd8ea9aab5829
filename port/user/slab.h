/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Small metadata, carved from pages of the arenas: descriptors of zspages, which
 * come and go with them. So their memory goes back with that of the zspages, as
 * memory from malloc() does not, and it is not paid for alignment.
 */
#ifndef LETHE_USER_SLAB_H
#define LETHE_USER_SLAB_H

#include "port.h"

#define SLAB_MAX 512 /* bytes */

/* Is that a size for a slab: a multiple of a cache line, and small? */
static inline bool slab_serves(size_t size)
{
	return size && size <= SLAB_MAX && size % PORT_CACHELINE == 0;
}

/* @size bytes, aligned to a cache line, content undefined; NULL: no memory. */
void *slab_alloc(size_t size);

/* Give back what slab_alloc(@size) gave. */
void slab_free(void *p, size_t size);

#endif /* LETHE_USER_SLAB_H */
