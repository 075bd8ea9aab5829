/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* Order statistics: exact, because every sample is kept. */
#ifndef LETHE_TOOLS_SAMPLES_H
#define LETHE_TOOLS_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

/** samples_sort() - put @n samples into ascending order. */
void samples_sort(uint64_t *samples, size_t n);

/**
 * samples_percentile() - the nearest-rank percentile
 * @sorted: from samples_sort()
 * @n: how many, at least 1
 * @percent: 1 to 100; 100 is the maximum
 *
 * Return: the least sample that at least @percent % of all do not exceed.
 */
uint64_t samples_percentile(const uint64_t *sorted, size_t n, unsigned int percent);

/**
 * samples_median() - the median of a few figures
 * @values: sorted on return
 * @n: how many, at least 1
 *
 * Return: the middle value, or the mean of the middle two.
 */
double samples_median(double *values, size_t n);

#endif /* LETHE_TOOLS_SAMPLES_H */
