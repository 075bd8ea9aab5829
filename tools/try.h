/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* The subcommand "try". */
#ifndef LETHE_TOOLS_TRY_H
#define LETHE_TOOLS_TRY_H

#include "say.h"

/** try_usage() - the text of "lethe try --help". */
const char *try_usage(void);

/**
 * try_main() - run the subcommand
 * @argc: number of words
 * @argv: the words, from "try" on
 *
 * Return: OK, or what went wrong, and said so.
 */
enum outcome try_main(int argc, char **argv);

#endif /* LETHE_TOOLS_TRY_H */
