/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * A process that has nothing to do with those that exit, and needs a page now and
 * then: how long is it kept waiting for one?
 */
#ifndef BENCH_BYSTANDER_H
#define BENCH_BYSTANDER_H

#include <stdint.h>

/* Page faults of a bystander. */
struct fault_times {
	unsigned long faults;
	uint64_t p50_ns, p99_ns, max_ns;
};

/* Start it; its faults count from now on. Gives 0, or -1 and errno. */
int bystander_start(void);

/* End it, and say how its faults went. */
void bystander_stop(struct fault_times *times);

#endif /* BENCH_BYSTANDER_H */
