/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Vector clocks. A thread has two of them:
 *
 *   hb    what happens before it: built by locks, acquire and release alone.
 *         Plain memory is judged by it.
 *   seen  hb, and what full fences have made visible to it. No load may return
 *         anything older. Fences order what atomics show; they do not excuse a
 *         missing acquire.
 *
 * A thread's own time goes on after each of its releases. Times never go back
 * from one schedule to the next (sim.base is where this one began), so whatever a
 * former schedule has left in the shadow memory is simply in the past.
 */
#ifndef LETHE_SIM_CLOCK_H
#define LETHE_SIM_CLOCK_H

#include "port_home.h"

static inline void clock_join(struct sim_clock *into, const struct sim_clock *from)
{
	unsigned int i;

	for (i = 0; i < SIM_THREADS; i++)
		into->of[i] = from->of[i] > into->of[i] ? from->of[i] : into->of[i];
}

#endif /* LETHE_SIM_CLOCK_H */
