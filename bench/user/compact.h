/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* How fast compaction gives pages back when the kernel's reclaim asks for them. */
#ifndef LETHE_BENCH_COMPACT_H
#define LETHE_BENCH_COMPACT_H

#include "pack.h"

/**
 * compact_run() - store all objects, free 90 % at random, and compact as a shrinker
 * does: so many pages a call
 * @pack: the objects
 * @want: pages of a call
 *
 * Prints pages back, pages that are left, the time and the longest call as JSON. Fails
 * if an object that was kept has not its content afterwards.
 *
 * Return: OK; FAILED, and said why; INTERRUPTED.
 */
enum outcome compact_run(const struct pack *pack, size_t want);

#endif /* LETHE_BENCH_COMPACT_H */
