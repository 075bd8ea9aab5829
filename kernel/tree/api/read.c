// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Objects read, with no lock and no mapping: a reader pins what it reads.
 */
#include <linux/export.h>

#include "home.h"

/**
 * zs_obj_read_begin() - begin to read an object
 * @pool: the pool
 * @handle: a live object
 * @mem_len: bytes to read
 * @local_copy: room for as many, for an object that crosses into another page
 *
 * Context: any but interrupt. The caller may sleep before zs_obj_read_end().
 * Return: where the bytes are: in place, or at @local_copy.
 */
void *zs_obj_read_begin(struct zs_pool *pool, unsigned long handle, size_t mem_len,
			void *local_copy)
{
	return (void *)lethe_obj_read_begin(pool->core, handle, mem_len, local_copy);
}
EXPORT_SYMBOL_GPL(zs_obj_read_begin);

/**
 * zs_obj_read_end() - end what zs_obj_read_begin() began
 * @pool: the pool
 * @handle: the same object
 * @mem_len: as there
 * @handle_mem: what it returned
 *
 * Context: any but interrupt.
 */
void zs_obj_read_end(struct zs_pool *pool, unsigned long handle, size_t mem_len,
		     void *handle_mem)
{
	lethe_obj_read_end(pool->core, handle);
}
EXPORT_SYMBOL_GPL(zs_obj_read_end);
