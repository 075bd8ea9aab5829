// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Objects read by reference, for the crypto API.
 */
#include <linux/bug.h>
#include <linux/export.h>
#include <linux/scatterlist.h>

#include "home.h"
#include "object.h"

/**
 * zs_obj_read_sg_begin() - say where an object is, and keep it there
 * @pool: the pool
 * @handle: a live object
 * @sg: two entries, filled in
 * @mem_len: bytes to read
 *
 * Context: any but interrupt. The caller may sleep before zs_obj_read_sg_end().
 */
void zs_obj_read_sg_begin(struct zs_pool *pool, unsigned long handle,
			  struct scatterlist *sg, size_t mem_len)
{
	struct object_part part[OBJECT_PARTS];
	unsigned int parts, i;

	parts = object_pin_parts(pool->core, handle, mem_len, part);
	if (WARN_ON_ONCE(!parts))
		return;
	sg_init_table(sg, parts);
	for (i = 0; i < parts; i++)
		sg_set_buf(&sg[i], part[i].at, part[i].len);
}
EXPORT_SYMBOL_GPL(zs_obj_read_sg_begin);

/**
 * zs_obj_read_sg_end() - end what zs_obj_read_sg_begin() began
 * @pool: the pool
 * @handle: the same object
 *
 * Context: any but interrupt.
 */
void zs_obj_read_sg_end(struct zs_pool *pool, unsigned long handle)
{
	lethe_obj_read_end(pool->core, handle);
}
EXPORT_SYMBOL_GPL(zs_obj_read_sg_end);
