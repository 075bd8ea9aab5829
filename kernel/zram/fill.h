/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* Same-filled pages: no object, as the slot, or a table beside it, says the value. */
#ifndef ZRAM_FILL_H
#define ZRAM_FILL_H

#include <linux/types.h>

struct zram;

bool zram_page_same_filled(const void *page, u64 *value);
int zram_fills_init(struct zram *zram, unsigned long nr_slots);
void zram_fills_fini(struct zram *zram, unsigned long nr_slots);
bool zram_fill_encode(struct zram *zram, unsigned long index, u64 value, u64 *word);
u64 zram_fill_decode(struct zram *zram, unsigned long index, u64 word);

#endif /* ZRAM_FILL_H */
