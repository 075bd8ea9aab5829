/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "program.h"

static u64 state;

/* 0 to @n - 1. */
static u32 below(u32 n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (u32)((state * 0x2545f4914f6cdd1dull >> 33) % n);
}

#define PICK(array) ((array)[below(sizeof(array) / sizeof(*(array)))])

/* One object a zspage, two, three, some of which cross pages, many. */
static const u32 sizes[] = {4096, 2048, 1360, 3072, 2720, 700, 1024, 96};
static const u16 actors[] = {2, 2, 2, 3, 3, 4};
static const size_t budgets[] = {1, 1, 2, 3, 4, 6, 6, 8, 12, 24};

/* Frequent and rare kinds: another mix in each program. */
static void mix_generate(u32 *weight)
{
	static const u32 weights[] = {0, 0, 1, 4, 12};
	unsigned int kind;

	for (kind = 1; kind < OP_DRAWN; kind++)
		weight[kind] = PICK(weights);
	weight[OP_NONE] = 0;
	if (below(8))
		weight[OP_DEFER] = 12;
	if (weight[OP_SLEEP] > 1)
		weight[OP_SLEEP] = 1;
	weight[OP_MALLOC] += 2;
	/* It visits each class, so it costs as much as all others together. */
	if (weight[OP_COMPACT] > 4)
		weight[OP_COMPACT] = 4;
}

static u8 kind_generate(const u32 *weight)
{
	u32 sum = 0;
	u32 at;
	unsigned int kind;

	for (kind = 1; kind < OP_DRAWN; kind++)
		sum += weight[kind];
	at = below(sum);
	for (kind = 1; at >= weight[kind]; kind++)
		at -= weight[kind];
	return (u8)kind;
}

static void ops_generate(struct program *p)
{
	u32 weight[OP_NR];
	unsigned int a, i, ops;

	mix_generate(weight);
	if (p->pushers)
		weight[OP_SLEEP] = 0; /* they would push all that time */
	for (a = 0; a < p->actors; a++) {
		ops = 2 + below(OPS_MAX - 1);
		for (i = 0; i < ops; i++) {
			struct op *op = &p->op[a][i];

			op->kind = kind_generate(weight);
			op->cell = (u16)below(p->cells);
			op->size = (u8)below(SIZES);
			op->n = (u16)(below(8) ? 1 + below(6) : 1 + below(p->cells));
		}
	}
}

static void config_generate(struct sim_config *c)
{
	static const u32 every[] = {2, 5, 12, 40};
	static const u32 lags[] = {0, 0, 0, 5, 200, 20000};
	static const u32 point_ns[] = {40, 40, 40, 1000, 30000};

	c->source = below(2) ? SIM_RANDOM : SIM_PRIORITIES;
	c->switch_every = PICK(every);
	c->changes = 1 + below(8);
	c->length = 30 << below(6);
	c->cpus = 1 + below(4);
	c->stale_in_256 = below(3) ? 24 << below(3) : 0;
	c->migrate_in_256 = below(2) ? 64 : 0;
	c->fail_in_256 = below(4) ? 0 : 8 << below(4);
	c->pages_most = below(6) ? 0 : 4 + below(16);
	c->fail_nth = below(24) ? 0 : 1 + below(150);
	c->point_ns = PICK(point_ns);
	c->work_lag_us = PICK(lags);
	c->reuse = below(2);
	c->points_most = 400000;
}

/* So many objects beforehand that the next may need another node of the table. */
static void node_generate(struct program *p)
{
	enum { LEAF = 1 << TABLE_SHIFT, NODE = LEAF << TABLE_SHIFT };

	p->pushers = 0; /* they would need more memory than there is */
	/* Each CPU takes a word of handles at a time. */
	p->ballast = (u16)(NODE - 64 * (p->config.cpus - 1) - below(96));
	p->config.pages_most = 0;
}

/*
 * Now and then enough objects for large batches, or a backlog, or so many that the
 * table has several leaves or is about to grow.
 */
