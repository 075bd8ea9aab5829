// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "interrupt.h"
#include "json.h"
#include "memory.h"
#include "progress.h"
#include "round.h"
#include "table.h"

/* Page size and the size from which storing compressed is pointless. */
static enum outcome ask_pool(struct corpus *corpus)
{
	struct zs_pool_stats stats;
	struct zs_pool *pool;
	int error = zs_create_pool("probe", NULL, &pool);

	if (error)
		return fail("cannot create a pool: %s", strerror(-error));
	zs_pool_stats(pool, &stats);
	corpus->page_size = stats.page_size;
	corpus->huge_size = zs_huge_class_size(pool);
	zs_destroy_pool(pool);
	return OK;
}

/* Refuse now what would end in the OOM killer later. */
static enum outcome check_memory(const struct corpus *corpus)
{
	uint64_t needed = corpus_bytes_needed(corpus->max_pages, corpus->page_size);
	uint64_t available = memory_available();

	if (needed <= available)
		return OK;
	return fail("not enough memory: %zu pages need %" PRIu64 " MiB, and %" PRIu64
		    " MiB are available; use a smaller --size",
		    corpus->max_pages, needed >> 20, available >> 20);
}

static enum outcome plan(struct bench_result *result)
{
	const struct bench_options *options = result->options;
	struct corpus *corpus = &result->corpus;
	enum outcome err;
	size_t limit;

	corpus->codec = options->codec;
	err = ask_pool(corpus);
	if (err)
		return err;
	/* A page may be larger than 1 MiB nowhere, so this is at least one. */
	limit = (options->max_mib << 20) / corpus->page_size;
	err = input_measure(options->input, corpus->page_size, limit, &corpus->max_pages);
	if (err)
		return err;
	return check_memory(corpus);
}

static enum outcome load(struct bench_result *result)
{
	struct corpus *corpus = &result->corpus;
	enum outcome err;

	err = corpus_reserve(corpus);
	if (err)
		return err;
	progress_step("reading");
	err = input_read(result->options->input, corpus->page_size, corpus->max_pages,
			 corpus->originals, &result->input);
	if (err)
		return err;
	corpus->pages = result->input.pages;
	progress_step("compressing");
	return corpus_compress(corpus);
}

/* Interleaved, and each round begins with another policy: drift hits all alike. */
static enum outcome run_rounds(struct bench_result *result, struct round_scratch *scratch)
{
	const unsigned int n = result->options->n_policies;
	enum outcome err = round_warm_up(result, scratch);

	for (unsigned int r = 0; !err && r < result->options->rounds; r++) {
		for (unsigned int i = 0; !err && i < n; i++) {
			struct bench_row *row = &result->rows[(r + i) % n];

			err = round_run(result, row->policy, scratch, &row->rounds[r]);
		}
	}
	return err;
}

static enum outcome take_medians(struct bench_result *result)
{
	const unsigned int rounds = result->options->rounds;
	double *scratch = calloc(rounds, sizeof(*scratch));

	if (!scratch)
		return fail("not enough memory for the medians");
	for (unsigned int i = 0; i < result->options->n_policies; i++)
		figures_median(result->rows[i].rounds, rounds, scratch,
			       &result->rows[i].median);
	free(scratch);
	return OK;
}

static enum outcome measure(struct bench_result *result)
{
	struct round_scratch scratch = {0};
	enum outcome err;

	clock_calibrate();
	err = round_reserve(&scratch, result->corpus.stored);
	if (!err)
		err = run_rounds(result, &scratch);
	if (!err)
		err = take_medians(result);
	round_release(&scratch);
	return err;
}

static void rows_release(struct bench_result *result)
{
	for (unsigned int i = 0; result->rows && i < result->options->n_policies; i++)
		free(result->rows[i].rounds);
	free(result->rows);
}

static enum outcome rows_reserve(struct bench_result *result)
{
	const struct bench_options *options = result->options;

	result->rows = calloc(options->n_policies, sizeof(*result->rows));
	for (unsigned int i = 0; result->rows && i < options->n_policies; i++) {
		result->rows[i].policy = options->policies[i];
		result->rows[i].rounds = calloc(options->rounds, sizeof(struct figures));
		if (!result->rows[i].rounds)
			return fail("not enough memory for the figures");
	}
	return result->rows ? OK : fail("not enough memory for the figures");
}

static enum outcome run(struct bench_result *result)
{
	const struct bench_options *options = result->options;
	enum outcome err, json_err = OK;

	/* Reading, compressing, warming up, and two fills a policy and round. */
	progress_start(3 + 2 * options->n_policies * options->rounds);
	err = load(result);
	if (!err)
		err = measure(result);
	progress_clear();
	if (err)
		return err;
	/* The table is worth having even if the file cannot be written. */
	if (options->json)
		json_err = json_write(options->json, result);
	err = table_print(result);
	return json_err ? json_err : err;
}

enum outcome bench_main(int argc, char **argv)
{
	struct bench_options options;
	struct bench_result result = {.options = &options};
	enum outcome err = options_parse(argc, argv, &options);

	if (err)
		return err;
	if (options.help)
		return table_text(options_usage());
	interrupt_catch();
	if (options.json)
		err = json_check_target(options.json);
	if (!err)
		err = plan(&result);
	if (!err)
		err = rows_reserve(&result);
	if (!err)
		err = run(&result);
	rows_release(&result);
	if (result.corpus.max_pages)
		corpus_release(&result.corpus);
	return err;
}
