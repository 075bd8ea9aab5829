/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* One round of one allocator, in a process of its own. */
#ifndef LETHE_BENCH_RUN_H
#define LETHE_BENCH_RUN_H

#include "backend.h"

/**
 * run_round() - store and free the objects, and print the figures
 * @backend: the allocator
 * @pack: the objects
 * @threads: each stores a contiguous part of them, and frees what it stored
 *
 * First fill: store; look at the memory held; compare every object; free in
 * the order of storing. Second fill: store; free a random 90 %, in random order;
 * have everything given back that can be; look at the memory held; compare what is
 * left; free it. The figures are a JSON object on one line.
 *
 * Return: OK; FAILED, and said why; INTERRUPTED.
 */
enum outcome run_round(const struct backend *backend, const struct pack *pack,
		       unsigned int threads);

#endif /* LETHE_BENCH_RUN_H */
