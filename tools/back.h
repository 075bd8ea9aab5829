/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* When the memory of a zram device is back. */
#ifndef LETHE_TOOLS_BACK_H
#define LETHE_TOOLS_BACK_H

#include <stdint.h>

#include "mmstat.h"
#include "say.h"

/** How to look. */
struct back {
	const char *mm_stat; /**< file of the device */
	/** reads it: mm_stat_read(), or what does the same for another kind of file */
	int (*read)(const char *path, struct mm_stat *mm);
	unsigned int look_us; /**< time between two looks */
	uint64_t still_ns; /**< nothing has changed for so long: it is over */
	/** called at each look from the first at which memory is back; may be NULL */
	void (*seen)(void);
};

/** Long beside any timer of an allocator. */
#define BACK_STILL_NS 25000000ULL
#define BACK_LOOK_US 500

/**
 * back_wait() - wait until mm_stat shows all of the memory back but 2 %
 * @back: how to look
 * @before: bytes used before anything was stored
 * @full: bytes used when everything was
 * @start_ns: when freeing began, by CLOCK_MONOTONIC
 * @back_ns: how long it took from then
 *
 * All is what is back once nothing changes any more: the kernel's per-CPU caches of
 * swap slots keep some pages.
 *
 * Return: OK; FAILED, and said why, if it takes longer than 20 s or more; INTERRUPTED.
 */
enum outcome back_wait(const struct back *back, uint64_t before, uint64_t full,
		       uint64_t start_ns, uint64_t *back_ns);

#endif /* LETHE_TOOLS_BACK_H */
