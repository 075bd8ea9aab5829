/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * What a handle stands for: the 64-bit entry that says where its object is.
 *
 *   bit 63      live: the handle is allocated
 *   bit 62      moving: compaction is copying the object (under the class lock)
 *   bits 48-55  pins: readers and writers at work on the object, at most 127
 *   bits 40-47  size class
 *   bits 32-39  index of the object in its zspage
 *   bits 0-31   id of the zspage
 *
 * The class of a live entry never changes. Zspage and index change only under
 * the class lock while pins is 0; so whoever holds the class lock, or a pin,
 * may rely on them. A free handle's entry is 0.
 */
#ifndef LETHE_HANDLE_H
#define LETHE_HANDLE_H

#include "port.h"

#define ENTRY_LIVE ((u64)1 << 63)
#define ENTRY_MOVING ((u64)1 << 62)
#define ENTRY_PIN ((u64)1 << 48)
#define ENTRY_PINS ((u64)0xff << 48)
#define ENTRY_MAX_PINS ((u64)127 << 48)

static inline u64 entry_make(unsigned int class_index, u32 zspage_id, unsigned int obj)
{
	return ENTRY_LIVE | (u64)class_index << 40 | (u64)obj << 32 | zspage_id;
}

static inline u32 entry_zspage(u64 entry)
{
	return (u32)entry;
}

static inline unsigned int entry_obj(u64 entry)
{
	return (entry >> 32) & 0xff;
}

static inline unsigned int entry_class(u64 entry)
{
	return (entry >> 40) & 0xff;
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
