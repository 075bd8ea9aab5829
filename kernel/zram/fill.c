// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Same-filled pages.
 *
 * A page repeats one 64-bit value, and a slot has 32 bits for it. Nearly all
 * values met in practice (zero, all ones, small numbers, repeated bytes or
 * 32-bit words) fit, by sign extension or by doubling. Any other is stored in an
 * object of its own (store.c), which is freed as that of any page: at once from the
 * slot, and deferred by the allocator. No locks here.
 */
#include <linux/mm.h>

#include "fill.h"
#include "slot.h"

/**
 * zram_page_same_filled() - does a page repeat one value?
 * @page: the page's content
 * @value: set to the value if so
 *
 * Context: any context.
 * Return: whether it does.
 */
bool zram_page_same_filled(const void *page, u64 *value)
{
	const u64 *words = page;
	const unsigned int last = PAGE_SIZE / sizeof(u64) - 1;
	unsigned int i;

	/* Most pages that start alike differ at the end; ask there first. */
	if (words[0] != words[last])
		return false;
	for (i = 1; i < last; i++)
		if (words[i] != words[0])
			return false;
	*value = words[0];
	return true;
}

/**
 * zram_fill_encode() - make the slot word for a same-filled page
 * @value: the value
 * @word: set to the word
 *
 * Context: any context.
 * Return: false if the value does not fit a word: it needs an object.
 */
bool zram_fill_encode(u64 value, u64 *word)
{
	u32 low = value;

	if ((s64)(s32)low == (s64)value) {
		*word = slot_word(SLOT_FILL_SIGNED, low, 0);
		return true;
	}
	if (low == value >> 32) {
		*word = slot_word(SLOT_FILL_TWICE, low, 0);
		return true;
	}
	return false;
}

/**
 * zram_fill_decode() - the value that a same-filled slot stands for
 * @word: what zram_fill_encode() made
 *
 * Context: any context.
 * Return: the value.
 */
u64 zram_fill_decode(u64 word)
{
	u32 payload = slot_payload(word);

	if (slot_kind(word) == SLOT_FILL_SIGNED)
		return (s64)(s32)payload;
	return (u64)payload << 32 | payload;
}
