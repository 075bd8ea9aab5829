// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* 842, as POWER's accelerators have it, in software. No distribution offers it. */
#include <linux/slab.h>
#include <linux/sw842.h>

#include "codec.h"

static void *sw842_create(const struct zram_codec_params *params)
{
	return kvmalloc(SW842_MEM_COMPRESS, GFP_KERNEL);
}

static void sw842_destroy(void *work)
{
	kvfree(work);
}

static int sw842_compress_page(void *work, const void *page, void *dst)
{
	unsigned int len = ZRAM_CODEC_ROOM;
	int err = sw842_compress(page, PAGE_SIZE, dst, &len, work);

	return err ?: (int)len;
}

static int sw842_decompress_page(void *work, const void *src, size_t len, void *page)
{
	unsigned int out = PAGE_SIZE;

	if (sw842_decompress(src, len, page, &out) || out != PAGE_SIZE)
		return -EINVAL;
	return 0;
}

const struct zram_codec zram_codec_842 = {
	.name = "842",
	.create = sw842_create,
	.destroy = sw842_destroy,
	.compress = sw842_compress_page,
	.decompress = sw842_decompress_page,
};
