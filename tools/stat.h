/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* The subcommand "stat". */
#ifndef LETHE_TOOLS_STAT_H
#define LETHE_TOOLS_STAT_H

#include "say.h"

/** stat_usage() - the text of "lethe stat --help". */
const char *stat_usage(void);

/**
 * stat_main() - run the subcommand
 * @argc: number of words
 * @argv: the words, from "stat" on
 *
 * Return: OK, or what went wrong, and said so.
 */
enum outcome stat_main(int argc, char **argv);

#endif /* LETHE_TOOLS_STAT_H */
