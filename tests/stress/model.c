/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "model.h"

void model_fail(const struct model *m, const char *what, const struct object *object)
{
	fprintf(stderr, "stress: %s (seed %llu)\n", what, m->seed);
	if (object)
		fprintf(stderr, "stress: handle %lu, size %u, object seed %u\n",
			object->handle, object->size, object->seed);
	abort();
}

void model_init(struct model *m, u32 nr_cells, u64 seed)
{
	*m = (struct model){.nr_cells = nr_cells, .seed = seed};
	m->cells = calloc(nr_cells, sizeof(*m->cells));
	if (!m->cells)
		model_fail(m, "no memory for the model", NULL);
	for (u32 i = 0; i < nr_cells; i++)
		pthread_rwlock_init(&m->cells[i].lock, NULL);
}

void model_fini(struct model *m)
{
	for (u32 i = 0; i < m->nr_cells; i++)
		pthread_rwlock_destroy(&m->cells[i].lock);
	free(m->cells);
}

bool model_stopped(const struct model *m)
{
	return __atomic_load_n(&m->stop, __ATOMIC_RELAXED);
}

size_t model_verify_all(struct model *m)
{
	size_t live = 0;

	for (u32 i = 0; i < m->nr_cells; i++) {
		const struct object *o = &m->cells[i].object;

		if (!o->handle)
			continue;
		if (!object_is_intact(m->pool, o))
			model_fail(m, "an object is damaged at the end", o);
		live++;
	}
	return live;
}
