/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Stress: everything at once, every object checked against a model.
 *
 *   stress [--policy NAME] [--seconds N] [--ops N] [--producers N] [--budget N]
 *          [--seed N]
 *
 * Rounds of about a second, each with a pool of its own, until the seconds are
 * over or the producers have done their operations. A round ends with frees
 * pending. The seed is printed first and with every failure: it fixes what each
 * thread does, though not how they interleave.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "actors.h"

enum { CELLS = 6000, ACTORS_MAX = 400, ROUND_MS = 1000 };

struct options {
	enum zs_defer_policy policy;
	u64 seconds;
	u64 ops; /* of each producer, in a round */
	u64 budget;
	u64 seed;
	u32 producers;
};

static struct actor actors[ACTORS_MAX];

static void usage(void)
{
	fprintf(stderr, "usage: stress [--policy sync|array|tombstone] [--seconds N] "
			"[--ops N] [--producers N] [--budget N] [--seed N]\n");
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

static void option_policy(struct options *o, const char *name)
{
	int policy = zs_policy_by_name(name);

	if (policy < 0)
		usage();
	o->policy = (enum zs_defer_policy)policy;
}

static void options_parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{"policy", required_argument, NULL, 'p'},
		{"seconds", required_argument, NULL, 's'},
		{"ops", required_argument, NULL, 'o'},
		{"producers", required_argument, NULL, 't'},
		{"budget", required_argument, NULL, 'b'},
		{"seed", required_argument, NULL, 'r'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'p')
			option_policy(o, optarg);
		else if (c == 's')
			o->seconds = option_number(optarg);
		else if (c == 'o')
			o->ops = option_number(optarg);
		else if (c == 't')
			o->producers = (u32)option_number(optarg);
		else if (c == 'b')
			o->budget = option_number(optarg);
		else if (c == 'r')
			o->seed = option_number(optarg);
		else
			usage();
	}
	if (optind < argc || !o->producers || o->producers > ACTORS_MAX / 2)
		usage();
}

static size_t actor_add(size_t n, struct model *m, const char *name,
			void (*act)(struct actor *), u64 max_ops, u64 *seed)
{
	actors[n] = (struct actor){.model = m,
				   .act = act,
				   .name = name,
				   .max_ops = max_ops,
				   .seed = random_next(seed) | 1};
	return n + 1;
}

/* Run all actors for a round. Post: operations of the producers. */
static u64 round_run(struct model *m, const struct options *o, u64 *seed)
{
	u64 ops = 0;
	size_t n = 0;

	for (u32 i = 0; i < o->producers; i++)
		n = actor_add(n, m, "produce", actor_produce, o->ops, seed);
	n = actor_add(n, m, "read", actor_read, ~0ull, seed);
	n = actor_add(n, m, "read", actor_read, ~0ull, seed);
	n = actor_add(n, m, "compact", actor_compact, ~0ull, seed);
	n = actor_add(n, m, "flush", actor_flush, ~0ull, seed);
	n = actor_add(n, m, "watch", actor_watch, ~0ull, seed);
	for (size_t i = 0; i < n; i++)
		actor_start(&actors[i]);
	if (o->ops == ~0ull) {
		test_sleep_ms(ROUND_MS);
		__atomic_store_n(&m->stop, true, __ATOMIC_RELAXED);
	}
	for (size_t i = 0; i < n; i++) {
		if (i == o->producers)
			__atomic_store_n(&m->stop, true, __ATOMIC_RELAXED);
		actor_join(&actors[i]);
		ops += i < o->producers ? actors[i].ops : 0;
	}
	return ops;
}

/* What must hold when no thread is at work but, perhaps, a drain thread. */
static void round_check(struct model *m)
{
	struct zs_pool_stats s;
	size_t live = model_verify_all(m);
	u64 freed = 0;

	zs_pool_stats(m->pool, &s);
	if (s.objects < live || s.objects > live + s.capacity)
		model_fail(m, "objects do not add up", NULL);
	zs_free_deferred_flush(m->pool);
	zs_pool_stats(m->pool, &s);
	if (s.objects != live || s.pending)
		model_fail(m, "a flush left something pending", NULL);
	for (int i = 0; i < ZS_FLUSH_NR; i++)
		freed += s.flushed[i];
	if (s.queued != s.drained + s.producer_drained + freed)
		model_fail(m, "the account of deferred frees does not balance", NULL);
	printf("  live %zu, pages %zu; queued %llu = drained %llu + by producers %llu + "
	       "flushed %llu; fallback %llu, compacted %zu\n",
	       live, s.pages, (u64)s.queued, (u64)s.drained, (u64)s.producer_drained,
	       freed, (u64)s.fallback, s.pages_compacted);
}

/* Leave many frees pending, and take the pool down under them. */
static void round_end(struct model *m)
{
	for (u32 i = 0; i < m->nr_cells; i += 2)
		zs_free_deferred(m->pool, m->cells[i].object.handle);
	zs_destroy_pool(m->pool);
	if (user_pages_outstanding() || user_meta_outstanding())
		model_fail(m, "the pool leaked", NULL);
}

static u64 round_of(const struct options *o, u64 *seed)
{
	struct zs_pool_params params = {.policy = o->policy, .defer_budget = o->budget};
	struct model m;
	u64 ops;

	model_init(&m, CELLS >> (PORT_PAGE_SHIFT - 12), o->seed);
	if (zs_create_pool("stress", &params, &m.pool))
		model_fail(&m, "cannot create a pool", NULL);
	ops = round_run(&m, o, seed);
	round_check(&m);
	round_end(&m);
	model_fini(&m);
	return ops;
}

int main(int argc, char **argv)
{
	struct options o = {.policy = ZS_DEFER_TOMBSTONE,
			    .seconds = 3,
			    .ops = ~0ull,
			    .budget = 500,
			    .producers = 3,
			    .seed = (u64)time(NULL)};
	u64 ops = 0, rounds = 0;
	u64 seed, end;

	options_parse(&o, argc, argv);
	seed = o.seed * 2 + 1;
	printf("stress: policy %s, %u producers, budget %llu, seed %llu\n",
	       zs_policy_name(o.policy), o.producers, o.budget, o.seed);
	fflush(stdout);
	end = port_now_ns() + o.seconds * 1000000000ull;
	do {
		ops += round_of(&o, &seed);
		rounds++;
	} while (o.ops == ~0ull && port_now_ns() < end);
	printf("stress: %llu operations in %llu rounds, every object intact\n", ops,
	       rounds);
	return 0;
}
