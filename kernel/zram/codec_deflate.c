// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Deflate: zlib's format, without header and checksum where the number of bits is
 * negative, as it is unless asked for otherwise.
 */
#include <linux/slab.h>
#include <linux/zlib.h>

#include "codec.h"

/* Of the window, that is: a page of 4 KiB. 8 bits are none of zlib's. */
#define DEFLATE_WINDOW_BITS (-12)
#define DEFLATE_LEAST_BITS 9
#define DEFLATE_MEM_LEVEL 8

/* Each state lies in its workspace. */
struct deflate_work {
	struct z_stream_s compressor;
	struct z_stream_s decompressor;
};

static void deflate_destroy(void *work)
{
	struct deflate_work *deflate = work;

	if (!deflate)
		return;
	kvfree(deflate->compressor.workspace);
	kvfree(deflate->decompressor.workspace);
	kfree(deflate);
}

static int deflate_level(const struct zram_codec_params *params)
{
	return params->level == ZRAM_PARAM_UNSET ? Z_DEFAULT_COMPRESSION : params->level;
}

static int deflate_bits(const struct zram_codec_params *params)
{
	return params->winbits == ZRAM_PARAM_UNSET ? DEFLATE_WINDOW_BITS
						   : params->winbits;
}

static int deflate_share(struct zram_codec_params *params)
{
	s32 level = deflate_level(params), bits = deflate_bits(params);

	if (params->dict)
		return -EOPNOTSUPP;
	if (level < Z_DEFAULT_COMPRESSION || level > Z_BEST_COMPRESSION)
		return -EINVAL;
	if (bits < -MAX_WBITS || bits > MAX_WBITS || abs(bits) < DEFLATE_LEAST_BITS)
		return -EINVAL;
	return 0;
}

static void *deflate_create(const struct zram_codec_params *params)
{
	struct deflate_work *deflate = kzalloc(sizeof(*deflate), GFP_KERNEL);
	int bits = deflate_bits(params);

	if (!deflate)
		return NULL;
	deflate->compressor.workspace =
		kvmalloc(zlib_deflate_workspacesize(bits, DEFLATE_MEM_LEVEL), GFP_KERNEL);
	deflate->decompressor.workspace =
		kvmalloc(zlib_inflate_workspacesize(), GFP_KERNEL);
	if (!deflate->compressor.workspace || !deflate->decompressor.workspace)
		goto fail;
	if (zlib_deflateInit2(&deflate->compressor, deflate_level(params), Z_DEFLATED,
			      bits, DEFLATE_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK ||
	    zlib_inflateInit2(&deflate->decompressor, bits) != Z_OK)
		goto fail;
	return deflate;
fail:
	deflate_destroy(deflate);
	return NULL;
}

static int deflate_compress(void *work, const void *page, void *dst)
{
	struct z_stream_s *stream = &((struct deflate_work *)work)->compressor;

	if (zlib_deflateReset(stream) != Z_OK)
		return -EINVAL;
	stream->next_in = page;
	stream->avail_in = PAGE_SIZE;
	stream->next_out = dst;
	stream->avail_out = ZRAM_CODEC_ROOM;
	return zlib_deflate(stream, Z_FINISH) == Z_STREAM_END ? (int)stream->total_out
							      : -EINVAL;
}

static int deflate_decompress(void *work, const void *src, size_t len, void *page)
{
	struct z_stream_s *stream = &((struct deflate_work *)work)->decompressor;

	if (zlib_inflateReset(stream) != Z_OK)
		return -EINVAL;
	stream->next_in = src;
	stream->avail_in = len;
	stream->next_out = page;
	stream->avail_out = PAGE_SIZE;
	if (zlib_inflate(stream, Z_FINISH) != Z_STREAM_END ||
	    stream->total_out != PAGE_SIZE)
		return -EINVAL;
	return 0;
}

const struct zram_codec zram_codec_deflate = {
	.name = "deflate",
	.share = deflate_share,
	.create = deflate_create,
	.destroy = deflate_destroy,
	.compress = deflate_compress,
	.decompress = deflate_decompress,
};
