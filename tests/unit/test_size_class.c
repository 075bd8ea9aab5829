/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* Size classes: pure functions, so every size there is is tried. */
#include "test.h"
#include "handle.h"
#include "size_class.h"

static struct size_class_table table;

static const struct size_class_layout *layout_of(size_t size)
{
	return &table.layout[size_class_index(&table, size)];
}

static void every_size_fits_its_class(void **state)
{
	(void)state;
	for (size_t size = 1; size <= PORT_PAGE_SIZE; size++) {
		assert_true(size_class_index(&table, size) < table.nr);
		assert_true(layout_of(size)->size >= size);
	}
}

static void objects_fit_their_zspage(void **state)
{
	(void)state;
	assert_true(table.nr > 0 && table.nr <= SIZE_CLASS_MAX);
	assert_true(table.nr <= ENTRY_CLASSES);
	for (unsigned int i = 0; i < table.nr; i++) {
		const struct size_class_layout *l = &table.layout[i];

		assert_in_range(l->pages, 1, 8);
		assert_in_range(l->objs, 1, ZSPAGE_MAX_OBJS);
		assert_true((size_t)l->objs * l->size <= l->pages * PORT_PAGE_SIZE);
		/* And no further one would fit. */
		assert_true((size_t)(l->objs + 1u) * l->size > l->pages * PORT_PAGE_SIZE);
	}
}

/* What an unmerged class would have: the layout of least waste of up to 8 pages. */
static struct size_class_layout best_layout(size_t size)
{
	struct size_class_layout best = {.size = (u32)size};
	double least = 2;

	for (u8 pages = 1; pages <= 8; pages++) {
		size_t total = pages * PORT_PAGE_SIZE;
		double waste = (double)(total % size) / (double)total;

		if (waste < least - 1e-12) {
			least = waste;
			best.pages = pages;
			best.objs = (u16)(total / size);
		}
	}
	return best;
}

/* Rounding up costs at most 1/256 of a page, except where layouts are equal. */
static void granularity_is_a_256th_of_a_page(void **state)
{
	(void)state;
	for (size_t size = 1; size <= PORT_PAGE_SIZE; size++) {
		size_t step = PORT_PAGE_SIZE / 256;
		size_t rounded = (size + step - 1) / step * step;
		struct size_class_layout want = best_layout(rounded);

		assert_int_equal(layout_of(size)->objs, want.objs);
		assert_int_equal(layout_of(size)->pages, want.pages);
	}
}

static void equal_layouts_are_one_class(void **state)
{
	(void)state;
	for (unsigned int a = 0; a < table.nr; a++) {
		for (unsigned int b = 0; b < a; b++)
			assert_false(table.layout[a].objs == table.layout[b].objs &&
				     table.layout[a].pages == table.layout[b].pages);
	}
}

static void larger_sizes_never_get_smaller_classes(void **state)
{
	(void)state;
	for (size_t size = 2; size <= PORT_PAGE_SIZE; size++)
		assert_true(layout_of(size)->size >= layout_of(size - 1)->size);
}

static void a_page_takes_a_page(void **state)
{
	(void)state;
	assert_int_equal(layout_of(PORT_PAGE_SIZE)->size, PORT_PAGE_SIZE);
	assert_int_equal(layout_of(PORT_PAGE_SIZE)->objs, 1);
	assert_int_equal(layout_of(PORT_PAGE_SIZE)->pages, 1);
}

static int set_up(void **state)
{
	(void)state;
	size_class_table_init(&table);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_size_fits_its_class),
		cmocka_unit_test(objects_fit_their_zspage),
		cmocka_unit_test(granularity_is_a_256th_of_a_page),
		cmocka_unit_test(equal_layouts_are_one_class),
		cmocka_unit_test(larger_sizes_never_get_smaller_classes),
		cmocka_unit_test(a_page_takes_a_page),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
