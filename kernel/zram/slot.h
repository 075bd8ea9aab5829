/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The slot table's element: everything that is known about one stored page, in
 * one 64-bit word. 8 bytes a slot: 0.2 % of the disk size at 4 KiB pages.
 *
 *   bit  0       lock
 *   bits 1-3     enum slot_kind
 *   bit  4       held: a task works on a copy of the page, see below
 *   bit  5       doomed: the reader that holds the lock will empty the slot
 *   bits 6-7     of a compressed page: which of the device's algorithms did it
 *   bits 8-24    size of the object in bytes, 1 to 65536
 *   bit  25      none of the device's algorithms makes it any smaller
 *   bit  26      idle: not accessed since it was marked so
 *   bits 32-63   handle, fill value, or block of the backing device
 *
 * Because the word is all there is, replacing a page is one compare-and-swap:
 * the task that wins it owns what the old word named, and no lock is held while that
 * is freed. The lock bit only keeps a word, and so its object, in place while
 * a reader copies the object out.
 *
 * A swap notification may not wait for a reader. It dooms a locked slot instead, in one
 * compare-and-swap, and the reader empties the slot when it unlocks and owns what the
 * slot named. Only a notification sets the doomed bit, only on a locked slot, and only
 * the reader takes it away, in the store that unlocks. So a slot that is not locked is
 * never doomed, and a page written after the notification, which waits for the reader
 * as all writes do, never is.
 *
 * What pairs with what: slot_unlock() is a release, and each change of an unlocked
 * slot's word begins with an acquire of it (slot_lock(), or a fully ordered
 * compare-and-swap). So all that a reader has read of an object is read before another
 * task frees the object. A doomed object is freed by the reader itself: the other
 * readers it ever had unlocked the slot before this one locked it. The notification has
 * nothing to hand over but the bit, so the reader needs no acquire to see it.
 *
 * A task that wants to put the same page into the slot in another form, as recompression
 * and writeback do, sets the held bit, copies the page, takes its time with no lock, and
 * replaces the word if the bit is still there: all that changes what the slot holds takes
 * the bit away with the rest of the word, and so does an access to an idle page; to mark
 * a page as idle does not. One task of a device does this at a time
 * (zram.holder), and once at a time with a slot, so the bit is its own. (The word without
 * the bit would not do: another page of the same size may have got the same handle
 * meanwhile.)
 *
 * Lock order: the lock bit is innermost of zram's locks. It is a spinlock
 * (preemption off); only the allocator's locks are taken under it.
 */
#ifndef ZRAM_SLOT_H
#define ZRAM_SLOT_H

#include <linux/atomic.h>
#include <linux/build_bug.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/types.h>

#define SLOT_LOCK BIT_ULL(0)
#define SLOT_KIND_SHIFT 1
#define SLOT_KIND_MASK 7ULL
#define SLOT_HELD BIT_ULL(4)
#define SLOT_DOOMED BIT_ULL(5)
#define SLOT_PRIORITY_SHIFT 6
#define SLOT_PRIORITY_MASK 3ULL
#define SLOT_SIZE_SHIFT 8
#define SLOT_SIZE_MASK ((1ULL << 17) - 1)
#define SLOT_INCOMPRESSIBLE BIT_ULL(25)
#define SLOT_IDLE BIT_ULL(26)
#define SLOT_PAYLOAD_SHIFT 32

static_assert(BITS_PER_LONG == 64, "zram of project Lethe is for 64-bit kernels only");
static_assert(PAGE_SIZE <= SLOT_SIZE_MASK, "pages are larger than a slot can say");

enum slot_kind {
	SLOT_EMPTY, /* never written, or given back: reads as zeroes */
	SLOT_OBJECT, /* compressed, in an object of the allocator */
	SLOT_HUGE, /* incompressible: the page itself, in an object */
	SLOT_BACKED, /* on the backing device; the size is what its object had */
	SLOT_FILL_SIGNED, /* one value throughout: the payload, sign-extended */
	SLOT_FILL_TWICE, /* one value throughout: the payload in both halves */
	SLOT_FILL_TABLE, /* one value throughout: in a table (fill.c), for it fits neither
			  */
};

typedef atomic64_t zram_slot;

static inline u64 slot_word(enum slot_kind kind, u32 payload, u32 size)
{
	return (u64)payload << SLOT_PAYLOAD_SHIFT | (u64)size << SLOT_SIZE_SHIFT |
	       (u64)kind << SLOT_KIND_SHIFT;
}

static inline enum slot_kind slot_kind(u64 word)
{
	return word >> SLOT_KIND_SHIFT & SLOT_KIND_MASK;
}

static inline unsigned int slot_priority(u64 word)
{
	return word >> SLOT_PRIORITY_SHIFT & SLOT_PRIORITY_MASK;
}

