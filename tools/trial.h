/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * What freeing swapped-out memory costs on this machine: a process of our own swaps its
 * memory to a zram device of our own, and unmaps it or is killed.
 */
#ifndef LETHE_TOOLS_TRIAL_H
#define LETHE_TOOLS_TRIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ownzram.h"
#include "say.h"

#define TRIAL_MAX_ROUNDS 1000

struct trial_options {
	bool help; /**< show the usage and do nothing */
	unsigned long mib; /**< memory of the process */
	unsigned long rounds;
	const char *codec; /**< NULL: the driver's choice */
	const char *input; /**< where page content comes from */
};

/** Medians of all rounds. */
struct trial_figures {
	double munmap_ns, kill_ns; /**< for each page */
	double back_ms; /**< from the kill until the memory is back */
	double stored, used; /**< bytes that were stored, and memory for them */
};

struct trial {
	const struct trial_options *options;
	struct ownzram own;
	size_t pages; /**< of the process */
	int content; /**< file of page content; negative: not open */
	uint64_t others; /**< most pages on the device beyond the process's */
};

/**
 * trial_prepare() - check that there is memory enough, and read page content
 * @trial: the options are set; trial_release() in any case
 *
 * Return: OK; FAILED, and said why; INTERRUPTED.
 */
enum outcome trial_prepare(struct trial *trial);

/**
 * trial_run() - measure all rounds of several policies, interleaved
 * @trial: prepared
 * @policies: the policies; NULL for a driver that has none
 * @n: how many
 * @figures: filled in, one for each policy
 *
 * Return: OK; FAILED, and said why; INTERRUPTED. The device may be in use then.
 */
enum outcome trial_run(struct trial *trial, const char *const *policies, unsigned int n,
		       struct trial_figures *figures);

/** trial_release() - give memory back. */
void trial_release(struct trial *trial);

#endif /* LETHE_TOOLS_TRIAL_H */
