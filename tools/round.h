/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* One round of one policy: fill a pool and empty it, twice. */
#ifndef LETHE_TOOLS_ROUND_H
#define LETHE_TOOLS_ROUND_H

#include "bench.h"

/** Memory that rounds use one after the other. */
struct round_scratch {
	size_t n; /**< objects */
	unsigned long *handles;
	uint64_t *ticks;
};

/** round_reserve() - get memory for @n objects. Return: OK or FAILED, and said so. */
enum outcome round_reserve(struct round_scratch *scratch, size_t n);

/** round_release() - give it back. */
void round_release(struct round_scratch *scratch);

/**
 * round_run() - measure one round
 * @result: options and corpus; @verified and @fills are updated
 * @policy: the policy
 * @scratch: from round_reserve()
 * @figures: filled in
 *
 * The pages are stored and verified in a new pool and freed with nothing in
 * between, for means, CPU time and counters; then all of it again with each
 * call timed, for the percentiles. The pool's counters must agree with what
 * was done.
 *
 * Return: OK; FAILED, and said why; INTERRUPTED.
 */
enum outcome round_run(struct bench_result *result, enum zs_defer_policy policy,
		       struct round_scratch *scratch, struct figures *figures);

/** round_warm_up() - fill and empty a pool once, to have its memory touched. */
enum outcome round_warm_up(struct bench_result *result, struct round_scratch *scratch);

#endif /* LETHE_TOOLS_ROUND_H */
