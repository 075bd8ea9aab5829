// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Objects written, where none is ever mapped.
 *
 * No lock is taken here.
 */
#include <linux/bug.h>
#include <linux/export.h>

#include "home.h"

/**
 * zs_obj_write() - set an object's content
 * @pool: the pool
 * @handle: a live object that no other task reads or writes
 * @handle_mem: the bytes
 * @mem_len: how many
 *
 * Context: any but interrupt.
 */
void zs_obj_write(struct zs_pool *pool, unsigned long handle, void *handle_mem,
		  size_t mem_len)
{
	WARN_ON_ONCE(lethe_obj_write(pool->core, handle, handle_mem, mem_len));
}
EXPORT_SYMBOL_GPL(zs_obj_write);

/* Nothing is mapped here. */
int zs_map_init(void)
{
	return 0;
}

void zs_map_exit(void)
{
}
