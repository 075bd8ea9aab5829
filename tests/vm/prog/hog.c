// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Keep a CPU from running anything of normal priority, for a bounded time. The
 * suites confine unbound work queues to that CPU, which holds the allocator's
 * worker back: what is pending then stays pending until somebody flushes it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "vmtest.h"

int cmd_hog(int argc, char **argv)
{
	struct sched_param param = {.sched_priority = 10};
	cpu_set_t set;
	uint64_t until;

	if (argc != 3)
		die("needs CPU SECONDS");
	CPU_ZERO(&set);
	CPU_SET(number(argv[1]), &set);
	until = now_ns() + number(argv[2]) * 1000000000ULL;
	if (sched_setaffinity(0, sizeof(set), &set))
		die("CPU %s: %s", argv[1], strerror(errno));
	if (sched_setscheduler(0, SCHED_FIFO, &param))
		die("SCHED_FIFO: %s", strerror(errno));
	puts("ready");
	while (now_ns() < until)
		;
	return 0;
}
