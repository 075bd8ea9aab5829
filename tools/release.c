// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "release.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "interrupt.h"

#define POLL_NS (100 * 1000L)
#define PATIENCE_NS (30 * 1000 * 1000 * 1000ULL)

/* Threads wait here, so that all begin at once and none is timed starting. */
struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned int waiting;
	enum { GATE_SHUT, GATE_OPEN, GATE_CANCELLED } state;
};

struct caller {
	pthread_t thread;
	struct gate *gate;
	struct zs_pool *pool;
	const unsigned long *handles;
	size_t n;
	uint64_t *ticks;
	uint64_t elapsed_ns;
};

static void free_untimed(const struct caller *c)
{
	for (size_t i = 0; i < c->n; i++)
		zs_free_deferred(c->pool, c->handles[i]);
}

/* One reading ends a call and begins the next, so no time falls between. */
static void free_timed(const struct caller *c)
{
	uint64_t before = clock_ticks();

	for (size_t i = 0; i < c->n; i++) {
		uint64_t now;

		zs_free_deferred(c->pool, c->handles[i]);
		now = clock_ticks();
		c->ticks[i] = now > before ? now - before : 0;
		before = now;
	}
}

static void free_part(struct caller *c)
{
	uint64_t start = clock_ns(CLOCK_MONOTONIC);

	if (c->ticks)
		free_timed(c);
	else
		free_untimed(c);
	c->elapsed_ns = clock_ns(CLOCK_MONOTONIC) - start;
}

/* Returns whether the gate was opened. */
static bool gate_pass(struct gate *gate)
{
	bool open;

	pthread_mutex_lock(&gate->lock);
	gate->waiting++;
	pthread_cond_broadcast(&gate->changed);
	while (gate->state == GATE_SHUT)
		pthread_cond_wait(&gate->changed, &gate->lock);
	open = gate->state == GATE_OPEN;
	pthread_mutex_unlock(&gate->lock);
	return open;
}

static void gate_await(struct gate *gate, unsigned int threads)
{
	pthread_mutex_lock(&gate->lock);
	while (gate->waiting < threads)
		pthread_cond_wait(&gate->changed, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
}

static void gate_set(struct gate *gate, bool open)
{
	pthread_mutex_lock(&gate->lock);
	gate->state = open ? GATE_OPEN : GATE_CANCELLED;
	pthread_cond_broadcast(&gate->changed);
	pthread_mutex_unlock(&gate->lock);
}

static void *caller_main(void *arg)
{
	struct caller *c = arg;

	if (gate_pass(c->gate))
		free_part(c);
	return NULL;
}

/* callers[0] is the thread that called release_objects(). */
static enum outcome start_callers(struct caller *callers, unsigned int threads)
{
	struct gate *gate = callers[0].gate;
	unsigned int started;
	int error = 0;

	for (started = 1; started < threads; started++) {
		error = pthread_create(&callers[started].thread, NULL, caller_main,
				       &callers[started]);
		if (error)
			break;
	}
	if (!error) {
		gate_await(gate, threads - 1);
		return OK;
	}
	gate_set(gate, false);
	while (--started)
		pthread_join(callers[started].thread, NULL);
	return fail("cannot start %u threads: %s", threads, strerror(error));
}

static enum outcome await_pages(struct zs_pool *pool, uint64_t start)
{
	const struct timespec pause = {0, POLL_NS};

	while (zs_get_total_pages(pool)) {
		if (interrupt_caught())
			return INTERRUPTED;
		if (clock_ns(CLOCK_MONOTONIC) - start > PATIENCE_NS)
			return fail("after half a minute %zu pages have not come back",
				    zs_get_total_pages(pool));
		nanosleep(&pause, NULL);
	}
	return OK;
}

static enum outcome run_callers(struct caller *callers, unsigned int threads,
				struct release_cost *cost)
{
	struct zs_pool *pool = callers[0].pool;
	uint64_t start, cpu, polling;
	enum outcome err;

	start = clock_ns(CLOCK_MONOTONIC);
	cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	gate_set(callers[0].gate, true);
	free_part(&callers[0]);
	for (unsigned int i = 1; i < threads; i++)
		pthread_join(callers[i].thread, NULL);
	polling = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	err = await_pages(pool, start);
	cost->back_ns = (double)(clock_ns(CLOCK_MONOTONIC) - start);
	/*
	 * Nothing is pending, but the drain thread may not sleep yet, and the CPU
	 * time of a running thread is only known to the last scheduler tick.
	 */
	zs_free_deferred_flush(pool);
	polling = clock_ns(CLOCK_THREAD_CPUTIME_ID) - polling;
	cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	cost->cpu_ns = cpu > polling ? (double)(cpu - polling) : 0;
	cost->caller_ns = 0;
	for (unsigned int i = 0; i < threads; i++)
		cost->caller_ns += (double)callers[i].elapsed_ns;
	return err;
}

enum outcome release_objects(struct zs_pool *pool, const unsigned long *handles, size_t n,
			     unsigned int threads, uint64_t *ticks,
			     struct release_cost *cost)
{
	struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0,
			    GATE_SHUT};
	struct caller *callers = calloc(threads, sizeof(*callers));
	enum outcome err;
	size_t at = 0;

	if (!callers)
		return fail("not enough memory for %u threads", threads);
	for (unsigned int i = 0; i < threads; i++) {
		size_t part = n / threads + (i < n % threads);

		callers[i].gate = &gate;
		callers[i].pool = pool;
		callers[i].handles = handles + at;
		callers[i].n = part;
		callers[i].ticks = ticks ? ticks + at : NULL;
		at += part;
	}
	err = start_callers(callers, threads);
	if (!err)
		err = run_callers(callers, threads, cost);
	pthread_cond_destroy(&gate.changed);
	pthread_mutex_destroy(&gate.lock);
	free(callers);
	return err;
}
