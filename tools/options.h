/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* The command line of "lethe bench". */
#ifndef LETHE_TOOLS_OPTIONS_H
#define LETHE_TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include <lethe/zsmalloc.h>

#include "codec.h"
#include "say.h"

struct bench_options {
	bool help; /**< show the usage and do nothing */
	const char *input;
	const struct codec *codec;
	unsigned long max_mib;
	enum zs_defer_policy policies[ZS_DEFER_NR];
	unsigned int n_policies;
	unsigned int threads;
	unsigned int rounds;
	const char *json; /**< NULL: none */
};

/** options_usage() - the text of "lethe bench --help". */
const char *options_usage(void);

/**
 * options_parse() - understand the command line
 * @argc: number of words
 * @argv: the words, from the subcommand's name on
 * @options: filled in, with defaults for what is not given
 *
 * Return: OK, or BAD_USAGE, and said why.
 */
enum outcome options_parse(int argc, char **argv, struct bench_options *options);

#endif /* LETHE_TOOLS_OPTIONS_H */
