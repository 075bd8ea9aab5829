/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* What "lethe stat" and "lethe top" share: their options, and two states in turn. */
#ifndef LETHE_TOOLS_WATCH_H
#define LETHE_TOOLS_WATCH_H

#include <getopt.h>
#include <stdbool.h>

#include "say.h"
#include "state.h"

struct watch_options {
	bool help; /**< show the usage and do nothing */
	bool json;
	const char *root; /**< what to put before /sys */
	unsigned long interval; /**< seconds; 0: none was given */
	unsigned long count; /**< of looks; 0: until it is interrupted */
};

/** What was read last, and what was read before. */
struct watch {
	const char *root;
	unsigned int looks;
	struct state before, now;
};

/** What the two commands may be told. */
extern const struct option stat_long_options[], top_long_options[];

/** watch_set() - set one option, for args_parse() with struct watch_options. */
enum outcome watch_set(void *into, int option, const char *text);

/**
 * watch_look() - read the state; what was read last becomes what was read before
 * @watch: all zero but for the root at first; watch_end() in any case
 *
 * Return: OK, or FAILED, and said why.
 */
enum outcome watch_look(struct watch *watch);

/** watch_before() - what was read before, or NULL if that is nothing yet. */
const struct state *watch_before(const struct watch *watch);

/** watch_pause() - wait. Return: OK or INTERRUPTED. */
enum outcome watch_pause(unsigned long seconds);

/** watch_end() - give the memory back. */
void watch_end(struct watch *watch);

#endif /* LETHE_TOOLS_WATCH_H */
