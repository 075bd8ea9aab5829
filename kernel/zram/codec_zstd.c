// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Zstandard, tuned to the size of a page; at level 3 unless asked for otherwise.
 *
 * A dictionary is digested once for all streams. The library sizes the memory of a
 * stream that compresses with it when it first does, and never again, since every page
 * has the same size: so it does before the stream is used, when it may still sleep.
 */
#include <linux/slab.h>
#include <linux/zstd.h>

#include "codec.h"
#include "compat.h"

#define ZSTD_LEVEL 3

/* Digested, by reference: params.dict has to stay. */
struct zstd_dicts {
	void *compress; /* zstd_cdict */
	void *decompress; /* zstd_ddict */
};

/* Both contexts lie inside their workspaces, but for the first with a dictionary. */
struct zstd_work {
	const struct zstd_dicts *dicts; /* or NULL */
	zstd_parameters params;
	zstd_cctx *cctx;
	zstd_dctx *dctx;
	void *cspace;
	void *dspace;
	bool warm; /* has compressed a page: no more memory is to be asked for */
};

static int zstd_level(const struct zram_codec_params *params)
{
	return params->level == ZRAM_PARAM_UNSET ? ZSTD_LEVEL : params->level;
}

#ifdef COMPAT_HAS_ZSTD_DICT
static void *zstd_alloc(void *opaque, size_t size)
{
	struct zstd_work *zstd = opaque;

	return zstd && zstd->warm ? NULL : kvzalloc(size, GFP_KERNEL);
}

static void zstd_free(void *opaque, void *address)
{
	kvfree(address);
}

static zstd_custom_mem zstd_mem(struct zstd_work *zstd)
{
	return (zstd_custom_mem){
		.customAlloc = zstd_alloc,
		.customFree = zstd_free,
		.opaque = zstd,
	};
}

static void zstd_dicts_destroy(struct zstd_dicts *dicts)
{
	zstd_free_cdict(dicts->compress);
	zstd_free_ddict(dicts->decompress);
	kfree(dicts);
}

static int zstd_dicts_create(struct zram_codec_params *params)
{
	struct zstd_dicts *dicts = kzalloc(sizeof(*dicts), GFP_KERNEL);
	zstd_compression_parameters how =
		zstd_get_cparams(zstd_level(params), PAGE_SIZE, params->dict_len);

	if (!dicts)
		return -ENOMEM;
	dicts->compress = zstd_create_cdict_byreference(params->dict, params->dict_len,
							how, zstd_mem(NULL));
	dicts->decompress = zstd_create_ddict_byreference(params->dict, params->dict_len,
							  zstd_mem(NULL));
	if (!dicts->compress || !dicts->decompress) {
		zstd_dicts_destroy(dicts);
		return -ENOMEM;
	}
	params->shared = dicts;
	return 0;
}

static zstd_cctx *zstd_cctx_of_dict(struct zstd_work *zstd)
{
	return zstd_create_cctx_advanced(zstd_mem(zstd));
}

static void zstd_cctx_destroy(zstd_cctx *cctx)
{
	zstd_free_cctx(cctx);
}

static size_t zstd_compress_dict(struct zstd_work *zstd, const void *page, void *dst)
{
	return zstd_compress_using_cdict(zstd->cctx, dst, ZRAM_CODEC_ROOM, page,
					 PAGE_SIZE, zstd->dicts->compress);
}

static size_t zstd_decompress_dict(struct zstd_work *zstd, const void *src, size_t len,
				   void *page)
{
	return zstd_decompress_using_ddict(zstd->dctx, page, PAGE_SIZE, src, len,
					   zstd->dicts->decompress);
}
#else
static void zstd_dicts_destroy(struct zstd_dicts *dicts)
{
}

static int zstd_dicts_create(struct zram_codec_params *params)
{
	return -EINVAL;
}

static zstd_cctx *zstd_cctx_of_dict(struct zstd_work *zstd)
{
	return NULL;
}

