/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * A zram device of our own, for swap: added, used, and removed again. No other device is
 * touched, and what is changed for it is put back.
 */
#ifndef LETHE_TOOLS_OWNZRAM_H
#define LETHE_TOOLS_OWNZRAM_H

#include <stdbool.h>
#include <stddef.h>

#include "mmstat.h"
#include "say.h"

struct ownzram {
	int id; /**< of the device; negative: there is none */
	char node[32]; /**< /dev/zramN */
	char mm_stat[64]; /**< its file */
	bool swapping; /**< it is swap */
	char policy[32]; /**< zram.policy as it was; empty: as it is */
};

/**
 * ownzram_check() - can the driver add a device?
 *
 * Return: OK, or FAILED, and said why not.
 */
enum outcome ownzram_check(void);

/**
 * ownzram_add() - have the driver add a device
 * @own: its id is negative; filled in; ownzram_end() in any case
 *
 * Return: OK, or FAILED, and said why.
 */
enum outcome ownzram_add(struct ownzram *own);

/**
 * ownzram_start() - make it swap
 * @own: the device, without a size
 * @policy: how it defers, or NULL for a driver that does not
 * @codec: its codec, or NULL for the driver's choice
 * @bytes: its size
 *
 * It gets a higher priority than any swap there is: for as long as it has room, pages
 * that are swapped out go to it.
 *
 * Return: OK; FAILED, and said why; INTERRUPTED.
 */
enum outcome ownzram_start(struct ownzram *own, const char *policy, const char *codec,
			   size_t bytes);

/**
 * ownzram_stop() - no longer swap, and without a size
 *
 * Pages of other processes that went there come back. Without enough memory for that,
 * it stays swap, and the message says what to do later.
 *
 * Return: OK, or FAILED, and said why.
 */
enum outcome ownzram_stop(struct ownzram *own);

/** ownzram_end() - stop and remove it. Return: OK, or FAILED, and said why. */
enum outcome ownzram_end(struct ownzram *own);

#endif /* LETHE_TOOLS_OWNZRAM_H */
