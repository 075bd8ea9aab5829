// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * For zram, which recompresses a page only if that brings it into a smaller class.
 */
#include <linux/export.h>
#include <linux/mm.h>

#include "home.h"
#include "pool.h"

/**
 * zs_lookup_class_index() - a number that is the larger, the larger the class of a size
 * @pool: the pool
 * @size: bytes
 *
 * Context: any.
 * Return: the number; that of the largest class for what is larger than a page.
 */
unsigned int zs_lookup_class_index(struct zs_pool *pool, unsigned int size)
{
	const struct size_class_table *table = &pool->core->table;
	size_t bytes = size < PAGE_SIZE ? size : PAGE_SIZE;

	/* The table begins with the largest. */
	return table->nr - 1 - size_class_index(table, bytes);
}
EXPORT_SYMBOL_GPL(zs_lookup_class_index);
