// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * The way out of an exiting process: the swap core says, slot by slot, that a
 * page is not needed any more.
 *
 * The slot forgets its page at once, in one compare-and-swap on a line shared
 * with the seven slots beside it, and only the allocator's handle is deferred.
 * Never the slot's index: the swap core may hand the slot out again before the
 * handle is freed, and then another task's page is in it.
 * A block of the backing device is given up at once: that is to clear a bit (backing.h).
 *
 * Lock order: called under the swap core's spinlocks; takes none of zram's.
 */
#include "zram.h"

/* The spinlock that the caller holds keeps us on this CPU, except on PREEMPT_RT. */
static inline struct zram_stats *stats_get(struct zram *zram)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		preempt_disable();
	return this_cpu_ptr(zram->stats);
}

static inline void stats_put(void)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		preempt_enable();
}

/**
 * zram_slot_free_notify() - a swap slot is free
 * @bdev: the disk
 * @index: the slot, in pages
 *
 * A slot that a reader has locked is doomed, since the reader may not be waited
 * for here: when the reader is done copying, it empties the slot and does the rest
 * of what follows (counted as miss_free in debug_stat).
 *
 * Context: atomic, under the swap core's spinlocks. Never waits.
 */
void zram_slot_free_notify(struct block_device *bdev, unsigned long index)
{
	struct zram *zram = bdev->bd_disk->private_data;
	struct zram_stats *here;
	u64 word;

	if (WARN_ON_ONCE(index >= zram->nr_slots))
		return;
	if (unlikely(!slot_free(&zram->slots[index], &word))) {
		if (slot_kind(word) != SLOT_EMPTY)
			zram_count(zram, ZRAM_MISS_FREE, 1);
		return;
	}
	if (slot_has_object(word))
		zs_free_deferred(zram->pool, slot_payload(word));
	else
		zram_release_block(zram, word);
	here = stats_get(zram);
	if (slot_kind(word) != SLOT_EMPTY)
		zram_count_here(here, ZRAM_NOTIFY_FREE, 1);
	zram_account_here(here, word, -1);
	stats_put();
}
