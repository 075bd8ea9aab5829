/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * What the pool should hold, and the checks that it does. The model is changed
 * between points of the simulator, so it needs no locks; a cell has the order that
 * a lock of its user would give it.
 */
#ifndef LETHE_SIM_MODEL_H
#define LETHE_SIM_MODEL_H

#include "program.h"

enum { HANDLES_MAX = 5120 };

enum cell_state {
	CELL_EMPTY,
	CELL_BUSY, /* somebody is changing it */
	CELL_LIVE,
};

struct cell {
	enum cell_state state;
	unsigned int readers;
	unsigned long handle;
	u32 size, len; /* as allocated; as written */
	u32 seed; /* of the content; 0: none was written */
	struct sim_sync sync;
};

struct model_handle {
	bool owned; /* by the user */
	bool deferred; /* its zs_free_deferred() has returned, as far as known */
	u32 generation;
};

struct model {
	struct zs_pool *pool;
	const struct program *program;
	struct cell cell[CELLS_MAX];
	struct model_handle handle[HANDLES_MAX];
	unsigned long handle_most;
	u32 seeds;
	bool destroyed; /* the pool, by the program */
	u32 at_work; /* operations begun and not ended */
	u32 actors_left;
	u32 pushes, pushing; /* zs_free_deferred() begun, and not ended */
	u64 deferred; /* calls that have returned */
	size_t live;
	u64 drained[ZS_FLUSH_NR]; /* what drains said */
};

extern struct model model;

void model_begin(const struct program *program);

/* Take a cell for oneself if it is in @state and nobody reads it; give it back. */
bool cell_take(struct cell *c, enum cell_state state);
void cell_put(struct cell *c, enum cell_state state);

/* The pool gave @handle away, or takes it back. */
void model_got(unsigned long handle);
void model_gives(unsigned long handle);
void model_push_begins(void);

/* What a cell's object holds: fill @to, or fail if @from is not that. */
void content_fill(const struct cell *c, char *to);
void content_check(const struct cell *c, const void *from, const char *when);

/* Handles whose deferred free has returned by now, to be looked at later. */
void model_deferred_note(u32 *generation);
/* The first of them that is pending; 0: none. */
unsigned long model_still_pending(const u32 *generation);
/* How many of them are. */
size_t model_count_still_pending(const u32 *generation);

/* What holds at any time, and more if nobody is at work. */
void model_check(void);
/* Nobody is at work, nor will be: accounts balance, objects lie apart. */
void model_check_quiet(void);
/* How many frees are pending, as of now. */
size_t model_pending(void);
/* Is the deferred free of @handle not done? */
bool handle_is_pending(unsigned long handle);

#endif /* LETHE_SIM_MODEL_H */
