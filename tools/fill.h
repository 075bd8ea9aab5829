/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* Putting the corpus into a pool, and reading it back. */
#ifndef LETHE_TOOLS_FILL_H
#define LETHE_TOOLS_FILL_H

#include <lethe/zsmalloc.h>

#include "corpus.h"
#include "say.h"

/**
 * fill_store() - store every page that takes an object
 * @pool: an empty pool
 * @corpus: the pages
 * @handles: room for @corpus->stored handles; on success all are set, in the
 * order of the pages
 *
 * Return: OK; FAILED, and said why; INTERRUPTED. What has been stored then
 * goes with the pool.
 */
enum outcome fill_store(struct zs_pool *pool, const struct corpus *corpus,
			unsigned long *handles);

/**
 * fill_verify() - read every page back and compare it bit for bit
 * @pool: the pool
 * @corpus: the pages
 * @handles: from fill_store()
 * @verified: how many pages were the same; all of them on success
 *
 * Return: OK; FAILED, and said which page differs; INTERRUPTED.
 */
enum outcome fill_verify(struct zs_pool *pool, const struct corpus *corpus,
			 const unsigned long *handles, size_t *verified);

#endif /* LETHE_TOOLS_FILL_H */
