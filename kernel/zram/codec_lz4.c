// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * LZ4. The level is the acceleration: the more, the faster, and the larger.
 *
 * With a dictionary, each page is compressed in a state that has just been loaded with
 * it. To load takes longer than to compress, so it is done once a stream, and copied. Of
 * a dictionary, the library uses the last 64 KiB.
 */
#include <linux/slab.h>
#include <linux/lz4.h>

#include "codec.h"

static_assert(LZ4_COMPRESSBOUND(PAGE_SIZE) <= ZRAM_CODEC_ROOM);

struct lz4_work {
	const struct zram_codec_params *params;
	LZ4_stream_t *loaded; /* with the dictionary; or NULL */
	LZ4_stream_t state;
};

static int lz4_share(struct zram_codec_params *params)
{
	return params->level != ZRAM_PARAM_UNSET && params->level < 1 ? -EINVAL : 0;
}

static void lz4_destroy(void *work)
{
	struct lz4_work *lz4 = work;

	if (!lz4)
		return;
	kvfree(lz4->loaded);
	kvfree(lz4);
}

static void *lz4_create(const struct zram_codec_params *params)
{
	struct lz4_work *lz4 = kvzalloc(sizeof(*lz4), GFP_KERNEL);

	if (!lz4)
		return NULL;
	lz4->params = params;
	if (!params->dict)
		return lz4;
	lz4->loaded = kvzalloc(sizeof(*lz4->loaded), GFP_KERNEL);
	if (!lz4->loaded) {
		lz4_destroy(lz4);
		return NULL;
	}
	LZ4_loadDict(lz4->loaded, params->dict, params->dict_len);
	return lz4;
}

static int lz4_compress(void *work, const void *page, void *dst)
{
	struct lz4_work *lz4 = work;
	s32 level = lz4->params->level;
	int acceleration = level == ZRAM_PARAM_UNSET ? LZ4_ACCELERATION_DEFAULT : level;
	int len;

	if (lz4->loaded) {
		lz4->state = *lz4->loaded;
		len = LZ4_compress_fast_continue(&lz4->state, page, dst, PAGE_SIZE,
						 ZRAM_CODEC_ROOM, acceleration);
	} else {
		len = LZ4_compress_fast(page, dst, PAGE_SIZE, ZRAM_CODEC_ROOM,
					acceleration, &lz4->state);
	}
	return len > 0 ? len : -EINVAL;
}

int zram_lz4_decompress(const struct zram_codec_params *params, const void *src,
			size_t len, void *page)
{
	int out;

	if (params->dict)
		out = LZ4_decompress_safe_usingDict(src, page, len, PAGE_SIZE,
						    params->dict, params->dict_len);
	else
		out = LZ4_decompress_safe(src, page, len, PAGE_SIZE);
	return out == PAGE_SIZE ? 0 : -EINVAL;
}

static int lz4_decompress(void *work, const void *src, size_t len, void *page)
{
	return zram_lz4_decompress(((struct lz4_work *)work)->params, src, len, page);
}

const struct zram_codec zram_codec_lz4 = {
	.name = "lz4",
	.share = lz4_share,
	.create = lz4_create,
	.destroy = lz4_destroy,
	.compress = lz4_compress,
	.decompress = lz4_decompress,
};
