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

/* A level or a number of bits that was not asked for: the codec's own choice. */
#define ZRAM_PARAM_UNSET S32_MIN

/* How a codec is to work; see algorithm_params in zram.rst. */
struct zram_codec_params {
	s32 level;
	s32 winbits; /* deflate */
	void *dict; /* what every page is taken to be preceded by; from vmalloc(), or NULL
		     */
	size_t dict_len;
	/* Of the codec's own, made of the above by share(), for all streams; or NULL */
	void *shared;
};

/* Releases of clang-format differ. */
/* clang-format off */
#define ZRAM_CODEC_PARAMS_INIT {.level = ZRAM_PARAM_UNSET, .winbits = ZRAM_PARAM_UNSET}
/* clang-format on */

struct zram_codec {
	const char *name;

	/*
	 * Check @params before the first stream is made, and make what all of them
	 * share. Process context, may sleep. 0, -EINVAL, -EOPNOTSUPP or
	 * -ENOMEM. NULL: it takes no parameters.
	 */
	int (*share)(struct zram_codec_params *params);
	void (*unshare)(struct zram_codec_params *params); /* or NULL */

	/*
	 * Working memory of one stream. Process context, may sleep. @params stay as they
	 * are until the last stream is destroyed. NULL if there is no memory.
	 */
	void *(*create)(const struct zram_codec_params *params);
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
extern const struct zram_codec zram_codec_842;

/* The decompress() of lz4 and lz4hc, which have one format. */
int zram_lz4_decompress(const struct zram_codec_params *params, const void *src,
			size_t len, void *page);

const struct zram_codec *zram_codec_default(void);
const struct zram_codec *zram_codec_find(const char *name);
ssize_t zram_codec_list(const struct zram_codec *current_codec, char *buf, int at);

#endif /* ZRAM_CODEC_H */
