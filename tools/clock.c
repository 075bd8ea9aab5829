// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "clock.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "samples.h"

#define CALIBRATION_NS (20 * 1000 * 1000ULL)
#define CALIBRATION_READS 4096

struct cheap_clock cheap_clock = {.ns_per_tick = 1.0};

/* It counts at one rate in every power state of every CPU. */
static bool have_invariant_tsc(void)
{
#if defined(__x86_64__)
	unsigned int a, b, c, d;

	return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & (1U << 8));
#else
	return false;
#endif
}

static double measure_ns_per_tick(void)
{
	uint64_t ns0 = clock_ns(CLOCK_MONOTONIC);
	uint64_t ticks0 = clock_ticks();
	uint64_t ns1, ticks1;

	do {
		ns1 = clock_ns(CLOCK_MONOTONIC);
		ticks1 = clock_ticks();
	} while (ns1 - ns0 < CALIBRATION_NS);
	return ticks1 > ticks0 ? (double)(ns1 - ns0) / (double)(ticks1 - ticks0) : 0;
}

/* The least difference between two intervals: a counter may advance by leaps. */
static uint64_t least_step(const uint64_t *sorted, size_t n)
{
	uint64_t step = UINT64_MAX;

	for (size_t i = 1; i < n; i++) {
		if (sorted[i] > sorted[i - 1] && sorted[i] - sorted[i - 1] < step)
			step = sorted[i] - sorted[i - 1];
	}
	return step < UINT64_MAX ? step : 1;
}

/* Timed as the frees are: one reading ends an interval and begins the next. */
static void measure_reading(void)
{
	static uint64_t ticks[CALIBRATION_READS];
	uint64_t before = clock_ticks();

	for (unsigned int i = 0; i < CALIBRATION_READS; i++) {
		uint64_t now = clock_ticks();

		ticks[i] = now - before;
		before = now;
	}
	samples_sort(ticks, CALIBRATION_READS);
	cheap_clock.step_ns =
		(double)least_step(ticks, CALIBRATION_READS) * cheap_clock.ns_per_tick;
	cheap_clock.overhead_ns =
		(double)samples_percentile(ticks, CALIBRATION_READS, 50) *
		cheap_clock.ns_per_tick;
}

void clock_calibrate(void)
{
	cheap_clock.tsc = have_invariant_tsc();
	if (cheap_clock.tsc) {
		cheap_clock.ns_per_tick = measure_ns_per_tick();
		/* A counter slower than 20 MHz is too coarse to time one call. */
		if (cheap_clock.ns_per_tick <= 0 || cheap_clock.ns_per_tick > 50)
			cheap_clock.tsc = false;
	}
	if (!cheap_clock.tsc)
		cheap_clock.ns_per_tick = 1.0;
	measure_reading();
}

const char *clock_name(void)
{
	return cheap_clock.tsc ? "rdtsc" : "clock_gettime";
}
