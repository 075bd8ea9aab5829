/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* Streams: a codec's working memory and a buffer, for one user at a time. */
#ifndef ZRAM_STREAM_H
#define ZRAM_STREAM_H

#include <linux/cache.h>
#include <linux/mutex.h>
#include <linux/types.h>

struct zram_codec;

struct zram_stream {
	struct mutex lock;
	void *work; /* the codec's */
	void *buffer; /* ZRAM_CODEC_ROOM bytes */
} ____cacheline_aligned_in_smp;

struct zram_streams {
	const struct zram_codec *codec;
	unsigned int nr; /* without the reserve, which is stream[nr] */
	struct zram_stream stream[];
};

struct zram_streams *zram_streams_create(const struct zram_codec *codec);
void zram_streams_destroy(struct zram_streams *streams);
struct zram_stream *zram_stream_get(struct zram_streams *streams, bool waits_for_memory,
				    bool *stalled);
void zram_stream_put(struct zram_stream *stream);

#endif /* ZRAM_STREAM_H */
