/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* A state as text for people, and as JSON. */
#ifndef LETHE_TOOLS_STATETEXT_H
#define LETHE_TOOLS_STATETEXT_H

#include <stdio.h>

#include "state.h"

/**
 * state_print() - as tables of at most 80 columns
 * @f: where to
 * @before: what was read earlier, for rates; NULL if there is none
 * @now: what was read last
 *
 * A line after an empty one is a heading.
 */
void state_print(FILE *f, const struct state *before, const struct state *now);

/** state_print_json() - as one JSON object; as state_print(). */
void state_print_json(FILE *f, const struct state *before, const struct state *now);

#endif /* LETHE_TOOLS_STATETEXT_H */
