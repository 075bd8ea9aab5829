/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* Same-filled pages: most need no object, as the slot says the value. */
#ifndef ZRAM_FILL_H
#define ZRAM_FILL_H

#include <linux/types.h>

bool zram_page_same_filled(const void *page, u64 *value);
bool zram_fill_encode(u64 value, u64 *word);
u64 zram_fill_decode(u64 word);

#endif /* ZRAM_FILL_H */
