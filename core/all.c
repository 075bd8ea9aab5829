// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * The core as one translation unit, which is how every home compiles it: its hot
 * path (push, free, table, zspage) crosses six files, and kernel modules are
 * linked without optimisation across files.
 */
#include "size_class.c"

#include "handle_table.c"

#include "pending.c"

#include "zspage.c"

#include "free.c"

#include "pool.c"

#include "object.c"

#include "defer_array.c"

#include "defer_tombstone.c"

#include "defer.c"

#include "compact.c"

#include "move.c"

#include "stats.c"
