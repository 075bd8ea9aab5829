/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The pools that exist, for the shrinkers and the OOM notifier.
 */
#ifndef LETHE_REGISTRY_H
#define LETHE_REGISTRY_H

#include <linux/types.h>

struct zs_pool;

/*
 * Both call a function on every pool, which may sleep if the caller may, and take long:
 * no lock is held around it. The pool cannot be destroyed meanwhile: zs_destroy_pool()
 * waits. Context: process context.
 */

/**
 * registry_count() - add up what the pools have
 * @count: how much a pool has
 *
 * Return: the sum.
 */
size_t registry_count(size_t (*count)(struct zs_pool *pool));

/**
 * registry_take() - take from one pool after the other until there is enough
 * @take: takes up to about @want from a pool, and returns how much it has taken
 * @want: how much is wanted
 *
 * Return: how much was taken; it may be a little more than @want.
 */
size_t registry_take(size_t (*take)(struct zs_pool *pool, size_t want), size_t want);

#endif /* LETHE_REGISTRY_H */
