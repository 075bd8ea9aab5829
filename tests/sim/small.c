/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
#include "small.h"

void small_run(enum zs_defer_policy policy, u32 *passed, u32 *failed)
{
	(void)policy;
	(void)passed;
	(void)failed;
}
