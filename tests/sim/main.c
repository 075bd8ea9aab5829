/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The simulator's command.
 *
 *   sim [--policy NAME] [--schedules N] [--from SEED] [--jobs N]
 *   sim --policy NAME --seed SEED [--no-shrink] [--trace]
 *   sim --hunt [--schedules N]
 *   sim --small [--policy NAME] [--preemptions N]
 *   sim --growth
 *   sim --policies
 *
 * The first runs N schedules of each policy, or of one. The second runs one, and if
 * it fails shrinks it and prints what happens. The third runs schedules of all policies
 * in turn until one fails, which is what is hoped for, and says how many it took. The
 * fourth explores all schedules of the small cases. The fifth shows how fast several
 * drain threads are. The last line is "N passed, N failed". The sixth names the policies.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "actor.h"
#include "growth.h"
#include "shrink.h"
#include "small.h"

struct options {
	int policy; /* 0: all */
	u64 schedules;
	u64 from;
	u64 seed;
	u32 jobs;
	u32 preemptions;
	bool one; /* that of the seed */
	bool hunt;
	bool small;
	bool growth;
	bool no_shrink;
	bool trace;
};

static u32 passed, failed;

static void usage(void)
{
	fprintf(stderr,
		"usage: sim [--policy NAME] [--schedules N] [--from SEED] [--jobs N]\n"
		"       sim --policy NAME --seed SEED [--no-shrink] [--trace]\n"
		"       sim --hunt [--schedules N]\n"
		"       sim --small [--policy NAME] [--preemptions N]\n"
		"       sim --growth\n"
		"       sim --policies\n");
	exit(2);
}

static u64 option_number(const char *text)
{
	char *end;
	u64 n = strtoull(text, &end, 10);

	if (!*text || *end)
		usage();
	return n;
}

static int option_policy(const char *name)
{
	int policy = zs_policy_by_name(name);

	if (policy < 0)
		usage();
	return policy;
}

static void policies_print(void)
{
	int policy;

	for (policy = ZS_DEFER_DEFAULT + 1; policy < ZS_DEFER_NR; policy++)
		printf("%s\n", zs_policy_name((enum zs_defer_policy)policy));
	exit(0);
}

static void options_parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{"policy", required_argument, NULL, 'p'},
		{"schedules", required_argument, NULL, 'n'},
		{"from", required_argument, NULL, 'f'},
		{"seed", required_argument, NULL, 's'},
		{"jobs", required_argument, NULL, 'j'},
		{"hunt", no_argument, NULL, 'h'},
		{"small", no_argument, NULL, 'e'},
		{"growth", no_argument, NULL, 'g'},
		{"preemptions", required_argument, NULL, 'm'},
		{"policies", no_argument, NULL, 'l'},
		{"no-shrink", no_argument, NULL, 'q'},
		{"trace", no_argument, NULL, 't'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'p')
			o->policy = option_policy(optarg);
		else if (c == 'n')
			o->schedules = option_number(optarg);
		else if (c == 'f')
			o->from = option_number(optarg);
		else if (c == 'j')
			o->jobs = (u32)option_number(optarg);
		else if (c == 's' && (o->one = true))
			o->seed = option_number(optarg);
		else if (c == 'h')
			o->hunt = true;
		else if (c == 'm')
			o->preemptions = (u32)option_number(optarg);
		else if (c == 'e')
			o->small = true;
		else if (c == 'g')
			o->growth = true;
		else if (c == 'l')
			policies_print();
		else if (c == 'q')
			o->no_shrink = true;
		else if (c == 't')
			o->trace = true;
		else
			usage();
	}
	if (optind < argc || !o->jobs || (o->one && !o->policy))
		usage();
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* ---- one schedule ---- */

static void program_print(const struct program *p)
{
	char text[80];
	unsigned int a, i;

	printf("budget %zu, sizes %u %u %u, ballast %u and %u pushed, %u cells, %u "
	       "filled, each %u-th "
	       "freed, "
	       "%u pending, %u CPUs and drain threads for %u, at the end %s\n",
	       p->budget, p->size[0], p->size[1], p->size[2], p->ballast, p->pushed,
	       p->cells, p->filled, p->holes, p->pending, p->config.cpus,
	       p->config.machine_cpus, ending_name(p->ending));
	for (a = 0; a < p->actors; a++) {
		printf("  %c:", 'A' + a);
		for (i = 0; i < OPS_MAX; i++) {
			if (p->op[a][i].kind == OP_NONE)
				continue;
			op_print(&p->op[a][i], text, sizeof(text));
			printf(" %s;", text);
		}
		printf("\n");
	}
}

/* Where in the source @what happened, if it ends in an address of ours. */
static void source_print(const char *what)
{
	const char *at = strstr(what, "at 0x");
	char command[128];

	if (!at)
		return;
	snprintf(command, sizeof(command),
		 "addr2line -i -f -s -e /proc/%d/exe %s 2>/dev/null | paste -sd ' '",
		 (int)getpid(), at + 3);
	printf("  in ");
	fflush(stdout);
	if (system(command))
		printf("%s\n", at + 3);
}

