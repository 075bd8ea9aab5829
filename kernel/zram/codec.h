/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* Compression algorithms: one file each, over the kernel's own libraries. */
#ifndef ZRAM_CODEC_H
#define ZRAM_CODEC_H

#include <linux/mm.h>
#include <linux/types.h>

/*
 * Room that compress() may write to. Twice a page is more than the worst case
 * of every codec, so those with a faster loop for ample room use it.
 */
#define ZRAM_CODEC_ROOM (2 * PAGE_SIZE)

struct zram_codec {
	const char *name;

	/*
	 * Working memory of one stream. Process context, may sleep.
	 * NULL if there is no memory.
	 */
	void *(*create)(void);
	void (*destroy)(void *work);

	/*
	 * Compress a page. Any context. @dst has ZRAM_CODEC_ROOM bytes.
	 * Return: bytes written, 1 or more, or a negative errno. Any size of a page or
	 * more means that the page is incompressible.
	 */
	int (*compress)(void *work, const void *page, void *dst);

	/*
	 * Any context. Never writes beyond @page, whatever @src holds.
	 * Return: 0, or -EINVAL if @src does not make a whole page.
	 */
	int (*decompress)(void *work, const void *src, size_t len, void *page);
};

extern const struct zram_codec zram_codec_lzo;
extern const struct zram_codec zram_codec_lzo_rle;
extern const struct zram_codec zram_codec_lz4;
extern const struct zram_codec zram_codec_lz4hc;
extern const struct zram_codec zram_codec_zstd;
extern const struct zram_codec zram_codec_deflate;

const struct zram_codec *zram_codec_default(void);
const struct zram_codec *zram_codec_find(const char *name);
ssize_t zram_codec_list(const struct zram_codec *current_codec, char *buf);

#endif /* ZRAM_CODEC_H */
