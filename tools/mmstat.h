/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* What a zram device holds: its file mm_stat. */
#ifndef LETHE_TOOLS_MMSTAT_H
#define LETHE_TOOLS_MMSTAT_H

#include <stdint.h>

/** The columns, in the order of the file. */
struct mm_stat {
	uint64_t orig; /**< bytes stored */
	uint64_t compr; /**< bytes that they have been compressed to */
	uint64_t used; /**< bytes of memory for that */
	uint64_t limit; /**< most bytes of memory allowed; 0: no limit */
	uint64_t max_used; /**< most bytes of memory ever used */
	uint64_t same; /**< pages that are same-filled */
	uint64_t compacted; /**< pages that compaction gave back */
	uint64_t huge; /**< pages that are incompressible */
	uint64_t huge_since; /**< incompressible pages ever stored */
};

/**
 * mm_stat_read() - read it
 * @path: the file
 * @mm: filled in; columns that a kernel does not have are 0
 *
 * Return: 0, or a negative errno.
 */
int mm_stat_read(const char *path, struct mm_stat *mm);

#endif /* LETHE_TOOLS_MMSTAT_H */
