/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* What one zs_free_deferred() costs while a drain is running. */
#ifndef LETHE_BENCH_PUSH_H
#define LETHE_BENCH_PUSH_H

#include <lethe/zsmalloc.h>

#include "pack.h"

/**
 * push_run() - push handles from several threads, and print the figures
 * @policy: of the pool
 * @pack: what is stored, over and over until there are enough objects
 * @threads: that push, each a contiguous part
 * @objects: how many
 * @budget: of the pool; 0: the policy's default
 *
 * Half of the objects are pushed first, by one thread. With a budget of @objects
 * that is the threshold at which the worker begins to drain, and it has that to do
 * while the threads push the other half, which is what is measured. Twice: with
 * nothing but the pushes in the loop, for throughput, and with each call timed.
 *
 * Return: OK; FAILED, and said why.
 */
enum outcome push_run(enum zs_defer_policy policy, const struct pack *pack,
		      unsigned int threads, size_t objects, size_t budget);

#endif /* LETHE_BENCH_PUSH_H */
