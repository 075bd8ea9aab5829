/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* The threads of the stress test: each does one kind of thing until told to stop. */
#ifndef LETHE_STRESS_ACTORS_H
#define LETHE_STRESS_ACTORS_H

#include "model.h"

struct actor {
	pthread_t thread;
	struct model *model;
	void (*act)(struct actor *a);
	const char *name;
	u64 seed;
	u64 ops; /* done so far; read after joining */
	u64 max_ops; /* stop after so many */
};

/* Allocates, writes, rewrites, and frees in every way. */
void actor_produce(struct actor *a);
/* Reads and verifies. */
void actor_read(struct actor *a);
void actor_compact(struct actor *a);
void actor_flush(struct actor *a);
/* Asks for statistics, and checks what must hold at any time. */
void actor_watch(struct actor *a);

void actor_start(struct actor *a);
void actor_join(struct actor *a);

#endif /* LETHE_STRESS_ACTORS_H */
