/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "actor.h"
#include "shrink.h"

enum {
	TRIES = 300, /* schedules of a shorter program, until it is given up */
	WHAT_MAX = 512,
};

static char wanted[WHAT_MAX];
static u64 tried;

/* The schedule that made the program fail last. */
static struct sim_decision kept[SIM_DECISIONS_MAX];
static size_t nr_kept;

/* Of the same kind: the same words, whatever the numbers and the threads. */
static bool same_kind(const char *a, const char *b)
{
	size_t n = strcspn(a, "0123456789:");

	return n == strcspn(b, "0123456789:") && !strncmp(a, b, n);
}

static bool fails(const struct program *p, const struct sim_config *config)
{
	struct sim_result r;

	tried++;
	program_run(p, config, &r);
	if (!r.failed || !same_kind(r.what, wanted) || r.too_many)
		return false;
	memcpy(kept, r.decisions, r.nr_decisions * sizeof(*kept));
	nr_kept = r.nr_decisions;
	return true;
}

/* Does the program fail in one of a number of schedules? */
static bool fails_somehow(const struct program *p)
{
	struct sim_config config = p->config;
	unsigned int i;

	for (i = 0; i < TRIES; i++) {
		config.source = i % 2 ? SIM_RANDOM : SIM_PRIORITIES;
		config.seed = p->seed + i * 1000003;
		if (fails(p, &config))
			return true;
	}
	return false;
}

static bool try_program(struct program *p, const struct program *shorter)
{
	if (!fails_somehow(shorter))
		return false;
	*p = *shorter;
	return true;
}

static void shrink_threads(struct program *p)
{
	unsigned int a;

	for (a = 0; a < p->actors; a++) {
		struct program s = *p;

		memset(s.op[a], 0, sizeof(s.op[a]));
		try_program(p, &s);
	}
}

static bool shrink_ops(struct program *p)
{
	bool shorter = false;
	unsigned int a, i;

	for (a = 0; a < p->actors; a++) {
		for (i = 0; i < OPS_MAX; i++) {
			struct program s = *p;

			if (s.op[a][i].kind == OP_NONE)
				continue;
			s.op[a][i].kind = OP_NONE;
			shorter |= try_program(p, &s);
		}
	}
	return shorter;
}

/* Without what makes a schedule harder to read. */
static void shrink_world(struct program *p)
{
	struct program s = *p;

	s.config.fail_in_256 = 0;
	s.config.fail_nth = 0;
	s.config.pages_most = 0;
	try_program(p, &s);
	s = *p;
	s.config.migrate_in_256 = 0;
	try_program(p, &s);
	s = *p;
	s.config.stale_in_256 = 0;
	try_program(p, &s);
	s = *p;
	s.filled = s.filled < 4 ? s.filled : 4;
	s.pending = s.pending < 2 ? s.pending : 2;
	s.holes = 0;
	s.ballast = 0;
	s.pushed = 0;
	try_program(p, &s);
}

/* Leave out runs of decisions, from long ones to single ones. */
static void shrink_schedule(struct program *p)
{
	static struct sim_decision decisions[SIM_DECISIONS_MAX];
	struct sim_config config = p->config;
	size_t step, from, n = nr_kept;

	config.source = SIM_REPLAY;
	config.decisions = decisions;
	for (step = n / 2 ? n / 2 : 1; step; step /= 2) {
		for (from = 0; from < n;) {
			size_t gap = n - from < step ? n - from : step;

			memcpy(decisions, kept, from * sizeof(*kept));
			memcpy(decisions + from, kept + from + gap,
			       (n - from - gap) * sizeof(*kept));
			config.nr_decisions = n - gap;
			if (fails(p, &config))
				n = nr_kept;
			else
				from += gap;
		}
	}
	config.decisions = kept;
	config.nr_decisions = nr_kept;
	p->config = config;
}

void shrink(struct program *p, const char *what, u64 *runs)
{
	strncpy(wanted, what, sizeof(wanted) - 1);
	tried = 0;
	/* Its own schedule comes first, should no other fail. */
	fails(p, &p->config);
	shrink_threads(p);
	while (shrink_ops(p))
		continue;
	shrink_world(p);
	shrink_ops(p);
	shrink_schedule(p);
	*runs = tried;
}
