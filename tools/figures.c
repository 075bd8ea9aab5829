// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "figures.h"

#include "samples.h"

const struct figure_format figure_formats[FIG_NR] = {
	[FIG_MEAN_NS] = {"mean_ns", "mean", "ns", 6, 1},
	[FIG_P50_NS] = {"p50_ns", "p50", "ns", 5, 0},
	[FIG_P99_NS] = {"p99_ns", "p99", "ns", 5, 0},
	[FIG_MAX_US] = {"max_us", "max", "us", 7, 1},
	[FIG_CPU_NS] = {"cpu_ns", "cpu", "ns", 6, 1},
	[FIG_BACK_MS] = {"back_ms", "back", "ms", 5, 1},
	[FIG_QUEUED] = {.json = "queued"},
	[FIG_DRAINED] = {.json = "drained"},
	[FIG_FALLBACK] = {"fallback", "fallback", "frees", 8, 0},
	[FIG_PRODUCER_DRAINED] = {"producer_drained", "producer", "frees", 8, 0},
	[FIG_HELD_PAGES] = {"held_pages", "held", "pages", 6, 0},
	[FIG_META_BYTES] = {.json = "meta_bytes"},
	[FIG_PAYLOAD_PER_BYTE] = {"payload_per_byte", "payload", "B/B", 7, 3},
};

void figures_median(const struct figures *rounds, size_t n, double *scratch,
		    struct figures *median)
{
	for (size_t fig = 0; fig < FIG_NR; fig++) {
		for (size_t i = 0; i < n; i++)
			scratch[i] = rounds[i].value[fig];
		median->value[fig] = samples_median(scratch, n);
	}
}