static void failure_print(struct program *p, const struct sim_result *r,
			  const struct options *o)
{
	struct sim_result again;
	u64 runs = 0;

	printf("FAILED: sim --policy %s --seed %llu: %s\n", zs_policy_name(p->policy),
	       p->seed, r->what);
	fflush(stdout);
	if (!o->no_shrink)
		shrink(p, r->what, &runs);
	p->config.trace = true;
	program_run(p, &p->config, &again);
	printf("shrunk in %llu schedules to %zu decisions, %llu steps: %s\n", runs,
	       again.nr_decisions, again.points, again.what);
	source_print(again.what);
	program_print(p);
	sim_trace_print(o->trace ? 0 : 120);
	fflush(stdout);
}

static bool run_seed(const struct options *o, int policy, u64 seed, u64 *points)
{
	struct program p;
	struct sim_result r;

	program_generate(&p, (enum zs_defer_policy)policy, seed);
	p.config.trace = o->trace;
	program_run(&p, &p.config, &r);
	*points += r.points;
	if (r.failed) {
		failure_print(&p, &r, o);
		return false;
	}
	if (o->trace) {
		program_print(&p);
		sim_trace_print(0);
	}
	return true;
}

/* ---- many ---- */

/* Seeds @job, @job + jobs, ... Exits with 1 at the first that fails. */
static void run_job(const struct options *o, int policy, u32 job, int out)
{
	u64 points = 0;
	u64 i;

	for (i = job; i < o->schedules; i += o->jobs) {
		if (run_seed(o, policy, o->from + i, &points))
			continue;
		printf("%s: the %llu-th schedule of %llu failed\n",
		       zs_policy_name((enum zs_defer_policy)policy), i + 1, o->schedules);
		exit(1);
	}
	if (write(out, &points, sizeof(points)) != sizeof(points))
		exit(1);
	exit(0);
}

static u64 jobs_run(const struct options *o, int policy, bool *good)
{
	u64 points = 0, some;
	int status, pipes[2];
	u32 job;

	if (pipe(pipes))
		usage();
	fflush(stdout);
	for (job = 0; job < o->jobs; job++) {
		if (!fork())
			run_job(o, policy, job, pipes[1]);
	}
	close(pipes[1]);
	*good = true;
	for (job = 0; job < o->jobs; job++) {
		if (wait(&status) < 0 || status)
			*good = false;
	}
	while (read(pipes[0], &some, sizeof(some)) == sizeof(some))
		points += some;
	close(pipes[0]);
	return points;
}

/*
 * Is there a schedule that fails, among so many of each policy, or else all of the small
 * cases with two preemptions?
 */
static bool hunt(const struct options *o)
{
	u64 i, n = 0;
	int policy;

	for (i = 0; i < o->schedules; i++) {
		for (policy = ZS_DEFER_DEFAULT + 1; policy < ZS_DEFER_NR; policy++) {
			struct program p;
			struct sim_result r;

			program_generate(&p, (enum zs_defer_policy)policy, o->from + i);
			program_run(&p, &p.config, &r);
			n++;
			if (!r.failed)
				continue;
			printf("%6llu schedules, %s, seed %llu: %s\n", n,
			       zs_policy_name(p.policy), p.seed, r.what);
			return true;
		}
	}
	for (policy = ZS_DEFER_DEFAULT + 1; policy < ZS_DEFER_NR; policy++) {
		if (small_hunt((enum zs_defer_policy)policy, 2, &n))
			return true;
	}
	printf("%6llu schedules, and not found\n", n);
	return false;
}

static void count(bool good)
{
	passed += good;
	failed += !good;
}

static void run_policy(const struct options *o, int policy)
{
	const char *name = zs_policy_name((enum zs_defer_policy)policy);
	double begin = seconds();
	u64 points;
	bool good;

	if (o->small) {
		small_run((enum zs_defer_policy)policy, o->preemptions, &passed, &failed);
		return;
	}
	points = jobs_run(o, policy, &good);
	count(good);
	if (good)
		printf("%-10s %llu schedules from seed %llu, %llu steps, %.1f s\n", name,
		       o->schedules, o->from, points, seconds() - begin);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct options o = {.schedules = 5000, .from = 1, .jobs = 1, .preemptions = 3};
	u64 points = 0;
	int policy;

	options_parse(&o, argc, argv);
	if (o.hunt)
		count(hunt(&o));
	else if (o.growth)
		growth_run(&passed, &failed);
	else if (o.one)
		count(run_seed(&o, o.policy, o.seed, &points));
	else if (o.policy)
		run_policy(&o, o.policy);
	else
		for (policy = ZS_DEFER_DEFAULT + 1; policy < ZS_DEFER_NR; policy++)
			run_policy(&o, policy);
	printf("%u passed, %u failed\n", passed, failed);
	return failed ? 1 : 0;
}
