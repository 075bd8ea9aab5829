// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * zs_create_pool() for callers that look it up by name and do not compile the header,
 * which has it inline: other languages, dlsym().
 */
#include <stddef.h>

#include <lethe/zsmalloc.h>

int by_name_create_pool(const char *name, const struct zs_pool_params *params,
			struct zs_pool **poolp) __asm__("zs_create_pool");

/* Such a caller cannot say how large its *@params is: it has the first two choices. */
int by_name_create_pool(const char *name, const struct zs_pool_params *params,
			struct zs_pool **poolp)
{
	return zs_create_pool_sized(name, params,
				    offsetof(struct zs_pool_params, mem_limit), poolp);
}
