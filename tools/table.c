// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "table.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"

#define MIB (1024.0 * 1024.0)

static void print_input(const struct bench_result *result)
{
	const struct corpus *corpus = &result->corpus;
	const struct input_report *input = &result->input;

	printf("input     %s: %zu pages of %zu bytes (%.1f MiB) from %zu files\n",
	       result->options->input, corpus->pages, corpus->page_size,
	       (double)corpus->pages * (double)corpus->page_size / MIB, input->files);
	printf("skipped   %zu unreadable, %zu not regular files, %zu mount points\n",
	       input->unreadable, input->not_regular, input->mounts);
	if (input->unreadable)
		printf("          first unreadable: %s\n", input->first_unreadable);
	printf("codec     %s: %zu objects, %.1f MiB; %zu of them incompressible and "
	       "raw\n",
	       corpus->codec->name, corpus->stored, (double)corpus->payload / MIB,
	       corpus->raw);
	printf("          %zu pages same-filled, which take no object\n",
	       corpus->same_filled);
	printf("verified  %zu of %zu pages, in each of %zu fills\n", result->verified,
	       corpus->pages, result->fills);
}

static void print_how(const struct bench_result *result)
{
	const struct bench_options *options = result->options;

	printf("frees     from %u thread%s; medians of %u round%s\n", options->threads,
	       options->threads == 1 ? "" : "s", options->rounds,
	       options->rounds == 1 ? "" : "s");
	printf("clock     %s, steps of %.1f ns; %.1f ns a reading, taken off p50, p99, "
	       "max\n",
	       clock_name(), cheap_clock.step_ns, cheap_clock.overhead_ns);
}

static void print_heading(void)
{
	printf("%-9s", "policy");
	for (size_t i = 0; i < FIG_NR; i++) {
		if (figure_formats[i].title)
			printf(" %*s", figure_formats[i].width, figure_formats[i].title);
	}
	printf("\n%-10s", "");
	for (size_t i = 0; i < FIG_NR; i++) {
		if (figure_formats[i].title)
			printf(" %*s", figure_formats[i].width, figure_formats[i].unit);
	}
	putchar('\n');
}

static void print_row(const struct bench_row *row)
{
	printf("%-9s", zs_policy_name(row->policy));
	for (size_t i = 0; i < FIG_NR; i++) {
		if (figure_formats[i].title)
			printf(" %9.*f", figure_formats[i].decimals,
			       row->median.value[i]);
	}
	putchar('\n');
}

enum outcome table_finish(void)
{
	if (fflush(stdout) || ferror(stdout))
		return fail("cannot write to standard output: %s", strerror(errno));
	return OK;
}

enum outcome table_print(const struct bench_result *result)
{
	print_input(result);
	print_how(result);
	putchar('\n');
	print_heading();
	for (unsigned int i = 0; i < result->options->n_policies; i++)
		print_row(&result->rows[i]);
	return table_finish();
}

enum outcome table_text(const char *text)
{
	fputs(text, stdout);
	return table_finish();
}
