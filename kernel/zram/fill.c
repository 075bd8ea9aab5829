// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Same-filled pages.
 *
 * A page repeats one 64-bit value, and a slot has 32 bits for it. Nearly all
 * values met in practice (zero, all ones, small numbers, repeated bytes or
 * 32-bit words) fit, by sign extension or by doubling. Any other is in a table beside the
 * slots, of which a page at a time is made when the first such value comes, and which
 * stays until the device is reset: 8 bytes a slot at most. To give up such a slot is to
 * give up its word, as with any same-filled page: the value is left behind. (As objects
 * of the allocator, such values made an exit take 1.2 times as long as with in-tree.)
 *
 * A writer stores the value first, and then the slot's word, fully ordered. A reader that
 * has seen the word sees the value: smp_rmb(). If another write to the slot is under way,
 * the reader may see its value instead, which is whole as well, and what a read at that
 * moment may give. No locks here.
 */
#include <linux/atomic.h>
#include <linux/gfp.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>

#include "fill.h"
#include "zram.h"

#define VALUES_PER_PAGE (PAGE_SIZE / sizeof(u64))

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
 * zram_fills_init() - the table of values, without any
 * @zram: the device
 * @nr_slots: how many slots it is to have
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int zram_fills_init(struct zram *zram, unsigned long nr_slots)
{
	zram->fills = zram_table_alloc(DIV_ROUND_UP(nr_slots, VALUES_PER_PAGE),
				       sizeof(*zram->fills));
	return zram->fills ? 0 : -ENOMEM;
}

/**
 * zram_fills_fini() - free the table of values
 * @zram: the device
 * @nr_slots: how many slots it has
 *
 * Context: process context, may sleep.
 */
void zram_fills_fini(struct zram *zram, unsigned long nr_slots)
{
	unsigned long i;

	for (i = 0; i < DIV_ROUND_UP(nr_slots, VALUES_PER_PAGE); i++) {
		free_page((unsigned long)zram->fills[i]);
		cond_resched();
	}
	vfree(zram->fills);
	zram->fills = NULL;
}

/* The page of values that has that of @index, made if need be; NULL without memory. */
static u64 *fill_page(struct zram *zram, unsigned long index)
{
	u64 **at = &zram->fills[index / VALUES_PER_PAGE];
	u64 *page = READ_ONCE(*at), *other;

	if (page)
		return page;
	/* None of the reserves: without it, the page is compressed as any other. */
	page = (u64 *)__get_free_page(GFP_NOWAIT | __GFP_NOWARN | __GFP_NOMEMALLOC);
	if (!page)
		return NULL;
	other = cmpxchg(at, NULL, page);
	if (!other)
		return page;
	free_page((unsigned long)page);
	return other;
}

/**
 * zram_fill_encode() - make the slot word for a same-filled page
 * @zram: the device, set up
 * @index: the slot, which is about to be given the word
 * @value: the value
 * @word: set to the word
 *
 * Context: process context; does not sleep.
 * Return: false if there is no memory for a value that does not fit a word.
 */
bool zram_fill_encode(struct zram *zram, unsigned long index, u64 value, u64 *word)
{
	u32 low = value;
	u64 *page;

	if ((s64)(s32)low == (s64)value) {
		*word = slot_word(SLOT_FILL_SIGNED, low, 0);
		return true;
	}
	if (low == value >> 32) {
		*word = slot_word(SLOT_FILL_TWICE, low, 0);
		return true;
	}
	page = fill_page(zram, index);
	if (!page)
		return false;
	WRITE_ONCE(page[index % VALUES_PER_PAGE], value);
	*word = slot_word(SLOT_FILL_TABLE, 0, 0);
	return true;
}

/**
 * zram_fill_decode() - the value that a same-filled slot stands for
 * @zram: the device, set up
 * @index: the slot
 * @word: what was in it
 *
 * Context: any context.
 * Return: the value.
 */
u64 zram_fill_decode(struct zram *zram, unsigned long index, u64 word)
{
	u32 payload = slot_payload(word);

	switch (slot_kind(word)) {
	case SLOT_FILL_SIGNED:
		return (s64)(s32)payload;
	case SLOT_FILL_TWICE:
		return (u64)payload << 32 | payload;
	default:
		/* The word was read before: see above. */
		smp_rmb();
		return READ_ONCE(READ_ONCE(
			zram->fills[index / VALUES_PER_PAGE])[index % VALUES_PER_PAGE]);
	}
}
