// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "samples.h"

#include <stdlib.h>

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int compare_double(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

void samples_sort(uint64_t *samples, size_t n)
{
	qsort(samples, n, sizeof(*samples), compare_u64);
}

uint64_t samples_percentile(const uint64_t *sorted, size_t n, unsigned int percent)
{
	/* n/100 and n%100 apart, so that n * percent cannot overflow. */
	size_t rank = n / 100 * percent + (n % 100 * percent + 99) / 100;

	return sorted[rank ? rank - 1 : 0];
}

double samples_median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare_double);
	if (n % 2)
		return values[n / 2];
	return (values[n / 2 - 1] + values[n / 2]) / 2;
}
