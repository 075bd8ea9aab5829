// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* Statistics of a device. No locks. */
#include <linux/string.h>

#include "slot.h"
#include "stats.h"
#include "zram.h"

/**
 * zram_account_here() - count what a slot holds, in or out
 * @here: this CPU's counters
 * @word: the slot's word
 * @sign: 1 when it was put in the slot, -1 when it was taken out
 *
 * Context: preemption is off.
 */
void zram_account_here(struct zram_stats *here, u64 word, int sign)
{
	enum slot_kind kind = slot_kind(word);

	if (kind == SLOT_EMPTY)
		return;
	zram_count_here(here, ZRAM_PAGES_STORED, sign);
	if (slot_is_fill(word))
		zram_count_here(here, ZRAM_SAME_PAGES, sign);
	else if (kind == SLOT_BACKED)
		zram_count_here(here, ZRAM_BACKED_PAGES, sign);
	else
		zram_count_here(here, ZRAM_COMPR_BYTES, sign * (s64)slot_size(word));
	if (kind == SLOT_HUGE)
		zram_count_here(here, ZRAM_HUGE_PAGES, sign);
}

/**
 * zram_account() - count what a slot holds, in or out
 * @zram: the device
 * @word: the slot's word
 * @sign: 1 when it was put in the slot, -1 when it was taken out
 *
 * Context: any context.
 */
void zram_account(struct zram *zram, u64 word, int sign)
{
	zram_account_here(get_cpu_ptr(zram->stats), word, sign);
	put_cpu_ptr(zram->stats);
}

/**
 * zram_stats_sum() - read a counter
 * @zram: the device
 * @counter: which
 *
 * Context: any context.
 * Return: the sum over all CPUs, offline ones too.
 */
u64 zram_stats_sum(struct zram *zram, enum zram_counter counter)
{
	s64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(zram->stats, cpu)->count[counter]);
	/* A page may be seen leaving on one CPU and not arriving on another. */
	return max_t(s64, sum, 0);
}

/**
 * zram_stats_clear() - start counting anew
 * @zram: the device, with no I/O in flight
 *
 * Context: any context.
 */
void zram_stats_clear(struct zram *zram)
{
	int cpu;

	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(zram->stats, cpu), 0, sizeof(struct zram_stats));
}
