/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* "lethe bench": what freeing costs under each deferral policy. */
#ifndef LETHE_TOOLS_BENCH_H
#define LETHE_TOOLS_BENCH_H

#include "corpus.h"
#include "figures.h"
#include "input.h"
#include "options.h"
#include "say.h"

/** All rounds of one policy. */
struct bench_row {
	enum zs_defer_policy policy;
	struct figures *rounds; /**< as many as options->rounds */
	struct figures median;
};

/** Everything that the table and the JSON file tell. */
struct bench_result {
	const struct bench_options *options;
	struct input_report input;
	struct corpus corpus;
	size_t verified; /**< pages found intact in each fill; all of them */
	size_t fills; /**< times that the pages were stored and verified */
	struct bench_row *rows; /**< as many as options->n_policies */
};

/**
 * bench_main() - run the subcommand
 * @argc: number of words
 * @argv: the words, from "bench" on
 *
 * Return: OK, or what went wrong, and said so.
 */
enum outcome bench_main(int argc, char **argv);

#endif /* LETHE_TOOLS_BENCH_H */
