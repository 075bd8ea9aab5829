/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* What a process holds, as the kernel counts it: the same for every allocator. */
#ifndef LETHE_BENCH_HELD_H
#define LETHE_BENCH_HELD_H

#include <stdint.h>

#include "say.h"

/**
 * held_bytes() - anonymous memory of this process
 * @bytes: resident or swapped out, without what it has marked as free for the
 * kernel to take (MADV_FREE)
 *
 * From smaps_rollup, which looks at every page: the counters of statm may be
 * off by some hundred pages a CPU. Takes milliseconds.
 *
 * Return: OK, or FAILED, and said why.
 */
enum outcome held_bytes(uint64_t *bytes);

#endif /* LETHE_BENCH_HELD_H */
