/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* Small cases of which all schedules are run: see port/sim/explore.h. */
#ifndef LETHE_SIM_SMALL_H
#define LETHE_SIM_SMALL_H

#include "program.h"

/*
 * Explore each case with @policy, up to @preemptions; add to the counts, say how many
 * schedules that is.
 */
void small_run(enum zs_defer_policy policy, u32 preemptions, u32 *passed, u32 *failed);

/* Does a schedule of one of them fail? Then it says which. Adds to *@schedules. */
bool small_hunt(enum zs_defer_policy policy, u32 preemptions, u64 *schedules);

#endif /* LETHE_SIM_SMALL_H */
