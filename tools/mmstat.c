// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "mmstat.h"

#include <errno.h>

#include "smallfile.h"

#define COLUMNS 9

int mm_stat_read(const char *path, struct mm_stat *mm)
{
	uint64_t column[COLUMNS] = {0};
	int n = smallfile_numbers(path, column, COLUMNS);

	if (n < 0)
		return n;
	if (n < 3)
		return -EINVAL;
	*mm = (struct mm_stat){
		.orig = column[0],
		.compr = column[1],
		.used = column[2],
		.limit = column[3],
		.max_used = column[4],
		.same = column[5],
		.compacted = column[6],
		.huge = column[7],
		.huge_since = column[8],
	};
	return 0;
}
