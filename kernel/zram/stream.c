// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Streams, one for each CPU that is online. CPU hotplug makes a CPU's streams before
 * the CPU comes up and frees them after it has gone, so a task finds a stream on
 * whatever CPU it runs. When there is no memory for one, the CPU does not come up.
 *
 * A task holds a stream by a local lock. It is not preempted then, and nothing that it
 * does with the stream may sleep: it compresses or decompresses one page, copies it,
 * and takes memory only if that is free at once. With PREEMPT_RT the local lock is a
 * sleeping lock of the CPU: a task that is preempted with a stream is lent the priority
 * of the tasks that wait for it.
 *
 * Lock order: zram.init_lock, then the CPU hotplug lock, in which the callbacks below
 * run. They take no lock of zram's, and may reclaim memory, so that pages may be
 * stored: I/O takes neither. A stream's local lock is taken after partial_lock and
 * before a slot's lock (zram.h). No task holds two.
 */
#include <linux/cpuhotplug.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "stream.h"

static enum cpuhp_state hotplug_state;

static void stream_fini(struct zram_streams *streams, struct zram_stream *stream)
{
	kvfree(stream->buffer);
	if (stream->work)
		streams->codec->destroy(stream->work);
	stream->buffer = NULL;
	stream->work = NULL;
}

/* Before @cpu comes up, or a device is set up while it is up. */
static int stream_prepare(unsigned int cpu, struct hlist_node *node)
{
	struct zram_streams *streams = hlist_entry(node, struct zram_streams, node);
	struct zram_stream *stream = per_cpu_ptr(streams->stream, cpu);

	stream->work = streams->codec->create(&streams->params);
	stream->buffer = kvmalloc_node(ZRAM_CODEC_ROOM, GFP_KERNEL, cpu_to_node(cpu));
	if (!stream->work || !stream->buffer) {
		stream_fini(streams, stream);
		return -ENOMEM;
	}
	atomic_inc(&streams->nr);
	return 0;
}

/* After @cpu has gone, or before a device's streams go: nothing uses the stream. */
static int stream_dead(unsigned int cpu, struct hlist_node *node)
{
	struct zram_streams *streams = hlist_entry(node, struct zram_streams, node);

	stream_fini(streams, per_cpu_ptr(streams->stream, cpu));
	atomic_dec(&streams->nr);
	return 0;
}

/* Check the parameters, and make what the streams share. */
static int streams_share(struct zram_streams *streams)
{
	struct zram_codec_params *params = &streams->params;

	if (streams->codec->share)
		return streams->codec->share(params);
	return params->level == ZRAM_PARAM_UNSET && params->winbits == ZRAM_PARAM_UNSET &&
			       !params->dict
		       ? 0
		       : -EINVAL;
}

static void streams_unshare(struct zram_streams *streams)
{
	if (streams->codec->unshare)
		streams->codec->unshare(&streams->params);
}

/**
 * zram_streams_create() - make the streams of a device
 * @codec: what they compress with
 * @params: how; the dictionary has to last as long as the streams
 * @streamsp: where the streams are stored; untouched on failure
 *
 * CPUs may come and go meanwhile: the hotplug core calls stream_prepare() for each CPU
 * that is online exactly once, here or when it comes.
 *
 * Context: process context, may sleep.
 * Return: 0; -EINVAL if the codec cannot work in the way asked for, or -ENOMEM.
 */
int zram_streams_create(const struct zram_codec *codec,
			const struct zram_codec_params *params,
			struct zram_streams **streamsp)
{
	struct zram_streams *streams = kzalloc(sizeof(*streams), GFP_KERNEL);
	int cpu, err;

	if (!streams)
		return -ENOMEM;
	streams->codec = codec;
	streams->params = *params;
	err = streams_share(streams);
	if (err)
		goto free_streams;
	err = -ENOMEM;
	streams->stream = alloc_percpu(struct zram_stream);
	if (!streams->stream)
		goto unshare;
	for_each_possible_cpu(cpu)
		local_lock_init(&per_cpu_ptr(streams->stream, cpu)->lock);
	if (cpuhp_state_add_instance(hotplug_state, &streams->node))
		goto free_percpu;
	*streamsp = streams;
	return 0;

free_percpu:
	free_percpu(streams->stream);
unshare:
	streams_unshare(streams);
free_streams:
	kfree(streams);
	return err;
}

/**
 * zram_streams_destroy() - free the streams of a device
 * @streams: from zram_streams_create(), none in use; or NULL
 *
 * Context: process context, may sleep.
 */
void zram_streams_destroy(struct zram_streams *streams)
{
	if (!streams)
		return;
	cpuhp_state_remove_instance(hotplug_state, &streams->node);
	free_percpu(streams->stream);
	streams_unshare(streams);
	kfree(streams);
}

/**
 * zram_streams_init() - have streams follow the CPUs
 *
 * Context: process context, may sleep.
 * Return: 0, or a negative errno.
 */
int zram_streams_init(void)
{
	int state = cpuhp_setup_state_multi(CPUHP_BP_PREPARE_DYN, "block/zram:prepare",
					    stream_prepare, stream_dead);

	if (state < 0)
		return state;
	hotplug_state = state;
	return 0;
}

/**
 * zram_streams_exit() - undo zram_streams_init()
 *
 * Context: process context, may sleep; no device has streams.
 */
void zram_streams_exit(void)
{
	cpuhp_remove_multi_state(hotplug_state);
}
