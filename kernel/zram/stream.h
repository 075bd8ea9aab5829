/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* Streams: a codec's working memory and a buffer, one of each for every CPU. */
#ifndef ZRAM_STREAM_H
#define ZRAM_STREAM_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/local_lock.h>
#include <linux/percpu.h>

#include "codec.h"

struct zram_stream {
	local_lock_t lock;
	void *work; /* the codec's */
	void *buffer; /* ZRAM_CODEC_ROOM bytes */
};

struct zram_streams {
	const struct zram_codec *codec;
	struct zram_codec_params params;
	struct zram_stream __percpu *stream;
	atomic_t nr; /* CPUs that have one */
	struct hlist_node node; /* on the hotplug state's list */
};

int zram_streams_init(void);
void zram_streams_exit(void);
int zram_streams_create(const struct zram_codec *codec,
			const struct zram_codec_params *params,
			struct zram_streams **streamsp);
void zram_streams_destroy(struct zram_streams *streams);

/**
 * zram_stream_get() - get this CPU's stream to work with
 * @streams: the device's streams
 *
 * Nothing between this and zram_stream_put() may sleep.
 *
 * Context: process context. Without PREEMPT_RT it waits for nothing; with it, it may
 * sleep until the task that was preempted on this CPU with the stream is done.
 * Return: the stream, for the caller alone until zram_stream_put().
 */
static inline struct zram_stream *zram_stream_get(struct zram_streams *streams)
{
	local_lock(&streams->stream->lock);
	return this_cpu_ptr(streams->stream);
}

/**
 * zram_stream_put() - let go of this CPU's stream
 * @streams: those of zram_stream_get()
 *
 * Context: as zram_stream_get() left it.
 */
static inline void zram_stream_put(struct zram_streams *streams)
{
	local_unlock(&streams->stream->lock);
}

#endif /* ZRAM_STREAM_H */
