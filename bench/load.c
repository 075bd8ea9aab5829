// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"

#define MAX_LOOPS 64
#define LOOP_PRIORITY 1
#define WATCHER_PRIORITY 50
/* The scheduler spreads new loops over the CPUs within some ms. */
#define SETTLE_US 100000

static pid_t loop[MAX_LOOPS];
static int loops;

static bool is_fifo(const char *load)
{
	return !strcmp(load, "fifo");
}

bool load_valid(const char *load)
{
	char *end;
	unsigned long n = strtoul(load, &end, 10);

	return is_fifo(load) || (*load >= '0' && *load <= '9' && !*end && n <= MAX_LOOPS);
}

/*
 * The watcher stays on one CPU. Wherever it wakes, the kernel pushes a SCHED_FIFO
 * loop to another CPU; so the loop leaves this one once, and then stays where it is.
 */
static int pin_to_first_cpu(void)
{
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	return sched_setaffinity(0, sizeof(first), &first);
}

static int set_policy(int policy, int priority)
{
	const struct sched_param param = {.sched_priority = priority};

	return sched_setscheduler(0, policy, &param);
}

__attribute__((noreturn)) static void loop_main(bool fifo)
{
	if (set_policy(fifo ? SCHED_FIFO : SCHED_OTHER, fifo ? LOOP_PRIORITY : 0))
		_exit(1);
	for (;;)
		__asm__ volatile("");
}

int load_start(const char *load)
{
	bool fifo = is_fifo(load);
	int n = fifo ? 1 : atoi(load);

	/* First of all: after the loops, the caller might not run to become it. */
	if (set_policy(SCHED_FIFO, WATCHER_PRIORITY))
		return -1;
	for (loops = 0; loops < n; loops++) {
		loop[loops] = fork();
		if (loop[loops] < 0)
			return -1;
		if (!loop[loops])
			loop_main(fifo);
	}
	if (pin_to_first_cpu())
		return -1;
	usleep(SETTLE_US);
	return 0;
}

int load_stop(void)
{
	int status;

	for (; loops; loops--) {
		kill(loop[loops - 1], SIGKILL);
		if (waitpid(loop[loops - 1], &status, 0) < 0)
			return -1;
		if (!WIFSIGNALED(status)) {
			errno = ECHILD;
			return -1;
		}
	}
	return set_policy(SCHED_OTHER, 0);
}
