// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * User-Mode Linux counts the CPU time of tasks in ticks of 10 ms, because no
 * scheduler clock of its own stands in for the kernel's default. This one is
 * the host's clock, in ns. Added to arch/um/kernel by scripts/uml-build.sh.
 */
#include <linux/sched/clock.h>
#include <os.h>

unsigned long long notrace sched_clock(void)
{
	return os_nsecs();
}
