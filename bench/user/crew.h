/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Threads that work in phases. They live from the first to the last, so that
 * thread caches of an allocator do, too; the caller is one of them.
 */
#ifndef LETHE_BENCH_CREW_H
#define LETHE_BENCH_CREW_H

#include <stdint.h>

#include "say.h"

#define CREW_MAX 64

/** What one phase cost. */
struct crew_cost {
	uint64_t busy_ns; /**< time at work, all threads together */
	uint64_t wall_ns; /**< from the first's beginning to the last's end */
};

/**
 * crew_start() - start threads
 * @threads: how many, the caller included; 1 to CREW_MAX
 *
 * There is one crew a process. Return: OK, or FAILED, and said why.
 */
enum outcome crew_start(unsigned int threads);

/**
 * crew_run() - have every thread do one job, all beginning at once
 * @job: is given @arg and the number of the thread, from 0
 * @arg: for it
 *
 * Return: what it cost, once all are done.
 */
struct crew_cost crew_run(void (*job)(void *arg, unsigned int member), void *arg);

/** crew_end() - end the threads. */
void crew_end(void);

#endif /* LETHE_BENCH_CREW_H */
