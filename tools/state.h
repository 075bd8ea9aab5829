/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * What zram does on this machine at a moment: the driver, its devices, and the pools of
 * the allocator, as sysfs and debugfs show them. Only reads.
 */
#ifndef LETHE_TOOLS_STATE_H
#define LETHE_TOOLS_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mmstat.h"
#include "say.h"

enum zram_kind {
	ZRAM_NONE,
	ZRAM_LETHE,
	ZRAM_KERNEL, /**< the kernel's own, a module */
	ZRAM_BUILT_IN, /**< the kernel's own, built in */
};

struct driver {
	enum zram_kind kind;
	bool lethe; /**< lethe.ko is loaded, for zram or not */
	bool in_tree; /**< the kernel has it in place of its own zsmalloc */
	char version[32]; /**< of lethe.ko; empty if it does not say */
	char policy[32]; /**< zram.policy or zsmalloc.policy; empty if there is neither */
	char budget[32]; /**< zram.budget; likewise */
};

struct device {
	char name[32];
	bool ready; /**< it has been given a size */
	uint64_t size; /**< bytes */
	char codec[32];
	struct mm_stat mm;
};

/** A line "key: value" of deferred_free or stats. */
struct pool_line {
	char key[40];
	char value[40];
};

struct pool {
	char name[64];
	struct pool_line lines[64];
	size_t n_lines;
};

struct state {
	uint64_t at_ns; /**< when it was read, by CLOCK_MONOTONIC */
	struct driver driver;
	struct device *devices; /**< by number */
	size_t n_devices;
	struct pool *pools; /**< by name */
	size_t n_pools;
	char unread[256]; /**< a sentence on what may not be read; empty if all may */
};

/**
 * driver_read() - which zram is loaded
 * @root: what to put before /sys; "" for this machine
 * @driver: filled in
 */
void driver_read(const char *root, struct driver *driver);

/**
 * state_read() - read everything
 * @root: as for driver_read()
 * @state: filled in; state_release() in any case
 *
 * Return: OK, or FAILED, and said why.
 */
enum outcome state_read(const char *root, struct state *state);

/** state_release() - give the memory back. */
void state_release(struct state *state);

/**
 * pool_text() - the value of a line of a pool
 * @pool: the pool
 * @key: the line's key
 *
 * Return: the value, or NULL if there is no such line.
 */
const char *pool_text(const struct pool *pool, const char *key);

/** pool_number() - the same as a number; 0 if there is no such line. */
uint64_t pool_number(const struct pool *pool, const char *key);

/**
 * pool_rate() - how fast a counter of a pool grows
 * @before: what was read earlier, or NULL
 * @now: what was read last, with @pool in it
 * @pool: the pool
 * @key: the counter's key
 *
 * Return: counts per second; negative if it cannot be told, as the pool was not
 * there before.
 */
double pool_rate(const struct state *before, const struct state *now,
		 const struct pool *pool, const char *key);

#endif /* LETHE_TOOLS_STATE_H */
