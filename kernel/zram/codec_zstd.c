// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* Zstandard at level 3, tuned to the size of a page. */
#include <linux/slab.h>
#include <linux/zstd.h>

#include "codec.h"

#define ZSTD_LEVEL 3

/* Both contexts lie inside their workspaces. */
struct zstd_work {
	zstd_parameters params;
	zstd_cctx *cctx;
	zstd_dctx *dctx;
	void *cspace;
	void *dspace;
};

static void zstd_destroy(void *work)
{
	struct zstd_work *zstd = work;

	if (!zstd)
		return;
	kvfree(zstd->dspace);
	kvfree(zstd->cspace);
	kfree(zstd);
}

static void *zstd_create(void)
{
	struct zstd_work *zstd = kzalloc(sizeof(*zstd), GFP_KERNEL);
	size_t csize, dsize;

	if (!zstd)
		return NULL;
	zstd->params = zstd_get_params(ZSTD_LEVEL, PAGE_SIZE);
	csize = zstd_cctx_workspace_bound(&zstd->params.cParams);
	dsize = zstd_dctx_workspace_bound();
	zstd->cspace = kvmalloc(csize, GFP_KERNEL);
	zstd->dspace = kvmalloc(dsize, GFP_KERNEL);
	if (!zstd->cspace || !zstd->dspace)
		goto fail;
	zstd->cctx = zstd_init_cctx(zstd->cspace, csize);
	zstd->dctx = zstd_init_dctx(zstd->dspace, dsize);
	if (!zstd->cctx || !zstd->dctx)
		goto fail;
	return zstd;
fail:
	zstd_destroy(zstd);
	return NULL;
}

static int zstd_compress(void *work, const void *page, void *dst)
{
	struct zstd_work *zstd = work;
	size_t len = zstd_compress_cctx(zstd->cctx, dst, ZRAM_CODEC_ROOM, page, PAGE_SIZE,
					&zstd->params);

	return zstd_is_error(len) ? -EINVAL : (int)len;
}

static int zstd_decompress(void *work, const void *src, size_t len, void *page)
{
	struct zstd_work *zstd = work;
	size_t out = zstd_decompress_dctx(zstd->dctx, page, PAGE_SIZE, src, len);

	/* An error is a size beyond any page. */
	return out == PAGE_SIZE ? 0 : -EINVAL;
}

const struct zram_codec zram_codec_zstd = {
	.name = "zstd",
	.create = zstd_create,
	.destroy = zstd_destroy,
	.compress = zstd_compress,
	.decompress = zstd_decompress,
};