static inline u32 slot_size(u64 word)
{
	return word >> SLOT_SIZE_SHIFT & SLOT_SIZE_MASK;
}

static inline u32 slot_payload(u64 word)
{
	return word >> SLOT_PAYLOAD_SHIFT;
}

static inline bool slot_has_object(u64 word)
{
	enum slot_kind kind = slot_kind(word);

	return kind == SLOT_OBJECT || kind == SLOT_HUGE;
}

/* Same-filled, whether the word says the value or the table. */
static inline bool slot_is_fill(u64 word)
{
	return slot_kind(word) >= SLOT_FILL_SIGNED;
}

/* The object that the slot names, or 0, which freeing ignores. */
static inline unsigned long slot_handle(u64 word)
{
	return slot_has_object(word) ? slot_payload(word) : 0;
}

#define SLOT_WORD_EMPTY slot_word(SLOT_EMPTY, 0, 0)

/*
 * What the slot holds at this moment; it may be something else the next. A doomed slot
 * still holds what its reader reads.
 */
static inline u64 slot_peek(const zram_slot *slot)
{
	return atomic64_read(slot) & ~(SLOT_LOCK | SLOT_DOOMED);
}

/*
 * Put @word in the slot; waits for a reader to be done copying.
 * Post: what was in it, which belongs to the caller.
 */
static inline u64 slot_exchange(zram_slot *slot, u64 word)
{
	s64 seen = atomic64_read(slot);

	for (;;) {
		if (seen & SLOT_LOCK) {
			cpu_relax();
			seen = atomic64_read(slot);
		} else if (atomic64_try_cmpxchg(slot, &seen, word)) {
			return seen;
		}
	}
}

/*
 * Put @next in the slot instead of @word, if that is what it holds; waits for a reader
 * to be done copying. Return: whether it did.
 */
static inline bool slot_replace(zram_slot *slot, u64 word, u64 next)
{
	s64 seen = word;

	while (!atomic64_try_cmpxchg(slot, &seen, next)) {
		if ((seen & ~(SLOT_LOCK | SLOT_DOOMED)) != word)
			return false;
		cpu_relax();
		seen = word;
	}
	return true;
}

/*
 * Put @word in the slot instead of @held, if the slot is still held. A page that has been
 * marked as idle meanwhile is the same page, and stays marked while it is an object.
 * Return: whether it did.
 */
static inline bool slot_settle(zram_slot *slot, u64 held, u64 word)
{
	u64 idle = slot_has_object(word) ? SLOT_IDLE : 0;

	return slot_replace(slot, held, word) ||
	       slot_replace(slot, held | SLOT_IDLE, word | idle);
}

/* The page is accessed: not idle any more. For a task that holds the slot, it has
 * changed. */
static inline void slot_clear_idle(zram_slot *slot)
{
	u64 word = slot_peek(slot);

	while (word & SLOT_IDLE &&
	       !slot_replace(slot, word, word & ~(SLOT_IDLE | SLOT_HELD)))
		word = slot_peek(slot);
}

/*
 * Empty the slot, or have the reader that has it locked do so. Never waits.
 * Post: true: @old was in it, and belongs to the caller. False: to the reader; @old is
 * empty if another call has doomed the slot already.
 */
static inline bool slot_free(zram_slot *slot, u64 *old)
{
	s64 seen = atomic64_read(slot), next;

	do {
		if (seen & SLOT_DOOMED) {
			*old = SLOT_WORD_EMPTY;
			return false;
		}
		next = seen & SLOT_LOCK ? seen | SLOT_DOOMED : SLOT_WORD_EMPTY;
	} while (!atomic64_try_cmpxchg(slot, &seen, next));
	*old = seen & ~SLOT_LOCK;
	return !(seen & SLOT_LOCK);
}

/* Preemption is off until slot_unlock(). */
static inline u64 slot_lock(zram_slot *slot)
{
	s64 seen;

	preempt_disable();
	seen = atomic64_read(slot) & ~(SLOT_LOCK | SLOT_DOOMED);
	while (!atomic64_try_cmpxchg_acquire(slot, &seen, seen | SLOT_LOCK)) {
		seen &= ~(SLOT_LOCK | SLOT_DOOMED);
		cpu_relax();
	}
	return seen;
}

/*
 * @word is what slot_lock() returned. Nothing but the doomed bit is changed in a locked
 * slot, so where the compare-and-swap fails the slot is doomed, and stays so.
 * Post: false: the slot was doomed, is empty, and @word belongs to the caller.
 */
static inline bool __must_check slot_unlock(zram_slot *slot, u64 word)
{
	s64 locked = word | SLOT_LOCK;
	bool keeps = atomic64_try_cmpxchg_release(slot, &locked, word);

	if (unlikely(!keeps))
		atomic64_set_release(slot, SLOT_WORD_EMPTY);
	preempt_enable();
	return keeps;
}

#endif /* ZRAM_SLOT_H */