static void zstd_cctx_destroy(zstd_cctx *cctx)
{
}

static size_t zstd_compress_dict(struct zstd_work *zstd, const void *page, void *dst)
{
	return 0;
}

static size_t zstd_decompress_dict(struct zstd_work *zstd, const void *src, size_t len,
				   void *page)
{
	return 0;
}
#endif

static int zstd_share(struct zram_codec_params *params)
{
	s32 level = zstd_level(params);

	if (level < zstd_min_clevel() || level > zstd_max_clevel())
		return -EINVAL;
	return params->dict ? zstd_dicts_create(params) : 0;
}

static void zstd_unshare(struct zram_codec_params *params)
{
	if (params->shared)
		zstd_dicts_destroy(params->shared);
	params->shared = NULL;
}

static void zstd_destroy(void *work)
{
	struct zstd_work *zstd = work;

	if (!zstd)
		return;
	if (zstd->dicts && zstd->cctx)
		zstd_cctx_destroy(zstd->cctx);
	kvfree(zstd->dspace);
	kvfree(zstd->cspace);
	kfree(zstd);
}

static int zstd_compress(void *work, const void *page, void *dst)
{
	struct zstd_work *zstd = work;
	size_t len;

	if (zstd->dicts)
		len = zstd_compress_dict(zstd, page, dst);
	else
		len = zstd_compress_cctx(zstd->cctx, dst, ZRAM_CODEC_ROOM, page,
					 PAGE_SIZE, &zstd->params);
	return zstd_is_error(len) ? -EINVAL : (int)len;
}

/* A context that compresses with the dictionary, and has all the memory it needs. */
static bool zstd_warm_up(struct zstd_work *zstd)
{
	void *pages = kvzalloc(PAGE_SIZE + ZRAM_CODEC_ROOM, GFP_KERNEL);

	zstd->cctx = zstd_cctx_of_dict(zstd);
	if (pages && zstd->cctx)
		zstd->warm = zstd_compress(zstd, pages, pages + PAGE_SIZE) > 0;
	kvfree(pages);
	return zstd->warm;
}

static bool zstd_init_compressor(struct zstd_work *zstd)
{
	size_t size = zstd_cctx_workspace_bound(&zstd->params.cParams);

	zstd->cspace = kvmalloc(size, GFP_KERNEL);
	if (zstd->cspace)
		zstd->cctx = zstd_init_cctx(zstd->cspace, size);
	return zstd->cctx;
}

static void *zstd_create(const struct zram_codec_params *params)
{
	struct zstd_work *zstd = kzalloc(sizeof(*zstd), GFP_KERNEL);
	size_t size = zstd_dctx_workspace_bound();

	if (!zstd)
		return NULL;
	zstd->dicts = params->shared;
	zstd->params = zstd_get_params(zstd_level(params), PAGE_SIZE);
	zstd->dspace = kvmalloc(size, GFP_KERNEL);
	if (zstd->dspace)
		zstd->dctx = zstd_init_dctx(zstd->dspace, size);
	if (!zstd->dctx)
		goto fail;
	if (zstd->dicts ? !zstd_warm_up(zstd) : !zstd_init_compressor(zstd))
		goto fail;
	return zstd;
fail:
	zstd_destroy(zstd);
	return NULL;
}

static int zstd_decompress(void *work, const void *src, size_t len, void *page)
{
	struct zstd_work *zstd = work;
	size_t out;

	if (zstd->dicts)
		out = zstd_decompress_dict(zstd, src, len, page);
	else
		out = zstd_decompress_dctx(zstd->dctx, page, PAGE_SIZE, src, len);
	/* An error is a size beyond any page. */
	return out == PAGE_SIZE ? 0 : -EINVAL;
}

const struct zram_codec zram_codec_zstd = {
	.name = "zstd",
	.share = zstd_share,
	.unshare = zstd_unshare,
	.create = zstd_create,
	.destroy = zstd_destroy,
	.compress = zstd_compress,
	.decompress = zstd_decompress,
};
