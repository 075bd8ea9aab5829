/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* A handle table without a pool. */
#ifndef LETHE_TEST_BARE_TABLE_H
#define LETHE_TEST_BARE_TABLE_H

#include "handle_table.h"

void table_with_leaves(struct handle_table *t, u32 leaves);
/* The table is destroyed, and all memory is given back. */
void table_gone(struct handle_table *t);

#endif /* LETHE_TEST_BARE_TABLE_H */
