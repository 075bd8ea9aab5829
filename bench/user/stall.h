/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* How long a caller waits for a drain while others push without end. */
#ifndef LETHE_BENCH_STALL_H
#define LETHE_BENCH_STALL_H

#include <lethe/zsmalloc.h>

#include "pack.h"

/**
 * stall_run() - have two threads push, call for a drain again and again, and print
 * how long the calls took
 * @policy: of the pool
 * @cause: of the drain; ZS_FLUSH_CALLER: zs_free_deferred_flush()
 * @pack: the sizes of the objects
 * @seconds: no call begins later than that
 *
 * Each of the two allocates an object and gives it to zs_free_deferred(), over and
 * over, until the last call has returned.
 *
 * Return: OK; FAILED, and said why; INTERRUPTED.
 */
enum outcome stall_run(enum zs_defer_policy policy, enum zs_flush_cause cause,
		       const struct pack *pack, size_t seconds);

#endif /* LETHE_BENCH_STALL_H */
