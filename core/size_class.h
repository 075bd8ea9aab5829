/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Size classes: which sizes share a zspage layout, and what that layout is.
 * Pure functions of the page size.
 */
#ifndef LETHE_SIZE_CLASS_H
#define LETHE_SIZE_CLASS_H

#include "port.h"

/* Sizes are rounded up to 1/256 of a page: 16 bytes for 4 KiB pages. */
#define SIZE_CLASS_STEP (PORT_PAGE_SIZE >> 8)
#define SIZE_CLASS_MAX 256
#define ZSPAGE_MAX_PAGES 8
/*
 * A layout of n pages of size k steps is only chosen over fewer pages if it
 * wastes less, so n <= k, and 256 * n / k objects never exceed this. An
 * object's index in its zspage therefore fits in 8 bits.
 */
#define ZSPAGE_MAX_OBJS 256

struct size_class_layout {
	u32 size; /* bytes of one object */
	u16 objs; /* objects in a zspage */
	u8 pages; /* pages in a zspage */
};

struct size_class_table {
	u16 nr; /* layouts in use */
	u8 of_step[SIZE_CLASS_MAX + 1]; /* steps, rounded up -> index of layout */
	struct size_class_layout layout[SIZE_CLASS_MAX];
};

/* The class of an object of @size bytes. Pre: 1 <= @size <= PORT_PAGE_SIZE. */
static inline unsigned int size_class_index(const struct size_class_table *t, size_t size)
{
	return t->of_step[(size + SIZE_CLASS_STEP - 1) / SIZE_CLASS_STEP];
}

/* Fill in @t; classes of equal layout are merged into the largest of them. */
void size_class_table_init(struct size_class_table *t);

#endif /* LETHE_SIZE_CLASS_H */
