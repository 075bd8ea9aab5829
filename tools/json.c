// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "json.h"

#include <stdio.h>

#include "clock.h"
#include "jsonstring.h"
#include "newfile.h"

static void put_figures(FILE *f, const struct figures *figures)
{
	for (size_t i = 0; i < FIG_NR; i++)
		fprintf(f, "%s\"%s\": %.10g", i ? ", " : "", figure_formats[i].json,
			figures->value[i]);
}

static void put_row(FILE *f, const struct bench_row *row, unsigned int rounds)
{
	fprintf(f, "    {\"policy\": \"%s\", ", zs_policy_name(row->policy));
	put_figures(f, &row->median);
	fputs(",\n     \"rounds\": [", f);
	for (unsigned int i = 0; i < rounds; i++) {
		fprintf(f, "%s\n      {", i ? "," : "");
		put_figures(f, &row->rounds[i]);
		fputc('}', f);
	}
	fputs("]}", f);
}

static void put_input(FILE *f, const struct bench_result *result)
{
	const struct input_report *input = &result->input;
	const struct corpus *corpus = &result->corpus;

	fputs("  \"input\": ", f);
	json_string(f, result->options->input);
	fprintf(f, ",\n  \"files\": %zu,\n  \"unreadable\": %zu,\n", input->files,
		input->unreadable);
	fputs("  \"first_unreadable\": ", f);
	if (input->unreadable)
		json_string(f, input->first_unreadable);
	else
		fputs("null", f);
	fprintf(f, ",\n  \"not_regular\": %zu,\n  \"mount_points\": %zu,\n",
		input->not_regular, input->mounts);
	fprintf(f, "  \"codec\": \"%s\",\n  \"page_size\": %zu,\n  \"pages\": %zu,\n",
		corpus->codec->name, corpus->page_size, corpus->pages);
	fprintf(f, "  \"same_filled\": %zu,\n  \"objects\": %zu,\n  \"raw\": %zu,\n",
		corpus->same_filled, corpus->stored, corpus->raw);
	fprintf(f, "  \"payload_bytes\": %zu,\n  \"verified\": %zu,\n  \"fills\": %zu,\n",
		corpus->payload, result->verified, result->fills);
}

static void put_result(FILE *f, const struct bench_result *result)
{
	const struct bench_options *options = result->options;

	fprintf(f, "{\n  \"lethe\": \"%s\",\n", LETHE_VERSION);
	put_input(f, result);
	fprintf(f, "  \"threads\": %u,\n  \"rounds\": %u,\n  \"clock\": \"%s\",\n",
		options->threads, options->rounds, clock_name());
	fprintf(f, "  \"clock_step_ns\": %.10g,\n  \"clock_overhead_ns\": %.10g,\n",
		cheap_clock.step_ns, cheap_clock.overhead_ns);
	fputs("  \"results\": [\n", f);
	for (unsigned int i = 0; i < options->n_policies; i++) {
		put_row(f, &result->rows[i], options->rounds);
		fputs(i + 1 < options->n_policies ? ",\n" : "\n", f);
	}
	fputs("  ]\n}\n", f);
}

enum outcome json_check_target(const char *path)
{
	struct newfile file;
	enum outcome err = newfile_open(&file, path);

	if (!err)
		newfile_discard(&file);
	return err;
}

enum outcome json_write(const char *path, const struct bench_result *result)
{
	struct newfile file;
	enum outcome err = newfile_open(&file, path);

	if (err)
		return err;
	put_result(file.stream, result);
	return newfile_commit(&file);
}
