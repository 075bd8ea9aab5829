/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* Busy loops: processes that take all the CPU time they are given. */
#ifndef LETHE_BENCH_LOAD_H
#define LETHE_BENCH_LOAD_H

#include <stdbool.h>

/**
 * load_valid() - Return: is @load a load? A number of loops of normal priority, up
 * to 64, or "fifo": one loop that is SCHED_FIFO, of the lowest priority there.
 */
bool load_valid(const char *load);

/**
 * load_start() - start the loops of @load, on whichever CPUs the scheduler puts them
 *
 * They have run for a while on return. The caller becomes SCHED_FIFO of a higher
 * priority than any loop, until load_stop(), and stays on the first CPU: also
 * without a loop, so that all loads are watched alike.
 *
 * Return: 0; -1, errno is set.
 */
int load_start(const char *load);

/** load_stop() - end the loops. Return: 0; -1, errno is set, if one had ended. */
int load_stop(void);

#endif /* LETHE_BENCH_LOAD_H */
