/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * A process that has nothing to do with those that exit, and needs a page now and
 * then: how long is it kept waiting for one?
 *
 * Its faults count for a window of time that is the same for all: what is over soon
 * must not look worse for being short.
 */
#ifndef BENCH_BYSTANDER_H
#define BENCH_BYSTANDER_H

#include <stdint.h>

#define BYSTANDER_MS 500 /* the window; in-tree, four processes take 350 in QEMU */

/* Page faults of a bystander. */
struct fault_times {
	unsigned long samples;
	uint64_t p50_ns, p99_ns, max_ns;
	/* How much later than half of the pages the others were there, summed */
	uint64_t lost_ns;
};

/* Start it; the window begins. Gives 0, or -1 and errno. */
int bystander_start(void);

/* Wait for the end of the window, and say how its faults went. */
void bystander_wait(struct fault_times *times);

#endif /* BENCH_BYSTANDER_H */
