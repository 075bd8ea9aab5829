/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Hold the first drain thread up at a known point: it is made to free an object
 * whose class lock the test holds. What is pushed meanwhile stays pending, so that
 * a test can count exactly. While held, the test must not touch the held class.
 */
#ifndef LETHE_TEST_HOLD_H
#define LETHE_TEST_HOLD_H

#include "objects.h"

/* Of objects in a class that a held drain thread is not in. */
#define SIZE ((u32)PORT_PAGE_SIZE / 16)

struct worker_hold {
	struct zs_pool *pool;
	void *lock; /* of the held class */
	size_t handles; /* pending handles that hold the thread: 1 */
	struct object bait;
	struct object filler[16];
	size_t fillers;
};

/* Post: the thread waits in a class that no object of another size is in. */
void worker_hold(struct worker_hold *h, struct zs_pool *pool);
void worker_release(struct worker_hold *h);

#endif /* LETHE_TEST_HOLD_H */
