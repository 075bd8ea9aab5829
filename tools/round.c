// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "round.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "fill.h"
#include "memory.h"
#include "progress.h"
#include "release.h"
#include "samples.h"

/* What one fill of a pool gave. */
struct emptying {
	struct zs_pool_stats full; /**< before the first free */
	struct zs_pool_stats empty; /**< after the last page came back */
	struct release_cost cost;
};

enum outcome round_reserve(struct round_scratch *scratch, size_t n)
{
	scratch->n = n;
	scratch->handles = memory_map(n * sizeof(*scratch->handles));
	scratch->ticks = memory_map(n * sizeof(*scratch->ticks));
	if (!scratch->handles || !scratch->ticks)
		return fail("not enough memory for %zu handles", n);
	/* Touched now, or the first round would pay for page faults. */
	memset(scratch->ticks, 0xff, n * sizeof(*scratch->ticks));
	return OK;
}

void round_release(struct round_scratch *scratch)
{
	memory_unmap(scratch->ticks, scratch->n * sizeof(*scratch->ticks));
	memory_unmap(scratch->handles, scratch->n * sizeof(*scratch->handles));
}

/* A pool that is full must hold what was stored. */
static enum outcome check_full(const struct corpus *corpus,
			       const struct zs_pool_stats *full)
{
	if (full->objects != corpus->stored)
		return fail("the pool says %zu objects after %zu were stored",
			    full->objects, corpus->stored);
	if (full->pages * full->page_size < corpus->payload)
		return fail("the pool says %zu pages for %zu bytes of payload",
			    full->pages, corpus->payload);
	return OK;
}

/* Every object must have been freed once, one way or the other. */
static enum outcome check_empty(const struct corpus *corpus,
				const struct zs_pool_stats *empty)
{
	uint64_t freed = empty->drained + empty->producer_drained;

	for (size_t i = 0; i < ZS_FLUSH_NR; i++)
		freed += empty->flushed[i];
	if (empty->objects || empty->pending || empty->invalid)
		return fail("after all frees the pool says %zu objects, %zu pending, "
			    "%" PRIu64 " invalid",
			    empty->objects, empty->pending, empty->invalid);
	if (empty->queued != freed)
		return fail("the pool says %" PRIu64 " frees were queued and %" PRIu64
			    " of them carried out",
			    empty->queued, freed);
	if (empty->policy != ZS_DEFER_SYNC &&
	    empty->queued + empty->fallback != corpus->stored)
		return fail("the pool says %" PRIu64 " queued and %" PRIu64
			    " fallbacks for %zu frees",
			    empty->queued, empty->fallback, corpus->stored);
	return OK;
}

static enum outcome fill_and_empty(struct bench_result *result, struct zs_pool *pool,
				   struct round_scratch *scratch, bool timed,
				   struct emptying *e)
{
	const struct corpus *corpus = &result->corpus;
	enum outcome err;

	err = fill_store(pool, corpus, scratch->handles);
	if (!err)
		err = fill_verify(pool, corpus, scratch->handles, &result->verified);
	if (err)
		return err;
	result->fills++;
	zs_pool_stats(pool, &e->full);
	err = check_full(corpus, &e->full);
	if (!err)
		err = release_objects(pool, scratch->handles, corpus->stored,
				      result->options->threads,
				      timed ? scratch->ticks : NULL, &e->cost);
	if (err)
		return err;
	zs_pool_stats(pool, &e->empty);
	return check_empty(corpus, &e->empty);
}

/* One fill in a pool of its own: one step of the progress bar. */
static enum outcome run_pool(struct bench_result *result, enum zs_defer_policy policy,
			     struct round_scratch *scratch, bool timed,
			     struct emptying *e)
{
	const struct zs_pool_params params = {.policy = policy};
	struct zs_pool *pool;
	enum outcome err;
	char label[32];
	int error;

	snprintf(label, sizeof(label), "freeing: %s", zs_policy_name(policy));
	progress_step(label);
	error = zs_create_pool("bench", &params, &pool);
	if (error)
		return fail("cannot create a pool with policy %s: %s",
			    zs_policy_name(policy), strerror(-error));
	err = fill_and_empty(result, pool, scratch, timed, e);
	zs_destroy_pool(pool);
	return err;
}

static void figures_from_untimed(const struct corpus *corpus, const struct emptying *e,
				 double *value)
{
	double frees = (double)corpus->stored;
	size_t held = e->full.pages * e->full.page_size + e->full.meta_bytes;

	value[FIG_MEAN_NS] = e->cost.caller_ns / frees;
	value[FIG_CPU_NS] = e->cost.cpu_ns / frees;
	value[FIG_BACK_MS] = e->cost.back_ns / 1e6;
	value[FIG_QUEUED] = (double)e->empty.queued;
	value[FIG_DRAINED] = (double)e->empty.drained;
	value[FIG_FALLBACK] = (double)e->empty.fallback;
	value[FIG_PRODUCER_DRAINED] = (double)e->empty.producer_drained;
	value[FIG_HELD_PAGES] = (double)e->full.pages;
	value[FIG_META_BYTES] = (double)e->full.meta_bytes;
	value[FIG_PAYLOAD_PER_BYTE] = (double)corpus->payload / (double)held;
}

static double call_ns(const struct round_scratch *scratch, unsigned int percent)
{
	double ns = (double)samples_percentile(scratch->ticks, scratch->n, percent) *
			    cheap_clock.ns_per_tick -
		    cheap_clock.overhead_ns;

	return ns > 0 ? ns : 0;
}

enum outcome round_run(struct bench_result *result, enum zs_defer_policy policy,
		       struct round_scratch *scratch, struct figures *figures)
{
	struct emptying untimed, timed;
	enum outcome err;

	err = run_pool(result, policy, scratch, false, &untimed);
	if (!err)
		err = run_pool(result, policy, scratch, true, &timed);
	if (err)
		return err;
	figures_from_untimed(&result->corpus, &untimed, figures->value);
	samples_sort(scratch->ticks, scratch->n);
	figures->value[FIG_P50_NS] = call_ns(scratch, 50);
	figures->value[FIG_P99_NS] = call_ns(scratch, 99);
	figures->value[FIG_MAX_US] = call_ns(scratch, 100) / 1e3;
	return OK;
}

enum outcome round_warm_up(struct bench_result *result, struct round_scratch *scratch)
{
	struct emptying ignored;

	return run_pool(result, result->options->policies[0], scratch, false, &ignored);
}
