/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Freeing as an exiting process does: every object, in the order in which it
 * was stored, one zs_free_deferred() after the other with nothing in between.
 * Several threads stand for several processes that exit at once: each has a
 * contiguous part.
 */
#ifndef LETHE_TOOLS_RELEASE_H
#define LETHE_TOOLS_RELEASE_H

#include <lethe/zsmalloc.h>

#include "say.h"

/** What freeing cost. */
struct release_cost {
	double caller_ns; /**< time in the loops, all threads together */
	double cpu_ns; /**< CPU time of the process, drain threads included */
	double back_ns; /**< from the first free until no page is held */
};

/**
 * release_objects() - free them all, and wait until all pages are back
 * @pool: the pool
 * @handles: the objects
 * @n: how many
 * @threads: how many callers
 * @ticks: if not NULL, room for @n samples: each call is timed with
 * clock_ticks(), the time of one reading included
 * @cost: filled in
 *
 * Waiting polls every 0.1 ms, which is the resolution of @cost->back_ns; the
 * CPU time of polling is left out of @cost->cpu_ns.
 *
 * Return: OK; FAILED, and said why: no thread, or pages that do not come back
 * within half a minute; INTERRUPTED.
 */
enum outcome release_objects(struct zs_pool *pool, const unsigned long *handles, size_t n,
			     unsigned int threads, uint64_t *ticks,
			     struct release_cost *cost);

#endif /* LETHE_TOOLS_RELEASE_H */
