// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Keep a CPU from running anything of normal priority, for a bounded time. The
 * suites confine the allocator's threads to that CPU, which holds them back: what
 * is pending then stays pending until somebody flushes it.
 *
 * The kernel threads that belong to the CPU are let through, as the rest of the
 * system waits for them: soft interrupts, RCU, the CPU's own work queues.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "vmtest.h"

#define PRIORITY_HOG 10
#define PRIORITY_BOUND 20

static int set_priority(pid_t pid, int priority)
{
	struct sched_param param = {.sched_priority = priority};

	return sched_setscheduler(pid, SCHED_FIFO, &param);
}

/*
 * ksoftirqd/CPU and, with PREEMPT_RT, rcuc/CPU, ktimers/CPU and others; and
 * kworker/CPU:N, where unbound workers are kworker/uN:N.
 */
static int belongs_to(const char *comm, unsigned long cpu)
{
	const char *slash = strchr(comm, '/');
	char alone[32], worker[32];

	snprintf(alone, sizeof(alone), "/%lu\n", cpu);
	snprintf(worker, sizeof(worker), "kworker/%lu:", cpu);
	return (slash && !strcmp(slash, alone)) || !strncmp(comm, worker, strlen(worker));
}

static void let_through(unsigned long cpu)
{
	char path[64], comm[64];
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	FILE *file;

	if (!proc)
		die("/proc: %s", strerror(errno));
	while ((entry = readdir(proc))) {
		snprintf(path, sizeof(path), "/proc/%.20s/comm", entry->d_name);
		file = fopen(path, "r");
		if (!file)
			continue;
		if (fgets(comm, sizeof(comm), file) && belongs_to(comm, cpu))
			set_priority(atoi(entry->d_name), PRIORITY_BOUND);
		fclose(file);
	}
	closedir(proc);
}

int cmd_hog(int argc, char **argv)
{
	unsigned long cpu;
	uint64_t until;

	if (argc != 3)
		die("needs CPU SECONDS");
	cpu = number(argv[1]);
	until = now_ns() + number(argv[2]) * 1000000000ULL;
	let_through(cpu);
	stay_on(cpu);
	/* Waiting for a page of its own, it would let others run. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		die("mlockall: %s", strerror(errno));
	if (set_priority(0, PRIORITY_HOG))
		die("SCHED_FIFO: %s", strerror(errno));
	puts("ready");
	while (now_ns() < until)
		;
	return 0;
}
