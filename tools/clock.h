/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Two clocks: the system's, in nanoseconds, and a cheap one for timing single
 * calls, in ticks: the time stamp counter where it is invariant (x86-64), the
 * system's monotonic clock elsewhere.
 */
#ifndef LETHE_TOOLS_CLOCK_H
#define LETHE_TOOLS_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

/** What clock_calibrate() found out about the cheap clock. */
struct cheap_clock {
	bool tsc; /**< it is the time stamp counter */
	double ns_per_tick;
	double step_ns; /**< its resolution: the least difference seen */
	double overhead_ns; /**< median cost of reading it */
};

extern struct cheap_clock cheap_clock;

/** clock_calibrate() - choose the cheap clock and measure it; takes 20 ms. */
void clock_calibrate(void);

/** clock_name() - the cheap clock's name, for people and for JSON. */
const char *clock_name(void);

/**
 * clock_ns() - read one of the system's clocks
 * @id: one that always exists, such as CLOCK_MONOTONIC
 *
 * Return: nanoseconds.
 */
static inline uint64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

/**
 * clock_ticks() - read the cheap clock
 *
 * Every load before the call has completed when the clock is read.
 */
static inline uint64_t clock_ticks(void)
{
#if defined(__x86_64__)
	if (cheap_clock.tsc) {
		_mm_lfence();
		return __rdtsc();
	}
#endif
	return clock_ns(CLOCK_MONOTONIC);
}

#endif /* LETHE_TOOLS_CLOCK_H */
