/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* One object in, out, and gone. */
#include <errno.h>
#include <lethe/zsmalloc.h>
#include <stdio.h>

int main(void)
{
	const char text[] = "hello, pool";
	char buf[sizeof(text)];
	struct zs_pool *pool;
	unsigned long handle;
	int err;

	err = zs_create_pool("minimal", NULL, &pool);
	if (err) {
		errno = -err;
		perror("zs_create_pool");
		return 1;
	}
	handle = zs_malloc(pool, sizeof(text));
	err = zs_handle_error(handle);
	if (err) {
		errno = -err;
		perror("zs_malloc");
		return 1;
	}
	zs_obj_write(pool, handle, text, sizeof(text));

	puts((const char *)zs_obj_read_begin(pool, handle, sizeof(text), buf));
	zs_obj_read_end(pool, handle);

	zs_free_deferred(pool, handle); /* returns at once; a thread frees it soon */
	zs_destroy_pool(pool);
	return 0;
}
