/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
#include "size_class.h"

/* The layout of @size with the least waste per byte; ties go to fewer pages. */
static struct size_class_layout size_class_choose(u32 size)
{
	struct size_class_layout best = {.size = size};
	u32 best_waste = 0;
	u32 n;

	for (n = 1; n <= ZSPAGE_MAX_PAGES; n++) {
		u32 total = n * (u32)PORT_PAGE_SIZE;
		u32 waste = total % size;

		/* waste / total < best_waste / best_total, without dividing */
		if (n > 1 && (u64)waste * best.pages >= (u64)best_waste * n)
			continue;
		best.pages = (u8)n;
		best.objs = (u16)(total / size);
		best_waste = waste;
	}
	return best;
}

void size_class_table_init(struct size_class_table *t)
{
	struct size_class_layout *last = NULL;
	unsigned int step;

	/* From the largest size down, so that a merged class has the largest size. */
	t->nr = 0;
	for (step = SIZE_CLASS_MAX; step >= 1; step--) {
		struct size_class_layout l =
			size_class_choose(step * (u32)SIZE_CLASS_STEP);

		if (!last || last->objs != l.objs || last->pages != l.pages) {
			last = &t->layout[t->nr++];
			*last = l;
		}
		t->of_step[step] = (u8)(t->nr - 1);
	}
	t->of_step[0] = t->of_step[1];
}
