/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * All schedules of a small case, up to a bound on preemptions (a thread that could
 * go on does not), on loads of old values, and on other decisions that have not
 * their usual outcome.
 *
 * A thread is preempted only before it uses something that another thread
 * uses, too, and that one of the two changes: elsewhere a preemption is the same
 * as one before the next such use. What that is, is learnt: when something is
 * found to be shared, the exploration begins again.
 */
#ifndef LETHE_SIM_EXPLORE_H
#define LETHE_SIM_EXPLORE_H

#include "sim.h"

struct explore_bounds {
	u32 preemptions;
	u32 stale; /* loads of old values, in a schedule */
	u32 odd; /* a CPU is wanted; what is scheduled beside a cancellation is not
		    cancelled */
};

/* Begin with nothing known. */
void explore_begin(const struct explore_bounds *bounds);
/* Learn what is shared from a schedule of any source, too. */
void explore_learn(bool on);
/* To be called before each schedule; false: there is no further one. */
bool explore_next(void);
/* Schedules since the exploration began for the last time. */
u64 explore_count(void);

#endif /* LETHE_SIM_EXPLORE_H */
