/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * What the pool should hold: a table of cells, each with at most one object.
 * Whoever changes a cell holds its lock for writing, whoever reads its object for
 * reading; so the pool sees many readers of an object, and no misuse.
 */
#ifndef LETHE_STRESS_MODEL_H
#define LETHE_STRESS_MODEL_H

#include <pthread.h>

#include "objects.h"

struct cell {
	pthread_rwlock_t lock;
	struct object object; /* handle 0: none */
};

struct model {
	struct zs_pool *pool;
	struct cell *cells;
	u32 nr_cells;
	u64 seed; /* of the run, for messages */
	bool stop;
};

/* Say what is wrong, and the seed; then abort. */
_Noreturn void model_fail(const struct model *m, const char *what,
			  const struct object *object);

void model_init(struct model *m, u32 nr_cells, u64 seed);
void model_fini(struct model *m);
bool model_stopped(const struct model *m);

/* Verify every object. Pre: nobody else is at work. Post: how many there are. */
size_t model_verify_all(struct model *m);

#endif /* LETHE_STRESS_MODEL_H */
