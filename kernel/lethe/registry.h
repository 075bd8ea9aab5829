/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The pools that exist, for the shrinkers and the OOM notifier.
 */
#ifndef LETHE_REGISTRY_H
#define LETHE_REGISTRY_H

#include <linux/types.h>

struct zs_pool;

/**
 * registry_for_each_pool() - call a function on every pool
 * @fn: what to call; may sleep if the caller may
 * @arg: passed to it
 *
 * No lock is held around @fn, so it may take long. The pool cannot be destroyed
 * meanwhile: zs_destroy_pool() waits.
 *
 * Context: process context.
 * Return: the sum of what @fn returned.
 */
size_t registry_for_each_pool(size_t (*fn)(struct zs_pool *pool, void *arg), void *arg);

#endif /* LETHE_REGISTRY_H */
