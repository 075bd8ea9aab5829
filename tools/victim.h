/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Processes that fill their memory, swap all of it out, and end: what it costs to free
 * swapped-out memory, by munmap and by SIGKILL.
 */
#ifndef LETHE_TOOLS_VICTIM_H
#define LETHE_TOOLS_VICTIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "say.h"

#define MAX_VICTIMS 64

/** What a process does when victims_go() tells it to. */
enum victim_act {
	VICTIM_MUNMAP, /**< unmap its memory */
	VICTIM_READ, /**< touch all of its memory */
};

struct victims {
	/* Set by the caller, the rest being zero: */
	unsigned long n; /**< processes, at most MAX_VICTIMS */
	size_t pages; /**< of each */
	const char *input; /**< file that page content comes from; NULL: same-filled */
	bool fills; /**< same-filled with a 64-bit value of its own in each page */
	enum victim_act act;
	/* Since victims_start(): */
	pid_t pid[MAX_VICTIMS]; /**< 0: reaped */
	uint64_t cpu_before_ns[MAX_VICTIMS];
	struct victim_times *times; /**< of each, in memory shared with it */
	int go[2]; /**< a byte for each process tells it to act */
};

/** What a process tells. */
struct victim_times {
	uint64_t start_ns, end_ns, cpu_ns; /**< of its act */
	uint64_t store_ns; /**< time to swap its memory out */
};

/** What an end of all processes took. */
struct victim_end {
	/**
	 * go: from the first process's start until the last one's end;
	 * kill: from the first SIGKILL until the last process is reaped
	 */
	uint64_t ns;
	uint64_t at_ns; /**< when that began, by CLOCK_MONOTONIC */
	uint64_t cpu_ns; /**< CPU time of the processes from then on */
};

/**
 * victims_start() - start the processes, and wait until their memory is swapped out
 *
 * Return: OK; FAILED, and said why; INTERRUPTED. victims_end() in any case.
 */
enum outcome victims_start(struct victims *victims);

/** victims_store_ns() - time of one process after another to swap out, summed. */
uint64_t victims_store_ns(const struct victims *victims);

/**
 * victims_count_cpu() - note the CPU time used so far, for victims_kill()
 *
 * Return: OK, or FAILED, and said why.
 */
enum outcome victims_count_cpu(struct victims *victims);

/** victims_kill() - kill and reap all of them. Return: OK, or FAILED, and said why. */
enum outcome victims_kill(struct victims *victims, struct victim_end *end);

/** victims_go() - have all act, and reap them. Return: OK, or FAILED, and said why. */
enum outcome victims_go(struct victims *victims, struct victim_end *end);

/** victims_end() - kill those that are left, and give all resources back. */
void victims_end(struct victims *victims);

#endif /* LETHE_TOOLS_VICTIM_H */
