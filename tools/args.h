/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* What the command lines of all commands share: long options, and whole numbers. */
#ifndef LETHE_TOOLS_ARGS_H
#define LETHE_TOOLS_ARGS_H

#include <getopt.h>

#include "say.h"

/** What -h gives in every command; --help of a command gives it as well. */
#define ARG_HELP 'h'

/**
 * args_parse() - understand the words after a command
 * @argc: number of words
 * @argv: the words, from the command's name on
 * @options: its long options
 * @set: called for each option with @into, its number and its value or NULL
 * @into: for @set
 *
 * Return: OK; what @set returned if not that; BAD_USAGE, and said why.
 */
enum outcome args_parse(int argc, char **argv, const struct option *options,
			enum outcome (*set)(void *into, int option, const char *text),
			void *into);

/**
 * args_count() - understand a decimal number: no sign, no space, no unit
 * @count: where it goes
 * @text: the word
 * @what: what it is, for the message
 * @max: the largest allowed; 1 is the least
 *
 * Return: OK, or BAD_USAGE, and said why.
 */
enum outcome args_count(unsigned long *count, const char *text, const char *what,
			unsigned long max);

#endif /* LETHE_TOOLS_ARGS_H */
