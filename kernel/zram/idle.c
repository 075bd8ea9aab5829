// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Idle pages: those that have not been read or written since they were marked, or for as
 * long as is asked.
 *
 * The mark is a bit of the slot. When a page was accessed is noted only where it has been
 * asked for, by an age or by block_state: 4 bytes a slot from then on, seconds since
 * boot. A page not accessed since counts as accessed when that began.
 *
 * Lock order: init_lock, which the caller holds.
 */
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "zram.h"

/**
 * zram_track_access() - note from now on when pages are accessed
 * @zram: the device, set up; the caller holds its init_lock, for reading: see
 *	  zram_lock_settings()
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int zram_track_access(struct zram *zram)
{
	u32 *accessed;

	if (READ_ONCE(zram->accessed))
		return 0;
	accessed = zram_table_alloc(zram->nr_slots, sizeof(*accessed));
	if (!accessed)
		return -ENOMEM;
	/* Of several that come here at once, whichever: they mean the same moment. */
	WRITE_ONCE(zram->accessed_since, zram_now());
	/* Fully ordered: all of it is zero, and the time is there, before others see it.
	 */
	if (cmpxchg(&zram->accessed, NULL, accessed))
		vfree(accessed);
	return 0;
}

/**
 * zram_accessed() - when a page was accessed
 * @zram: the device
 * @index: the slot
 *
 * Context: any context.
 * Return: seconds since boot; 0 if it was before that was noted.
 */
u32 zram_accessed(struct zram *zram, unsigned long index)
{
	/* Pairs with zram_track_access(). */
	u32 *accessed = smp_load_acquire(&zram->accessed);

	return accessed ? READ_ONCE(accessed[index]) : 0;
}

/* A page may have been accessed after @now was taken: the least old of all. */
static bool is_old(struct zram *zram, unsigned long index, u32 now, u64 age)
{
	u32 then = zram_accessed(zram, index) ?: READ_ONCE(zram->accessed_since);

	return then <= now && now - then >= age;
}

static void mark(zram_slot *slot)
{
	u64 word = slot_peek(slot);

	while (slot_has_object(word) && !(word & SLOT_IDLE)) {
		if (slot_replace(slot, word, word | SLOT_IDLE))
			return;
		word = slot_peek(slot);
	}
}

/**
 * zram_mark_idle() - mark pages as idle
 * @zram: the device, set up; the caller holds its init_lock
 * @age: only those not accessed for so many seconds, and no others any more; the device
 *       tracks that. 0: all
 *
 * Context: process context, may sleep.
 * Return: 0; -EINTR if the caller is killed.
 */
int zram_mark_idle(struct zram *zram, u64 age)
{
	unsigned long index;
	u32 now = zram_now();

	for (index = 0; index < zram->nr_slots; index++) {
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
		if (!age || is_old(zram, index, now, age))
			mark(&zram->slots[index]);
		else
			slot_clear_idle(&zram->slots[index]);
	}
	return 0;
}
