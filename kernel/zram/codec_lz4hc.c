// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* LZ4 that searches harder: slow to compress, as fast to decompress. */
#include <linux/slab.h>
#include <linux/lz4.h>

#include "codec.h"

static_assert(LZ4_COMPRESSBOUND(PAGE_SIZE) <= ZRAM_CODEC_ROOM);

static void *lz4hc_create(void)
{
	return kvmalloc(LZ4HC_MEM_COMPRESS, GFP_KERNEL);
}

static void lz4hc_destroy(void *work)
{
	kvfree(work);
}

static int lz4hc_compress(void *work, const void *page, void *dst)
{
	int len = LZ4_compress_HC(page, dst, PAGE_SIZE, ZRAM_CODEC_ROOM,
				  LZ4HC_DEFAULT_CLEVEL, work);

	return len > 0 ? len : -EINVAL;
}

static int lz4hc_decompress(void *work, const void *src, size_t len, void *page)
{
	return LZ4_decompress_safe(src, page, len, PAGE_SIZE) == PAGE_SIZE ? 0 : -EINVAL;
}

const struct zram_codec zram_codec_lz4hc = {
	.name = "lz4hc",
	.create = lz4hc_create,
	.destroy = lz4hc_destroy,
	.compress = lz4hc_compress,
	.decompress = lz4hc_decompress,
};