static void objects_generate(struct program *p)
{
	unsigned int i;

	p->size[0] = PICK(sizes);
	for (i = 1; i < SIZES; i++)
		p->size[i] = below(2) ? p->size[0] : PICK(sizes);
	p->cells = (u16)(3 + below(12));
	if (!below(16)) {
		p->cells = (u16)(24 + below(CELLS_MAX - 24));
		p->size[0] = p->size[1] = 96;
		p->config.pages_most = 0;
	}
	if (!below(10))
		p->ballast = (u16)(20 + below(140));
	if (!below(150))
		node_generate(p);
	if (!below(8)) {
		/* Whole leaves: with their frees, the table can shrink. */
		p->pushed =
			(u16)(below(3) ? 1 + below(80) : (1 + below(2)) << TABLE_SHIFT);
		p->budget = p->pushed + (below(2) ? 0 : below(60));
	}
	if (!below(12))
		return; /* the table grows when threads are at work */
	p->filled = (u16)(p->cells - below(p->cells / 2 + 1));
	if (below(2))
		p->holes = (u16)(2 + below(3));
	if (!below(4))
		p->pending = (u16)(1 + below(p->filled));
}

static void pushers_generate(struct program *p)
{
	static const u16 every[] = {0, 0, 20, 200};

	p->pushers = (u16)(1 + below(2));
	p->actors = (u16)(1 + below(2));
	/* Those that are more urgent than others must leave them some time. */
	p->push_every = p->config.source == SIM_RANDOM ? PICK(every) : 200;
	/* They may have long to push, and the arena is not without end. */
	p->config.reuse = true;
}

/*
 * One producer pushes as much as a drain takes in several slices, and then a little,
 * while the others drain: what stays, flags among it, must be found all the same.
 */
static void storm_generate(struct program *p)
{
	unsigned int a;

	p->actors = (u16)(2 + below(2));
	p->cells = p->filled = (u16)(20 + below(20));
	p->holes = p->pending = 0;
	p->budget = p->cells + below(4);
	p->size[0] = p->size[1] = p->size[2] = 96;
	p->ending = END_QUIET;
	for (a = 0; a < p->actors; a++) {
		struct op *op = p->op[a];
		u16 most = (u16)(p->cells - 1 - below(4));

		memset(op, 0, sizeof(p->op[a]));
		op[0] = (struct op){.kind = a ? OP_FLUSH : OP_DEFER_MANY, .n = most};
		if (a && below(2))
			op[0] = (struct op){.kind = OP_DRAIN,
					    .n = (u16)below(ZS_FLUSH_NR),
					    .cell = (u16)below(20)};
		if (!a || below(2))
			op[1] = (struct op){.kind = OP_DEFER,
					    .cell = (u16)(most + below(2))};
	}
}

void program_generate(struct program *p, enum zs_defer_policy policy, u64 seed)
{
	unsigned int i;

	state = seed * 0x9e3779b97f4a7c15ull + 0x1234567;
	for (i = 0; i < 4; i++)
		below(2);
	*p = (struct program){.seed = seed, .policy = policy};
	p->budget = PICK(budgets);
	p->ending = (enum ending)below(END_NR);
	p->actors = PICK(actors);
	p->reclaim = below(2);
	config_generate(&p->config);
	if (!below(10))
		pushers_generate(p);
	p->config.seed = seed;
	objects_generate(p);
	ops_generate(p);
	if (!below(10) && !p->pushers)
		storm_generate(p);
	p->adversary = !below(16);
	p->mover = !below(3);
	/* One or two drain threads; of a larger machine three or four. */
	p->config.machine_cpus =
		below(4) ? p->config.cpus : DEFER_CPUS_PER_THREAD * (3 + below(2));
}

const char *ending_name(enum ending ending)
{
	static const char *const names[END_NR] = {
		[END_QUIET] = "wait", [END_FLUSH] = "flush", [END_DESTROY] = "destroy"};

	return names[ending];
}

void op_print(const struct op *op, char *text, size_t size)
{
	static const char *const names[OP_NR] = {
		[OP_NONE] = "nothing",	      [OP_MALLOC] = "malloc",
		[OP_WRITE] = "write",	      [OP_READ] = "read",
		[OP_FREE] = "free",	      [OP_BATCH] = "free_batch",
		[OP_DEFER] = "free_deferred", [OP_DEFER_MANY] = "free_deferred, many",
		[OP_FLUSH] = "flush",	      [OP_DRAIN] = "drain",
		[OP_COMPACT] = "compact",     [OP_STATS] = "stats",
		[OP_HOTPLUG] = "CPU offline", [OP_SLEEP] = "sleep",
		[OP_MOVE] = "move page",
	};

	snprintf(text, size, "%s (cell %u, %u)", names[op->kind], op->cell, op->n);
}
