// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* LZ4 at its default speed. */
#include <linux/slab.h>
#include <linux/lz4.h>

#include "codec.h"

static_assert(LZ4_COMPRESSBOUND(PAGE_SIZE) <= ZRAM_CODEC_ROOM);

static void *lz4_create(void)
{
	return kvmalloc(LZ4_MEM_COMPRESS, GFP_KERNEL);
}

static void lz4_destroy(void *work)
{
	kvfree(work);
}

static int lz4_compress(void *work, const void *page, void *dst)
{
	int len = LZ4_compress_default(page, dst, PAGE_SIZE, ZRAM_CODEC_ROOM, work);

	return len > 0 ? len : -EINVAL;
}

static int lz4_decompress(void *work, const void *src, size_t len, void *page)
{
	return LZ4_decompress_safe(src, page, len, PAGE_SIZE) == PAGE_SIZE ? 0 : -EINVAL;
}

const struct zram_codec zram_codec_lz4 = {
	.name = "lz4",
	.create = lz4_create,
	.destroy = lz4_destroy,
	.compress = lz4_compress,
	.decompress = lz4_decompress,
};
