/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
#include <stdio.h>
#include <time.h>

#include "actor.h"
#include "explore.h"
#include "small.h"

enum {
	STALE = 1, /* loads of old values, in a schedule */
	ODD = 1, /* a CPU that is contended, and the like */
	LEARN = 400, /* schedules of a seed, to learn what is shared */
	SCHEDULES_MOST = 20 * 1000 * 1000,
	/* The drain thread's timer may fire at any point, or not before the end. */
	POINT_NS = 10 * 1000 * 1000,
	NO_WORKER_US = 1000 * 1000 * 1000,
};

struct small_case {
	const char *name;
	bool worker; /* takes part; otherwise it comes when all else is done */
	u32 most; /* preemptions, if fewer than asked for */
	bool fresh; /* with one preemption asked for, no load sees an old value: they are
		       many */
	struct program program; /* but for its policy and config */
};

static const struct small_case cases[] = {
	{.name = "push against drain",
	 .program = {.cells = 2,
		     .filled = 2,
		     .pending = 1,
		     .actors = 2,
		     .op = {{{.kind = OP_DEFER, .cell = 1}},
			    {{.kind = OP_DRAIN, .n = ZS_FLUSH_SHRINKER}}}}},
	/* The drain thread may pass over the leaf while the drain looks at its flags. */
	{.name = "push against drain and thread",
	 .worker = true,
	 .most = 2,
	 .program = {.cells = 2,
		     .filled = 2,
		     .pending = 1,
		     .actors = 2,
		     .op = {{{.kind = OP_DRAIN, .n = ZS_FLUSH_SHRINKER}},
			    {{.kind = OP_DEFER, .cell = 1}}}}},
	{.name = "push against flush",
	 .program = {.cells = 2,
		     .filled = 2,
		     .actors = 2,
		     .op = {{{.kind = OP_DEFER, .cell = 0}},
			    {{.kind = OP_DEFER, .cell = 1}, {.kind = OP_FLUSH}}}}},
	{.name = "push and reclaim against destroy",
	 .worker = true,
	 .most = 2,
	 .program = {.cells = 2,
		     .filled = 2,
		     .actors = 1,
		     .ending = END_DESTROY,
		     .reclaim = true,
		     .op = {{{.kind = OP_DEFER, .cell = 0},
			     {.kind = OP_DEFER, .cell = 1}}}}},
	{.name = "free_batch against compaction",
	 .program = {.cells = 7,
		     .filled = 7,
		     .holes = 3,
		     .actors = 2,
		     .op = {{{.kind = OP_BATCH, .cell = 1, .n = 2}},
			    {{.kind = OP_COMPACT}}}}},
	{.name = "remainder timer against push",
	 .worker = true,
	 .program = {.cells = 2,
		     .filled = 2,
		     .pending = 1,
		     .actors = 1,
		     .op = {{{.kind = OP_DEFER, .cell = 1}}}}},
	{.name = "producer drain against flush",
	 .most = 2,
	 .program = {.cells = 4,
		     .filled = 4,
		     .pending = 3,
		     .budget = 3,
		     .actors = 2,
		     .op = {{{.kind = OP_DEFER, .cell = 3}}, {{.kind = OP_FLUSH}}}}},
	/* The fourth push finds the budget spent. */
	{.name = "pushes against producer drain",
	 .most = 1,
	 .program = {.cells = 4,
		     .filled = 4,
		     .budget = 3,
		     .actors = 3,
		     .op = {{{.kind = OP_DEFER, .cell = 0}},
			    {{.kind = OP_DEFER, .cell = 1},
			     {.kind = OP_DEFER, .cell = 3}},
			    {{.kind = OP_DEFER, .cell = 2}}}}},
	{.name = "read against a move",
	 .program = {.cells = 3,
		     .filled = 3,
		     .actors = 2,
		     .op = {{{.kind = OP_READ, .cell = 1, .n = 1}},
			    {{.kind = OP_MOVE}, {.kind = OP_MOVE}}}}},
	{.name = "push against a move",
	 .program = {.cells = 3,
		     .filled = 3,
		     .actors = 2,
		     .op = {{{.kind = OP_DEFER, .cell = 1}}, {{.kind = OP_MOVE}}}}},
	{.name = "free against a move",
	 .program = {.cells = 1,
		     .filled = 1,
		     .actors = 2,
		     .op = {{{.kind = OP_FREE}}, {{.kind = OP_MOVE}}}}},
	/* All handles of a leaf are pending. The first drain may read there yet when the
	 * second has freed them, and compaction frees the leaf's values. */
	{.name = "drain against shrink",
	 .most = 1,
	 .fresh = true,
	 .program = {.cells = 1,
		     .pushed = 1 << TABLE_SHIFT,
		     .budget = 1 << TABLE_SHIFT,
		     .actors = 2,
		     .op = {{{.kind = OP_DRAIN, .n = ZS_FLUSH_SHRINKER}},
			    {{.kind = OP_DRAIN, .n = ZS_FLUSH_NOMEM},
			     {.kind = OP_COMPACT}}}}},
	/* The second drain must have what the first has taken and not freed. */
	{.name = "drain against a task in need",
	 .program = {.cells = 2,
		     .filled = 2,
		     .pending = 2,
		     .actors = 2,
		     .op = {{{.kind = OP_DRAIN, .n = ZS_FLUSH_SHRINKER}},
			    {{.kind = OP_DRAIN, .n = ZS_FLUSH_NOMEM}}}}},
};

