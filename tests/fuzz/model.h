/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * What the pool should hold, exactly: there is one thread, and the worker runs when
 * it is told to. Checked after every operation.
 */
#ifndef LETHE_FUZZ_MODEL_H
#define LETHE_FUZZ_MODEL_H

#include "lethe/zsmalloc.h"
#include "port.h"

enum {
	CELLS = 1024, /* two leaves of the handle table */
	HANDLES_MAX = 8192, /* as many as cells, pending and cached ones can need */
	PENDING_MAX = 4096,
	HOLDS = 4,
	CPUS = 4, /* slots between which the thread moves */
};

/* An object of ours. */
struct cell {
	unsigned long handle; /* 0: none */
	u32 size;
	u32 known; /* bytes written so far, from the first on */
	u32 holds; /* reads begun and not ended */
	u8 bytes[PORT_PAGE_SIZE]; /* the known ones */
};

/* A read that goes on while other operations run. */
struct hold {
	struct cell *cell; /* NULL: none */
	const u8 *at;
	u8 *buf; /* of the known size of the cell; may be where it points to */
};

struct model {
	struct zs_pool *pool; /* NULL: there is none */
	struct zs_pool_params params;
	struct cell cell[CELLS];
	struct cell *owner[HANDLES_MAX]; /* of a handle; NULL: nobody */
	struct hold hold[HOLDS];
	unsigned long pending[PENDING_MAX]; /* handles given back and not yet freed */
	size_t nr_pending;
	size_t live;
	u64 deferred; /* good zs_free_deferred() calls */
	u64 invalid; /* mistakes made on purpose */
	u64 seed; /* of contents */
};

extern struct model model;

_Noreturn void fuzz_fail(const char *what, ...) __attribute__((format(printf, 1, 2)));

/* All that a test or the last input has left is forgotten. */
void model_begin(void);
void model_pool_created(struct zs_pool *pool, const struct zs_pool_params *params);
/* Pre: no holds. Post: the pool is destroyed, and nothing is left of it. */
void model_destroy_pool(void);

/* zs_malloc() gave @handle: fails if it is somebody's. */
void model_got(struct cell *c, unsigned long handle, u32 size);
/* The cell's object is freed; or will be, by a drain. */
void model_freed(struct cell *c);
void model_deferred(struct cell *c);

/* Is @handle neither an object's nor pending? */
bool model_is_stranger(unsigned long handle);

/* Fill the first @len bytes of the cell, in the model and in the pool. */
void cell_write(struct cell *c, u32 len);
/* Read all that is known of it, and compare. */
void cell_verify(struct cell *c);
void hold_begin(struct hold *h, struct cell *c);
void hold_end(struct hold *h);
void model_end_holds(void);

/* Compare counters and accounts; forget of @pending what has been freed. */
void model_check(void);
void model_verify_all(void);

#endif /* LETHE_FUZZ_MODEL_H */
