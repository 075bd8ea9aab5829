// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* The codecs that this kernel's libraries offer. No locks. */
#include <linux/build_bug.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "codec.h"
#include "compat.h"

/* In the order in which the kernel's own zram lists them. */
static const struct zram_codec *const codecs[] = {
#if IS_ENABLED(CONFIG_LZO_COMPRESS) && IS_ENABLED(CONFIG_LZO_DECOMPRESS)
	COMPAT_ZRAM_LZO_CODECS,
#endif
#if IS_ENABLED(CONFIG_LZ4_COMPRESS) && IS_ENABLED(CONFIG_LZ4_DECOMPRESS)
	&zram_codec_lz4,
#endif
#if IS_ENABLED(CONFIG_LZ4HC_COMPRESS) && IS_ENABLED(CONFIG_LZ4_DECOMPRESS)
	&zram_codec_lz4hc,
#endif
#if IS_ENABLED(CONFIG_ZSTD_COMPRESS) && IS_ENABLED(CONFIG_ZSTD_DECOMPRESS)
	&zram_codec_zstd,
#endif
#if IS_ENABLED(CONFIG_ZLIB_DEFLATE) && IS_ENABLED(CONFIG_ZLIB_INFLATE)
	&zram_codec_deflate,
#endif
#if IS_ENABLED(CONFIG_842_COMPRESS) && IS_ENABLED(CONFIG_842_DECOMPRESS)
	&zram_codec_842,
#endif
};

static_assert(sizeof(codecs) > 0, "this kernel has no compression library for zram");

/**
 * zram_codec_find() - the codec of a name
 * @name: the name, perhaps with a newline after it
 *
 * Context: any context.
 * Return: the codec; NULL if there is none of that name.
 */
const struct zram_codec *zram_codec_find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(codecs); i++)
		if (sysfs_streq(codecs[i]->name, name))
			return codecs[i];
	return NULL;
}

/**
 * zram_codec_default() - the codec that a new device has
 *
 * Context: any context.
 * Return: the one that this kernel's own zram would have, or else the first.
 */
const struct zram_codec *zram_codec_default(void)
{
	const struct zram_codec *codec = NULL;

#ifdef CONFIG_ZRAM_DEF_COMP
	codec = zram_codec_find(CONFIG_ZRAM_DEF_COMP);
#endif
	return codec ?: codecs[0];
}

/**
 * zram_codec_list() - all codecs in a line, one of them in brackets
 * @current_codec: the one
 * @buf: a sysfs buffer
 * @at: where in it
 *
 * Context: any context.
 * Return: bytes written.
 */
ssize_t zram_codec_list(const struct zram_codec *current_codec, char *buf, int at)
{
	int len = at;
	size_t i;

	/* Each is followed by a space, the last too: so it has always been. */
	for (i = 0; i < ARRAY_SIZE(codecs); i++)
		len += sysfs_emit_at(buf, len,
				     codecs[i] == current_codec ? "[%s] " : "%s ",
				     codecs[i]->name);
	len += sysfs_emit_at(buf, len, "\n");
	return len - at;
}