static void case_prepare(struct program *p, const struct small_case *c,
			 enum zs_defer_policy policy)
{
	unsigned int i;

	*p = c->program;
	p->policy = policy;
	if (!p->budget)
		p->budget = 4;
	for (i = 0; i < SIZES; i++)
		p->size[i] = 1360; /* three in a zspage of one page */
	p->config = (struct sim_config){.source = SIM_EXPLORE,
					.switch_every = 4,
					.cpus = 4,
					.machine_cpus = 4,
					.point_ns = POINT_NS,
					.work_lag_us = c->worker ? 0 : NO_WORKER_US,
					.stale_in_256 = 32,
					.points_most = 100000};
}

static u32 preemptions_of(const struct small_case *c, u32 preemptions)
{
	return c->most && c->most < preemptions ? c->most : preemptions;
}

/*
 * Schedules of seeds, to learn what is shared, and then all, or up to the first that
 * fails. Adds to *@schedules; false: one has failed.
 */
static bool case_explore(const struct small_case *c, struct program *p, u32 preemptions,
			 struct sim_result *r, u64 *schedules)
{
	const struct explore_bounds bounds = {preemptions_of(c, preemptions),
					      c->fresh && preemptions < 2 ? 0 : STALE,
					      ODD};
	struct sim_config config = p->config;
	bool good = true;
	unsigned int i;

	explore_begin(&bounds);
	config.source = SIM_RANDOM;
	for (i = 0; i < LEARN && good; i++) {
		config.seed = i;
		program_run(p, &config, r);
		good = !r->failed;
	}
	*schedules += i;
	while (good && explore_next() && explore_count() < SCHEDULES_MOST) {
		program_run(p, &p->config, r);
		good = !r->failed;
	}
	*schedules += explore_count();
	if (!good)
		explore_learn(false);
	return good;
}

/* Show a schedule that was found to fail. */
static void case_show(struct program *p, const struct sim_result *found)
{
	static struct sim_decision decisions[SIM_DECISIONS_MAX];
	struct sim_config config = p->config;
	struct sim_result r;
	size_t i;

	for (i = 0; i < found->nr_decisions; i++)
		decisions[i] = found->decisions[i];
	config.source = SIM_REPLAY;
	config.decisions = decisions;
	config.nr_decisions = found->nr_decisions;
	config.trace = true;
	program_run(p, &config, &r);
	sim_trace_print(200);
}

static bool case_run(const struct small_case *c, enum zs_defer_policy policy,
		     u32 preemptions)
{
	struct program p;
	struct sim_result r;
	clock_t begin = clock();
	u64 schedules = 0;

	case_prepare(&p, c, policy);
	if (!case_explore(c, &p, preemptions, &r, &schedules)) {
		printf("FAILED: sim --small --policy %s: %s, schedule %llu: %s\n",
		       zs_policy_name(policy), c->name, schedules, r.what);
		case_show(&p, &r);
		return false;
	}
	printf("%-10s %-30s %9llu schedules, %s with up to %u preemptions, %.1f s\n",
	       zs_policy_name(policy), c->name, explore_count(),
	       explore_count() < SCHEDULES_MOST ? "all" : "NOT all",
	       preemptions_of(c, preemptions),
	       (double)(clock() - begin) / CLOCKS_PER_SEC);
	fflush(stdout);
	return explore_count() < SCHEDULES_MOST;
}

void small_run(enum zs_defer_policy policy, u32 preemptions, u32 *passed, u32 *failed)
{
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (case_run(&cases[i], policy, preemptions))
			++*passed;
		else
			++*failed;
	}
}

bool small_hunt(enum zs_defer_policy policy, u32 preemptions, u64 *schedules)
{
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct program p;
		struct sim_result r;

		case_prepare(&p, &cases[i], policy);
		if (case_explore(&cases[i], &p, preemptions, &r, schedules))
			continue;
		printf("%6llu schedules, %s, \"%s\": %s\n", *schedules,
		       zs_policy_name(policy), cases[i].name, r.what);
		return true;
	}
	return false;
}
