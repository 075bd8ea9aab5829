/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Where an object's bytes are, for a home whose users want them by reference: the
 * kernel's own tree, in which zswap hands them to the crypto API as a scatterlist.
 */
#ifndef LETHE_OBJECT_H
#define LETHE_OBJECT_H

#include "port.h"

struct zs_pool;

/* An object is no larger than a page, so it lies in two at most. */
#define OBJECT_PARTS 2

struct object_part {
	char *at;
	size_t len;
};

/*
 * Pin a live object, as zs_obj_read_begin() does, and say where its first @len bytes are
 * (0: all of them). Returns how many parts they are in; 0: @handle is not live, or is
 * pending, or @len does not fit, and nothing is pinned. zs_obj_read_end() unpins.
 * Context: any.
 */
unsigned int object_pin_parts(struct zs_pool *pool, unsigned long handle, size_t len,
			      struct object_part part[OBJECT_PARTS]);

#endif /* LETHE_OBJECT_H */
