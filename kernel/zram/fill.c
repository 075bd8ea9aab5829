// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Same-filled pages.
 *
 * A page repeats one 64-bit value, and a slot has 32 bits for it. Nearly all
 * values met in practice (zero, all ones, small numbers, repeated bytes or
 * 32-bit words) fit, by sign extension or by doubling. Any other goes to a
 * table from which the slot holds a number, and owns it as it would a handle.
 * The table is an xarray, about 17 bytes a value. Its values have 63 bits; the
 * 64th is in the slot's word.
 *
 * Lock order: the table's own spinlock is innermost; it may be taken under
 * the slot lock and under the swap core's locks.
 */
#include <linux/mm.h>
#include <linux/string.h>

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
 * @fills: the device's table of fills
 * @value: the value
 * @word: set to the word; it owns a place in the table if it needs one
 *
 * Context: process context, may sleep; does no I/O.
 * Return: false if the table cannot grow: store the page like any other.
 */
bool zram_fill_encode(struct xarray *fills, u64 value, u64 *word)
{
	u32 low = value, id;

	if ((s64)(s32)low == (s64)value) {
		*word = slot_word(SLOT_FILL_SIGNED, low, 0);
		return true;
	}
	if (low == value >> 32) {
		*word = slot_word(SLOT_FILL_TWICE, low, 0);
		return true;
	}
	if (xa_alloc(fills, &id, xa_mk_value(value >> 1), xa_limit_32b, GFP_NOIO))
		return false;
	*word = slot_word(SLOT_FILL_TABLE, id, 0);
	if (value & 1)
		*word |= SLOT_FILL_ODD;
	return true;
}

/**
 * zram_fill_decode() - the value that a same-filled slot stands for
 * @fills: the device's table of fills
 * @word: a word of one of the SLOT_FILL kinds; for SLOT_FILL_TABLE the
 *        caller has its slot locked, or owns the word
 *
 * Context: any context.
 * Return: the value.
 */
u64 zram_fill_decode(struct xarray *fills, u64 word)
{
	u32 payload = slot_payload(word);
	u64 value;

	switch (slot_kind(word)) {
	case SLOT_FILL_SIGNED:
		return (s64)(s32)payload;
	case SLOT_FILL_TWICE:
		return (u64)payload << 32 | payload;
	default:
		value = (u64)xa_to_value(xa_load(fills, payload)) << 1;
		return word & SLOT_FILL_ODD ? value | 1 : value;
	}
}

/**
 * zram_fill_release() - give up a word that was made by zram_fill_encode()
 * @fills: the device's table of fills
 * @word: the word, no longer in a slot
 *
 * Context: any context; takes the table's spinlock if the word is of the
 * rare kind that has a place there.
 */
void zram_fill_release(struct xarray *fills, u64 word)
{
	if (slot_kind(word) == SLOT_FILL_TABLE)
		xa_erase(fills, slot_payload(word));
}
