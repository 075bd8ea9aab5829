/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* How many drain threads it takes to keep up with several exits. */
#ifndef LETHE_SIM_GROWTH_H
#define LETHE_SIM_GROWTH_H

#include "sim.h"

/* Print a table, check what it should show, and add to the counts. */
void growth_run(u32 *passed, u32 *failed);

#endif /* LETHE_SIM_GROWTH_H */
