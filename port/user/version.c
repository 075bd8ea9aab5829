/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* The version of the library. */
#include "lethe/zsmalloc.h"

_Static_assert(LETHE_VERSION_NUMBER == LETHE_PROJECT_VERSION,
	       "include/lethe/zsmalloc.h has another version than the tree");

unsigned int zs_version_number(void)
{
	return LETHE_VERSION_NUMBER;
}
