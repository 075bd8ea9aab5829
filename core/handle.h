/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * What a handle stands for: the 64-bit entry that says where its object is.
 *
 *   bit 63      live: the handle is allocated
 *   bit 62      pending: its deferred free waits for a drain
 *   bits 56-61  pins: readers and writers at work on the object, at most 62; or
 *               63, moving: compaction, or the move of a page, is copying it, under
 *               the class lock
 *   bits 49-55  size class
 *   bits 41-48  index of the object in its zspage
 *   bits 0-40   address of the zspage's descriptor, by port_meta_pack()
 *
 * All that may happen to an entry:
 *
 *   from                       to                by                   under       order
 *   0                          live              zs_malloc()          class lock  release
 *   live                       one pin more      object_pin()                     acquire
 *   pinned                     one pin less      object_unpin()                   release
 *   live or pending, no pins   moving            entry_claim()        class lock  acquire
 *   moving                     at another place  compact_move()       class lock  release
 *   moving                     as before         objects_let_go()     class lock  release
 *   live, no pins, or moving   pending           entry_set_pending()  (array's)   full
 *   live or pending, no pins   0                 free_one(),          class lock  relaxed
 *                                                free_class_slice()
 *
 * The class of a live entry never changes, so a class that was read without a lock
 * names the right lock. Zspage and index change under that lock alone, and only while
 * the entry has no pins: the holder of the lock, or of a pin, may rely on them. The
 * handle may have been freed and given out again before the lock was taken, so
 * everything is read again under it. [H1]
 *
 * Entry, live bit and back reference of an object change together, under the class
 * lock. Compaction goes from the live bit to the entry, and the entry leads back. [H2:
 * assert in zspage_clear() and zspage_take(); mutants entry-after-unlock,
 * entry-cleared-late, back-reference-missing]
 *
 * A pending entry has no pins and gets none, as entry_set_pending() and object_pin()
 * each change the one word by compare-and-swap on what allowed it. It may be moving. So
 * a drain that holds the class lock can always free it. [H3]
 */
#ifndef LETHE_HANDLE_H
#define LETHE_HANDLE_H

#include "port.h"

struct zspage;

#define ENTRY_LIVE ((u64)1 << 63)
#define ENTRY_PENDING ((u64)1 << 62)
#define ENTRY_PIN ((u64)1 << 56)
#define ENTRY_PINS ((u64)63 << 56)
#define ENTRY_MAX_PINS ((u64)62 << 56)
#define ENTRY_MOVING ENTRY_PINS
#define ENTRY_CLASSES 128

/*
 * Descriptors are aligned to 1 << ENTRY_ZSPAGE_SHIFT, and what port_meta_pack()
 * makes of their addresses is less than 1 << ENTRY_ZSPAGE_REACH: 128 TiB.
 */
#define ENTRY_ZSPAGE_SHIFT 6
#define ENTRY_ZSPAGE_BITS 41
#define ENTRY_ZSPAGE_REACH (ENTRY_ZSPAGE_BITS + ENTRY_ZSPAGE_SHIFT)

#if PORT_CACHELINE % 64
#error "Descriptors are aligned to a cache line, which must be a multiple of 64 bytes."
#endif

/* Can an entry say where @zspage is? */
static inline bool entry_reaches(const struct zspage *zspage)
{
	return !(port_meta_pack(zspage) >> ENTRY_ZSPAGE_REACH);
}

static inline u64 entry_make(unsigned int class_index, const struct zspage *zspage,
			     unsigned int obj)
{
	return ENTRY_LIVE | (u64)class_index << 49 | (u64)obj << 41 |
	       port_meta_pack(zspage) >> ENTRY_ZSPAGE_SHIFT;
}

static inline struct zspage *entry_zspage(u64 entry)
{
	return port_meta_unpack((entry & (((u64)1 << ENTRY_ZSPAGE_BITS) - 1))
				<< ENTRY_ZSPAGE_SHIFT);
}

static inline unsigned int entry_obj(u64 entry)
{
	return (entry >> 41) & 0xff;
}

static inline unsigned int entry_class(u64 entry)
{
	return (entry >> 49) & (ENTRY_CLASSES - 1);
}

/*
 * May the object's free be deferred: is it live, not pending, and not pinned? A drain
 * could not free an object that a task reads. It may be moving.
 */
static inline bool entry_is_idle(u64 e)
{
	e &= ENTRY_LIVE | ENTRY_PENDING | ENTRY_PINS;
	return likely(e == ENTRY_LIVE) || e == (ENTRY_LIVE | ENTRY_MOVING);
}

/*
 * Make an idle entry pending, fully ordered; @e is what it read last. False: it is
 * not idle. Wait-free but for compaction and moves of pages, which change the entry a
 * bounded number of times.
 */
static inline bool entry_set_pending(port_atomic *entry, u64 e)
{
	while (likely(entry_is_idle(e))) {
		if (likely(port_atomic_cmpxchg(entry, &e, e | ENTRY_PENDING)))
			return true;
	}
	return false;
}

/*
 * Claim an object that no task has pinned: it moves. Acquire: pairs with the last unpin.
 * False: it is pinned. Pre: the class lock is held.
 */
static inline bool entry_claim(port_atomic *entry)
{
	u64 e = port_atomic_load(entry);

	do {
		if (e & ENTRY_PINS)
			return false;
	} while (!port_atomic_cmpxchg_acquire(entry, &e, e | ENTRY_MOVING));
	return true;
}

/* Handles are table indices plus one, so that 0 is never a handle. */
static inline unsigned long handle_of_index(u32 index)
{
	return (unsigned long)index + 1;
}

static inline u32 index_of_handle(unsigned long handle)
{
	return (u32)(handle - 1);
}

#endif /* LETHE_HANDLE_H */
