/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* SIGINT and SIGTERM end a run at the next convenient point, tidily. */
#ifndef LETHE_TOOLS_INTERRUPT_H
#define LETHE_TOOLS_INTERRUPT_H

#include <stdbool.h>

/**
 * interrupt_catch() - from now on note the signals instead of dying of them
 *
 * A signal that is ignored (nohup, a shell's background job) stays ignored.
 * The second of a kind ends the process at once.
 */
void interrupt_catch(void);

/**
 * interrupt_hold() - the same, for what must be put back before the process ends
 *
 * However many there are, they are only noted; SIGHUP as well.
 */
void interrupt_hold(void);

/** interrupt_caught() - whether one has arrived. */
bool interrupt_caught(void);

/** interrupt_pass_on() - die of the signal caught, so that a shell sees why. */
void interrupt_pass_on(void);

#endif /* LETHE_TOOLS_INTERRUPT_H */
