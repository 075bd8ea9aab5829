/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* Same-filled pages: a slot says the value, and there is no object. */
#ifndef ZRAM_FILL_H
#define ZRAM_FILL_H

#include <linux/types.h>
#include <linux/xarray.h>

bool zram_page_same_filled(const void *page, u64 *value);
bool zram_fill_encode(struct xarray *fills, u64 value, u64 *word);
u64 zram_fill_decode(struct xarray *fills, u64 word);
void zram_fill_release(struct xarray *fills, u64 word);

#endif /* ZRAM_FILL_H */
