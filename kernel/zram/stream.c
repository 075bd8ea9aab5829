// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Streams, one for each CPU that is online when the disk size is set. A user
 * starts at the stream of the CPU it runs on, but may move to another CPU and
 * sleep: what protects a stream is its mutex, not the CPU. So CPUs that come
 * later share the streams there are, CPUs that go leave one idle, no hotplug
 * callback is needed, and a machine with many possible CPUs and few real ones
 * pays for the real ones.
 *
 * A writer allocates the object with the compressed page still in its stream's
 * buffer. An ordinary task may then wait in reclaim, and reclaim waits for
 * swap-out, which needs a stream. The reserve stream breaks that circle: it
 * is only for users who never wait for memory while they hold it, which are
 * readers, and tasks that reclaim memory themselves (PF_MEMALLOC: their
 * allocations succeed or fail at once). They take it when their CPU's stream
 * is busy, so reclaim, and a page fault, wait for a codec at most.
 *
 * Lock order: a stream's mutex is taken after the device's locks (zram.h)
 * and before a slot's lock. Nobody holds two.
 */
#include <linux/cpumask.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "codec.h"
#include "stream.h"

static void stream_fini(struct zram_stream *stream, const struct zram_codec *codec)
{
	kvfree(stream->buffer);
	if (stream->work)
		codec->destroy(stream->work);
	mutex_destroy(&stream->lock);
}

static int stream_init(struct zram_stream *stream, const struct zram_codec *codec)
{
	mutex_init(&stream->lock);
	stream->work = codec->create();
	stream->buffer = kvmalloc(ZRAM_CODEC_ROOM, GFP_KERNEL);
	if (stream->work && stream->buffer)
		return 0;
	stream_fini(stream, codec);
	return -ENOMEM;
}

/**
 * zram_streams_create() - make the streams of a device
 * @codec: what they compress with
 *
 * Context: process context, may sleep.
 * Return: the streams; NULL if there is no memory.
 */
struct zram_streams *zram_streams_create(const struct zram_codec *codec)
{
	const unsigned int nr = num_online_cpus();
	struct zram_streams *streams;
	unsigned int i;

	streams = kvzalloc(struct_size(streams, stream, nr + 1), GFP_KERNEL);
	if (!streams)
		return NULL;
	streams->codec = codec;
	streams->nr = nr;
	for (i = 0; i <= nr; i++)
		if (stream_init(&streams->stream[i], codec))
			goto fail;
	return streams;
fail:
	while (i--)
		stream_fini(&streams->stream[i], codec);
	kvfree(streams);
	return NULL;
}

/**
 * zram_streams_destroy() - free the streams of a device
 * @streams: from zram_streams_create(), none in use; or NULL
 *
 * Context: process context.
 */
void zram_streams_destroy(struct zram_streams *streams)
{
	unsigned int i;

	if (!streams)
		return;
	for (i = 0; i <= streams->nr; i++)
		stream_fini(&streams->stream[i], streams->codec);
	kvfree(streams);
}

/**
 * zram_stream_get() - get a stream to work with
 * @streams: the device's streams
 * @waits_for_memory: the caller may wait for memory before it puts it back
 * @stalled: set to whether the caller had to wait
 *
 * Context: process context, may sleep.
 * Return: the stream, for the caller alone until zram_stream_put().
 */
struct zram_stream *zram_stream_get(struct zram_streams *streams, bool waits_for_memory,
				    bool *stalled)
{
	struct zram_stream *stream =
		&streams->stream[raw_smp_processor_id() % streams->nr];

	*stalled = false;
	if (likely(mutex_trylock(&stream->lock)))
		return stream;
	if (!waits_for_memory) {
		stream = &streams->stream[streams->nr];
		if (mutex_trylock(&stream->lock))
			return stream;
	}
	*stalled = true;
	mutex_lock(&stream->lock);
	return stream;
}

/**
 * zram_stream_put() - let others have a stream
 * @stream: from zram_stream_get()
 *
 * Context: process context.
 */
void zram_stream_put(struct zram_stream *stream)
{
	mutex_unlock(&stream->lock);
}
