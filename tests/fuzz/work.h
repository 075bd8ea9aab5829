/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Deferred work that runs when the input says so, on the one thread there is: so
 * an input does the same each time, and what is pending can be counted exactly.
 * Stands in for port/user/work.c, for the works of one pool.
 */
#ifndef LETHE_FUZZ_WORK_H
#define LETHE_FUZZ_WORK_H

#include "port.h"

/* Run what is scheduled, if anything is. */
void fuzz_work_run(void);
bool fuzz_work_exists(void);
bool fuzz_work_scheduled(void);
/* Is it to run as soon as possible? */
bool fuzz_work_urgent(void);

#endif /* LETHE_FUZZ_WORK_H */
