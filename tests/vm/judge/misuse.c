// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* A module that does with handles what nobody may. */
#include <linux/module.h>

#include <lethe/zsmalloc.h>

static int __init misuse_init(void)
{
	unsigned long handle, other;
	struct zs_pool *pool;
	int err;

	err = zs_create_pool("misused", NULL, &pool);
	if (err)
		return err;
	handle = zs_malloc(pool, 100);
	other = zs_malloc(pool, 100);
	zs_free(pool, handle);
	zs_free(pool, handle);
	zs_free(pool, 0x123456);
	zs_free_deferred(pool, handle);
	/* None of it has done the other object any harm. */
	if (zs_obj_write(pool, other, "intact", 7))
		err = -EIO;
	zs_free(pool, other);
	zs_destroy_pool(pool);
	return err;
}

static void __exit misuse_exit(void)
{
}

module_init(misuse_init);
module_exit(misuse_exit);
MODULE_DESCRIPTION("Misuse of lethe.ko, for a test");
MODULE_LICENSE("Dual BSD/GPL");
