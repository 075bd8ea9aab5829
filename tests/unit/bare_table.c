// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "bare_table.h"
#include "objects.h"

void table_with_leaves(struct handle_table *t, u32 leaves)
{
	assert_int_equal(table_init(t), 0);
	for (u32 i = 0; i < leaves; i++)
		assert_int_equal(table_grow(t, PORT_ALLOC_WAIT), 0);
}

void table_gone(struct handle_table *t)
{
	table_fini(t);
	assert_int_equal(user_meta_outstanding(), 0);
}
