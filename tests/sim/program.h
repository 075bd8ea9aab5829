/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * What a schedule runs: a pool, some objects in it, and a few threads with a few
 * operations each, all generated from a seed.
 */
#ifndef LETHE_SIM_PROGRAM_H
#define LETHE_SIM_PROGRAM_H

#include "lethe/zsmalloc.h"
#include "sim.h"

enum {
	ACTORS_MAX = 5,
	OPS_MAX = 8, /* of a thread */
	CELLS_MAX = 100,
	SIZES = 3,
};

enum op_kind {
	OP_NONE,
	OP_MALLOC,
	OP_WRITE,
	OP_READ,
	OP_FREE,
	OP_BATCH,
	OP_DEFER,
	OP_DEFER_MANY,
	OP_FLUSH,
	OP_DRAIN,
	OP_COMPACT,
	OP_STATS,
	OP_HOTPLUG,
	OP_SLEEP,
	OP_DRAWN, /* those before it are drawn from the seed */
	OP_MOVE = OP_DRAWN,
	OP_NR
};

struct op {
	u8 kind;
	u8 size; /* which of the program's sizes */
	u16 cell; /* the first that it is about */
	u16 n; /* how many; or what else the kind needs */
};

/* What comes when all threads are done. */
enum ending {
	END_QUIET, /* wait: the remainder must be drained by itself */
	END_FLUSH,
	END_DESTROY, /* at once, with whatever is pending or at work */
	END_NR
};

struct program {
	u64 seed;
	enum zs_defer_policy policy;
	size_t budget;
	enum ending ending;
	u32 size[SIZES];
	u16 ballast; /* objects that nobody touches, with the first handles */
	u16 pushed; /* and more that are freed, deferred, before threads start */
	u16 cells;
	u16 filled; /* cells that hold an object from the start */
	u16 holes; /* each so many-th of these is freed again; 0: none */
	u16 pending; /* and of these, the first so many are freed, deferred */
	u16 actors;
	bool reclaim; /* the home calls in while the pool is being destroyed */
	u16 pushers; /* and threads that push for as long as the actors are at work, */
	u16 push_every; /* one push in about so many points */
	bool adversary; /* there is always more to drain, or to compact */
	bool mover; /* the home moves pages, and while the pool is being destroyed, too */
	struct op op[ACTORS_MAX][OPS_MAX];
	struct sim_config config; /* but for what the seed of a schedule decides */
};

void program_generate(struct program *p, enum zs_defer_policy policy, u64 seed);
/* In one line of at most @size bytes. */
void op_print(const struct op *op, char *text, size_t size);
const char *ending_name(enum ending ending);

#endif /* LETHE_SIM_PROGRAM_H */
