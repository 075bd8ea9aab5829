/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* The subcommand "top". */
#ifndef LETHE_TOOLS_TOP_H
#define LETHE_TOOLS_TOP_H

#include "say.h"

/** top_usage() - the text of "lethe top --help". */
const char *top_usage(void);

/**
 * top_main() - run the subcommand
 * @argc: number of words
 * @argv: the words, from "top" on
 *
 * Return: OK, or what went wrong, and said so.
 */
enum outcome top_main(int argc, char **argv);

#endif /* LETHE_TOOLS_TOP_H */
