// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "back.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "interrupt.h"

#define LOOKS 40000 /* 20 s or more */

static struct {
	uint64_t ns, used;
} look[LOOKS];

/* The look after which no more than 2 % of @full came back, of @n and the last. */
static int find_back(int n, uint64_t before, uint64_t full)
{
	uint64_t most = look[n].used + (full - before) / 50;

	while (n && look[n - 1].used <= most)
		n--;
	return n;
}

enum outcome back_wait(const struct back *back, uint64_t before, uint64_t full,
		       uint64_t start_ns, uint64_t *back_ns)
{
	uint64_t some = before + (full - before) / 5, all = before + (full - before) / 50;
	uint64_t changed = 0;
	struct mm_stat mm;
	int n, err;

	for (n = 0; n < LOOKS; n++) {
		err = back->read(back->mm_stat, &mm);
		if (err)
			return fail("%s cannot be read: %s", back->mm_stat,
				    strerror(-err));
		look[n].used = mm.used;
		look[n].ns = clock_ns(CLOCK_MONOTONIC) - start_ns;
		if (!n || look[n].used != look[n - 1].used)
			changed = look[n].ns;
		if (back->seen && look[n].used <= all)
			back->seen();
		if (look[n].used <= some && look[n].ns - changed >= back->still_ns)
			break;
		if (interrupt_caught())
			return INTERRUPTED;
		usleep(back->look_us);
	}
	if (n == LOOKS)
		return fail(
			"%" PRIu64 " of %" PRIu64 " bytes do not come back: the "
			"kernel's caches of swap slots keep up to 64 pages a CPU, and "
			"other processes may have been swapped out meanwhile",
			look[n - 1].used - before, full - before);
	*back_ns = look[find_back(n, before, full)].ns;
	return OK;
}
