// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Objects read as Linux 6.15 to 6.18 ask for it: a reader does not say how
 * much it reads, and gets the whole object. No lock is taken, and nothing is mapped.
 */
#include <linux/bug.h>
#include <linux/export.h>
#include <linux/string.h>

#include "home.h"
#include "object.h"

/**
 * zs_obj_read_begin() - begin to read an object
 * @pool: the pool
 * @handle: a live object
 * @local_copy: a page, for an object that crosses into another page
 *
 * Context: any but interrupt. The caller may sleep before zs_obj_read_end().
 * Return: where the object is: in place, or at @local_copy.
 */
void *zs_obj_read_begin(struct zs_pool *pool, unsigned long handle, void *local_copy)
{
	struct object_part part[OBJECT_PARTS];
	unsigned int parts = object_pin_parts(pool->core, handle, 0, part);

	if (WARN_ON_ONCE(!parts))
		return NULL;
	if (parts == 1)
		return part[0].at;
	memcpy(local_copy, part[0].at, part[0].len);
	memcpy(local_copy + part[0].len, part[1].at, part[1].len);
	return local_copy;
}
EXPORT_SYMBOL_GPL(zs_obj_read_begin);

/**
 * zs_obj_read_end() - end what zs_obj_read_begin() began
 * @pool: the pool
 * @handle: the same object
 * @handle_mem: what it returned
 *
 * Context: any but interrupt.
 */
void zs_obj_read_end(struct zs_pool *pool, unsigned long handle, void *handle_mem)
{
	if (handle_mem)
		lethe_obj_read_end(pool->core, handle);
}
EXPORT_SYMBOL_GPL(zs_obj_read_end);
