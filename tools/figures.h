/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* The figures of one round of one policy: what each is called and how shown. */
#ifndef LETHE_TOOLS_FIGURES_H
#define LETHE_TOOLS_FIGURES_H

#include <stddef.h>

enum figure {
	FIG_MEAN_NS,
	FIG_P50_NS,
	FIG_P99_NS,
	FIG_MAX_US,
	FIG_CPU_NS,
	FIG_BACK_MS,
	FIG_QUEUED,
	FIG_DRAINED,
	FIG_FALLBACK,
	FIG_PRODUCER_DRAINED,
	FIG_HELD_PAGES,
	FIG_META_BYTES,
	FIG_PAYLOAD_PER_BYTE,
	FIG_NR
};

struct figures {
	double value[FIG_NR];
};

struct figure_format {
	const char *json; /**< its name in JSON */
	const char *title; /**< of its column; NULL if it is not in the table */
	const char *unit;
	int width; /**< of its column: together, 80 with the policy */
	int decimals;
};

extern const struct figure_format figure_formats[FIG_NR];

/**
 * figures_median() - the median of each figure by itself
 * @rounds: the figures of each round
 * @n: how many rounds, at least 1
 * @scratch: room for @n values
 * @median: filled in
 */
void figures_median(const struct figures *rounds, size_t n, double *scratch,
		    struct figures *median);

#endif /* LETHE_TOOLS_FIGURES_H */
