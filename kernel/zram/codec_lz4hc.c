// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * LZ4 that searches harder: slow to compress, as fast to decompress. Dictionaries as
 * in codec_lz4.c.
 */
#include <linux/slab.h>
#include <linux/lz4.h>

#include "codec.h"
#include "compat.h"

static_assert(LZ4_COMPRESSBOUND(PAGE_SIZE) <= ZRAM_CODEC_ROOM);

struct lz4hc_work {
	const struct zram_codec_params *params;
	LZ4_streamHC_t *loaded; /* with the dictionary; or NULL */
	LZ4_streamHC_t state;
};

static int lz4hc_level(const struct zram_codec_params *params)
{
	return params->level == ZRAM_PARAM_UNSET ? LZ4HC_DEFAULT_CLEVEL : params->level;
}

static int lz4hc_share(struct zram_codec_params *params)
{
	if (lz4hc_level(params) < 1 || lz4hc_level(params) > LZ4HC_MAX_CLEVEL)
		return -EINVAL;
	if (params->dict && !IS_ENABLED(COMPAT_HAS_LZ4HC_DICT))
		return -EINVAL;
	return 0;
}

static void lz4hc_destroy(void *work)
{
	struct lz4hc_work *lz4 = work;

	if (!lz4)
		return;
	kvfree(lz4->loaded);
	kvfree(lz4);
}

static void *lz4hc_create(const struct zram_codec_params *params)
{
	struct lz4hc_work *lz4 = kvzalloc(sizeof(*lz4), GFP_KERNEL);

	if (!lz4)
		return NULL;
	lz4->params = params;
	if (!params->dict)
		return lz4;
	lz4->loaded = kvzalloc(sizeof(*lz4->loaded), GFP_KERNEL);
	if (!lz4->loaded) {
		lz4hc_destroy(lz4);
		return NULL;
	}
	compat_lz4hc_load(lz4->loaded, lz4hc_level(params), params->dict,
			  params->dict_len);
	return lz4;
}

static int lz4hc_compress(void *work, const void *page, void *dst)
{
	struct lz4hc_work *lz4 = work;
	int len;

	if (lz4->loaded) {
		lz4->state = *lz4->loaded;
		len = LZ4_compress_HC_continue(&lz4->state, page, dst, PAGE_SIZE,
					       ZRAM_CODEC_ROOM);
	} else {
		len = LZ4_compress_HC(page, dst, PAGE_SIZE, ZRAM_CODEC_ROOM,
				      lz4hc_level(lz4->params), &lz4->state);
	}
	return len > 0 ? len : -EINVAL;
}

static int lz4hc_decompress(void *work, const void *src, size_t len, void *page)
{
	return zram_lz4_decompress(((struct lz4hc_work *)work)->params, src, len, page);
}

const struct zram_codec zram_codec_lz4hc = {
	.name = "lz4hc",
	.share = lz4hc_share,
	.create = lz4hc_create,
	.destroy = lz4hc_destroy,
	.compress = lz4hc_compress,
	.decompress = lz4hc_decompress,
};
