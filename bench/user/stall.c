// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "stall.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "interrupt.h"
#include "memory.h"
#include "samples.h"

#define PUSHERS 2
#define NS_PER_SECOND 1000000000ULL
/* Before the first call: the pushers reach what is pending in the long run. */
#define SETTLE_US 200000
/* Between two calls: something is pending again. */
#define PAUSE_US 1000
#define CALLS_PER_SECOND (1000000 / PAUSE_US)

struct pusher {
	pthread_t thread;
	const struct pack *pack;
	uint64_t pushed;
	int error;
};

static struct {
	struct zs_pool *pool;
	atomic_bool stop;
	struct pusher pusher[PUSHERS];
	unsigned int started;
	uint64_t cpu_ns; /* the most CPU time that a call took */
} stall;

/* What callers want: pages, or of the shrinker handles; as zram and the kernel ask. */
static size_t wanted(enum zs_flush_cause cause)
{
	switch (cause) {
	case ZS_FLUSH_OOM:
		return 256;
	case ZS_FLUSH_SHRINKER:
		return 128;
	default:
		return 1;
	}
}

/* What is measured. */
static void drain(enum zs_flush_cause cause)
{
	if (cause == ZS_FLUSH_CALLER)
		zs_free_deferred_flush(stall.pool);
	else
		zs_drain_deferred(stall.pool, cause, wanted(cause));
}

static void *pusher_main(void *arg)
{
	struct pusher *p = arg;
	size_t i = 0;

	while (!atomic_load_explicit(&stall.stop, memory_order_relaxed)) {
		unsigned long handle = zs_malloc(stall.pool, p->pack->object[i].len);

		p->error = zs_handle_error(handle);
		if (p->error)
			break;
		zs_free_deferred(stall.pool, handle);
		p->pushed++;
		i = (i + 1) % p->pack->n;
	}
	return NULL;
}

static enum outcome pushers_start(const struct pack *pack)
{
	for (; stall.started < PUSHERS; stall.started++) {
		struct pusher *p = &stall.pusher[stall.started];
		int error;

		p->pack = pack;
		error = pthread_create(&p->thread, NULL, pusher_main, p);
		if (error)
			return fail("cannot start a thread: %s", strerror(error));
	}
	return OK;
}

/* Gives how many handles they pushed. */
static enum outcome pushers_end(uint64_t *pushed)
{
	enum outcome err = OK;

	atomic_store(&stall.stop, true);
	*pushed = 0;
	for (unsigned int i = 0; i < stall.started; i++) {
		const struct pusher *p = &stall.pusher[i];

		pthread_join(p->thread, NULL);
		*pushed += p->pushed;
		if (p->error)
			err = fail("an object cannot be stored: %s", strerror(-p->error));
	}
	return err;
}

/* The time of each call in @ns, which has room for @most. Gives how many. */
static size_t call_again_and_again(enum zs_flush_cause cause, uint64_t *ns, size_t most,
				   uint64_t end)
{
	size_t n = 0;

	while (n < most && clock_ns(CLOCK_MONOTONIC) < end && !interrupt_caught()) {
		uint64_t cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);
		uint64_t start = clock_ns(CLOCK_MONOTONIC);

		drain(cause);
		ns[n++] = clock_ns(CLOCK_MONOTONIC) - start;
		cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
		if (cpu > stall.cpu_ns)
			stall.cpu_ns = cpu;
		usleep(PAUSE_US);
	}
	return n;
}

static void print_calls(enum zs_flush_cause cause, uint64_t *ns, size_t n,
			uint64_t pushed, double seconds)
{
	samples_sort(ns, n);
	printf("{\"call\": \"%s\", \"calls\": %zu, \"p50_ms\": %.10g, "
	       "\"p99_ms\": %.10g, \"max_ms\": %.10g, \"max_cpu_ms\": %.10g, "
	       "\"handles_per_s\": %.10g}\n",
	       zs_flush_cause_name(cause), n, (double)samples_percentile(ns, n, 50) / 1e6,
	       (double)samples_percentile(ns, n, 99) / 1e6,
	       (double)samples_percentile(ns, n, 100) / 1e6, (double)stall.cpu_ns / 1e6,
	       (double)pushed / seconds);
}

static enum outcome measure(enum zs_flush_cause cause, const struct pack *pack,
			    uint64_t *ns, size_t seconds)
{
	uint64_t start = clock_ns(CLOCK_MONOTONIC), pushed, unused;
	enum outcome err = pushers_start(pack);
	size_t n;

	if (err) {
		pushers_end(&unused);
		return err;
	}
	usleep(SETTLE_US);
	n = call_again_and_again(cause, ns, seconds * CALLS_PER_SECOND,
				 clock_ns(CLOCK_MONOTONIC) + seconds * NS_PER_SECOND);
	err = pushers_end(&pushed);
	if (err)
		return err;
	if (interrupt_caught() || !n)
		return INTERRUPTED;
	print_calls(cause, ns, n, pushed,
		    (double)(clock_ns(CLOCK_MONOTONIC) - start) / 1e9);
	return OK;
}

enum outcome stall_run(enum zs_defer_policy policy, enum zs_flush_cause cause,
		       const struct pack *pack, size_t seconds)
{
	const struct zs_pool_params params = {.policy = policy};
	size_t bytes = seconds * CALLS_PER_SECOND * sizeof(uint64_t);
	uint64_t *ns = memory_map(bytes);
	enum outcome err;
	int error;

	if (!ns)
		return fail("not enough memory for %zu seconds", seconds);
	error = zs_create_pool("stall", &params, &stall.pool);
	if (error) {
		err = fail("cannot create a pool: %s", strerror(-error));
	} else {
		err = measure(cause, pack, ns, seconds);
		zs_destroy_pool(stall.pool);
	}
	memory_unmap(ns, bytes);
	return err;
}
