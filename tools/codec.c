// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "codec.h"

#include <stdlib.h>
#include <string.h>

#include <lz4.h>
#include <lzo/lzo1x.h>
#include <zstd.h>

#define ZSTD_LEVEL 3

static void *lz4_scratch;
static void *lzo_scratch;
static ZSTD_CCtx *zstd_packer;
static ZSTD_DCtx *zstd_unpacker;

static bool lz4_open(void)
{
	lz4_scratch = malloc((size_t)LZ4_sizeofState());
	return lz4_scratch != NULL;
}

static void lz4_close(void)
{
	free(lz4_scratch);
	lz4_scratch = NULL;
}

static size_t lz4_pack(const void *src, size_t len, void *dst)
{
	int n = LZ4_compress_fast_extState(lz4_scratch, src, dst, (int)len,
					   (int)codec_bound(len), 1);

	return n > 0 ? (size_t)n : 0;
}

static size_t lz4_unpack(const void *src, size_t len, void *dst, size_t cap)
{
	int n = LZ4_decompress_safe(src, dst, (int)len, (int)cap);

	return n > 0 ? (size_t)n : 0;
}

static bool lzo_open(void)
{
	if (lzo_init() != LZO_E_OK)
		return false;
	lzo_scratch = malloc(LZO1X_1_MEM_COMPRESS);
	return lzo_scratch != NULL;
}

static void lzo_close(void)
{
	free(lzo_scratch);
	lzo_scratch = NULL;
}

static size_t lzo_pack(const void *src, size_t len, void *dst)
{
	lzo_uint n = 0;

	if (lzo1x_1_compress(src, len, dst, &n, lzo_scratch) != LZO_E_OK)
		return 0;
	return n;
}

static size_t lzo_unpack(const void *src, size_t len, void *dst, size_t cap)
{
	lzo_uint n = cap;

	if (lzo1x_decompress_safe(src, len, dst, &n, NULL) != LZO_E_OK)
		return 0;
	return n;
}

static bool zstd_open(void)
{
	zstd_packer = ZSTD_createCCtx();
	zstd_unpacker = ZSTD_createDCtx();
	return zstd_packer && zstd_unpacker;
}

static void zstd_close(void)
{
	ZSTD_freeCCtx(zstd_packer);
	ZSTD_freeDCtx(zstd_unpacker);
	zstd_packer = NULL;
	zstd_unpacker = NULL;
}

static size_t zstd_pack(const void *src, size_t len, void *dst)
{
	size_t n = ZSTD_compressCCtx(zstd_packer, dst, codec_bound(len), src, len,
				     ZSTD_LEVEL);

	return ZSTD_isError(n) ? 0 : n;
}

static size_t zstd_unpack(const void *src, size_t len, void *dst, size_t cap)
{
	size_t n = ZSTD_decompressDCtx(zstd_unpacker, dst, cap, src, len);

	return ZSTD_isError(n) ? 0 : n;
}

static const struct codec codecs[] = {
	{"lz4", lz4_open, lz4_close, lz4_pack, lz4_unpack},
	{"lzo", lzo_open, lzo_close, lzo_pack, lzo_unpack},
	{"zstd", zstd_open, zstd_close, zstd_pack, zstd_unpack},
};

const struct codec *codec_at(size_t i)
{
	return i < sizeof(codecs) / sizeof(codecs[0]) ? &codecs[i] : NULL;
}

const struct codec *codec_by_name(const char *name)
{
	const struct codec *codec;

	for (size_t i = 0; (codec = codec_at(i)) != NULL; i++) {
		if (!strcmp(codec->name, name))
			return codec;
	}
	return NULL;
}

/* LZO documents len + len/16 + 64 + 3; lz4 and zstd need less. */
size_t codec_bound(size_t len)
{
	return len + len / 16 + 128;
}
