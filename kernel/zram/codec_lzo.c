// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* LZO, and LZO with run-length encoding: two compressors, one decompressor. */
#include <linux/slab.h>
/* after the above: it does not include what it needs */
#include <linux/lzo.h>

#include "codec.h"

static_assert(lzo1x_worst_compress(PAGE_SIZE) <= ZRAM_CODEC_ROOM);

static void *lzo_create(const struct zram_codec_params *params)
{
	return kvmalloc(LZO1X_MEM_COMPRESS, GFP_KERNEL);
}

static void lzo_destroy(void *work)
{
	kvfree(work);
}

static int lzo_compress(void *work, const void *page, void *dst)
{
	size_t len = ZRAM_CODEC_ROOM;

	if (lzo1x_1_compress(page, PAGE_SIZE, dst, &len, work) != LZO_E_OK)
		return -EINVAL;
	return len;
}

static int lzo_rle_compress(void *work, const void *page, void *dst)
{
	size_t len = ZRAM_CODEC_ROOM;

	if (lzorle1x_1_compress(page, PAGE_SIZE, dst, &len, work) != LZO_E_OK)
		return -EINVAL;
	return len;
}

static int lzo_decompress(void *work, const void *src, size_t len, void *page)
{
	size_t out = PAGE_SIZE;

	if (lzo1x_decompress_safe(src, len, page, &out) != LZO_E_OK)
		return -EINVAL;
	return out == PAGE_SIZE ? 0 : -EINVAL;
}

const struct zram_codec zram_codec_lzo = {
	.name = "lzo",
	.create = lzo_create,
	.destroy = lzo_destroy,
	.compress = lzo_compress,
	.decompress = lzo_decompress,
};

const struct zram_codec zram_codec_lzo_rle = {
	.name = "lzo-rle",
	.create = lzo_create,
	.destroy = lzo_destroy,
	.compress = lzo_rle_compress,
	.decompress = lzo_decompress,
};
