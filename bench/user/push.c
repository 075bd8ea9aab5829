// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "push.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "crew.h"
#include "memory.h"
#include "parts.h"
#include "samples.h"

struct push {
	struct zs_pool *pool;
	unsigned int threads;
	size_t first; /* this many are pushed before the rest is measured */
	size_t n; /* in all */
	unsigned long *handles;
	uint64_t *ticks; /* of the measured ones */
};

static void job_push(void *arg, unsigned int member)
{
	const struct push *p = arg;
	struct part part = parts_of(p->n - p->first, p->threads, member);
	const unsigned long *handles = p->handles + p->first + part.first;

	for (size_t i = 0; i < part.n; i++)
		zs_free_deferred(p->pool, handles[i]);
}

/* One reading ends a call and begins the next: a call costs one reading more. */
static void job_push_timed(void *arg, unsigned int member)
{
	const struct push *p = arg;
	struct part part = parts_of(p->n - p->first, p->threads, member);
	const unsigned long *handles = p->handles + p->first + part.first;
	uint64_t *ticks = p->ticks + part.first;
	uint64_t before = clock_ticks();

	for (size_t i = 0; i < part.n; i++) {
		uint64_t now;

		zs_free_deferred(p->pool, handles[i]);
		now = clock_ticks();
		ticks[i] = now > before ? now - before : 0;
		before = now;
	}
}

static enum outcome fill(const struct push *p, const struct pack *pack)
{
	for (size_t i = 0; i < p->n; i++) {
		size_t of = i % pack->n;
		unsigned long handle = zs_malloc(p->pool, pack->object[of].len);
		int error = zs_handle_error(handle);

		if (!error)
			error = zs_obj_write(p->pool, handle, pack_data(pack, of),
					     pack->object[of].len);
		if (error)
			return fail("object %zu cannot be stored: %s", i,
				    strerror(-error));
		p->handles[i] = handle;
	}
	return OK;
}

/* Wake the worker, then run @job. @before, @after: the pool's counters then. */
static struct crew_cost empty(struct push *p, void (*job)(void *arg, unsigned int member),
			      struct zs_pool_stats *before, struct zs_pool_stats *after)
{
	struct crew_cost cost;

	for (size_t i = 0; i < p->first; i++)
		zs_free_deferred(p->pool, p->handles[i]);
	zs_pool_stats(p->pool, before);
	cost = crew_run(job, p);
	zs_pool_stats(p->pool, after);
	zs_free_deferred_flush(p->pool);
	return cost;
}

static double call_ns(const struct push *p, unsigned int percent)
{
	double ns = (double)samples_percentile(p->ticks, p->n - p->first, percent) *
			    cheap_clock.ns_per_tick -
		    cheap_clock.overhead_ns;

	return ns > 0 ? ns : 0;
}

static enum outcome measure(struct push *p, const struct pack *pack)
{
	size_t measured = p->n - p->first;
	struct zs_pool_stats before, after, unused;
	struct crew_cost cost;
	double wall_ns;
	enum outcome err = fill(p, pack);

	if (err)
		return err;
	cost = empty(p, job_push, &before, &after);
	wall_ns = cost.wall_ns ? (double)cost.wall_ns : 1;
	err = fill(p, pack);
	if (err)
		return err;
	empty(p, job_push_timed, &unused, &unused);
	samples_sort(p->ticks, measured);
	printf("{\"policy\": \"%s\", \"threads\": %u, \"pushed\": %zu, "
	       "\"budget\": %zu, \"mean_ns\": %.10g, \"handles_per_s\": %.10g, "
	       "\"at_once\": %.10g, ",
	       zs_policy_name(after.policy), p->threads, measured, after.capacity,
	       (double)cost.busy_ns / (double)measured, (double)measured * 1e9 / wall_ns,
	       (double)cost.busy_ns / wall_ns);
	printf("\"p50_ns\": %.10g, \"p99_ns\": %.10g, \"max_ns\": %.10g, "
	       "\"pending_before\": %zu, \"drained_meanwhile\": %" PRIu64
	       ", \"fallback\": %" PRIu64 ", \"producer_drained\": %" PRIu64 ", ",
	       call_ns(p, 50), call_ns(p, 99), call_ns(p, 100), before.pending,
	       after.drained - before.drained, after.fallback - before.fallback,
	       after.producer_drained - before.producer_drained);
	printf("\"clock\": \"%s\", \"clock_step_ns\": %.10g, \"clock_overhead_ns\": "
	       "%.10g}\n",
	       clock_name(), cheap_clock.step_ns, cheap_clock.overhead_ns);
	return OK;
}

static enum outcome reserve(struct push *p)
{
	p->handles = memory_map(p->n * sizeof(*p->handles));
	p->ticks = memory_map(p->n * sizeof(*p->ticks));
	if (!p->handles || !p->ticks)
		return fail("not enough memory for %zu handles", p->n);
	memset(p->ticks, 0xff, p->n * sizeof(*p->ticks));
	return OK;
}

enum outcome push_run(enum zs_defer_policy policy, const struct pack *pack,
		      unsigned int threads, size_t objects, size_t budget)
{
	const struct zs_pool_params params = {.policy = policy, .defer_budget = budget};
	struct push p = {.threads = threads, .first = objects / 2, .n = objects};
	enum outcome err = reserve(&p);
	int error;

	if (!err)
		err = crew_start(threads);
	if (err)
		return err;
	clock_calibrate();
	error = zs_create_pool("push", &params, &p.pool);
	if (error) {
		err = fail("cannot create a pool: %s", strerror(-error));
	} else {
		err = measure(&p, pack);
		zs_destroy_pool(p.pool);
	}
	crew_end();
	return err;
}
