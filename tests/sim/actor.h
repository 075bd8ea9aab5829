/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* A program's threads, and the main one that creates and destroys the pool. */
#ifndef LETHE_SIM_ACTOR_H
#define LETHE_SIM_ACTOR_H

#include "program.h"

/* Run @program under @config, which may be its own. */
void program_run(const struct program *program, const struct sim_config *config,
		 struct sim_result *result);

#endif /* LETHE_SIM_ACTOR_H */
