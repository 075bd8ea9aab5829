/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* From a failure to a short one of the same kind. */
#ifndef LETHE_SIM_SHRINK_H
#define LETHE_SIM_SHRINK_H

#include "program.h"

/*
 * Make @program, which fails as @what says, shorter: first its operations, then its
 * schedule. What is found is always the same for the same failure. Post:
 * @program is the short one, and its config replays its schedule; *@runs says how
 * many were tried.
 */
void shrink(struct program *program, const char *what, u64 *runs);

#endif /* LETHE_SIM_SHRINK_H */
