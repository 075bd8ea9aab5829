/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* A progress bar on stderr, for people only: nothing is drawn elsewhere. */
#ifndef LETHE_TOOLS_PROGRESS_H
#define LETHE_TOOLS_PROGRESS_H

/**
 * progress_start() - find out whether a terminal shows progress, and plan
 * @steps: how many steps of about equal length there will be
 *
 * It does if stderr is a terminal that can return to the start of
 * a line and stdout is not a pipe.
 */
void progress_start(unsigned int steps);

/**
 * progress_step() - the next step begins
 * @label: what it does, in a few words; kept until the next step
 */
void progress_step(const char *label);

/**
 * progress_update() - tell how far the step is
 * @part: 0 to 1
 *
 * Draws at most ten times a second, so it can be called often. Must not be
 * called while something is being timed.
 */
void progress_update(double part);

/** progress_clear() - remove the bar, if there is one; it may come back. */
void progress_clear(void);

#endif /* LETHE_TOOLS_PROGRESS_H */
