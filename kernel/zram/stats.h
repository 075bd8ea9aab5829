/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Statistics of a device: one set of counters a CPU, summed by a reader, so that
 * CPUs which exit processes at once share no cache line here.
 * A counter of one CPU may be negative; the sum is not, once things are quiet.
 */
#ifndef ZRAM_STATS_H
#define ZRAM_STATS_H

#include <linux/percpu.h>
#include <linux/types.h>

struct zram;

enum zram_counter {
	ZRAM_PAGES_STORED, /* slots that are not empty */
	ZRAM_COMPR_BYTES, /* bytes of their objects */
	ZRAM_SAME_PAGES, /* of them, same-filled */
	ZRAM_HUGE_PAGES, /* of them, incompressible */
	ZRAM_HUGE_PAGES_SINCE, /* incompressible ones ever stored */
	ZRAM_BACKED_PAGES, /* of them, on the backing device */
	ZRAM_BACKED_READS, /* pages ever read from there */
	ZRAM_BACKED_WRITES, /* and written there */
	ZRAM_FAILED_READS,
	ZRAM_FAILED_WRITES,
	ZRAM_INVALID_IO,
	ZRAM_NOTIFY_FREE, /* pages named by swap notification, discard, writing zeroes */
	ZRAM_MISS_FREE, /* notifications that left it to a reader to empty the slot */
	ZRAM_WRITE_STALL, /* pages whose object had to be waited for */
	ZRAM_NR_COUNTERS
};

struct zram_stats {
	s64 count[ZRAM_NR_COUNTERS];
};

/* Any context. */
#define zram_count(zram, counter, n) this_cpu_add((zram)->stats->count[counter], n)

/*
 * The same where the caller cannot be preempted, on its CPU's own counters: none of
 * those it is used for is touched in interrupts, so a plain addition will do. Where
 * this_cpu_add() is not one instruction (arm64, User-Mode Linux) that is felt.
 */
static inline void zram_count_here(struct zram_stats *here, enum zram_counter counter,
				   s64 n)
{
	WRITE_ONCE(here->count[counter], here->count[counter] + n);
}

void zram_account(struct zram *zram, u64 word, int sign);
void zram_account_here(struct zram_stats *here, u64 word, int sign);
u64 zram_stats_sum(struct zram *zram, enum zram_counter counter);
void zram_stats_clear(struct zram *zram);

#endif /* ZRAM_STATS_H */
