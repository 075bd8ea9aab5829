/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * An allocator as its user sees it. A ref is what it gave for an object: an
 * address or a handle. One allocator a process. The loops over objects are here,
 * so that every allocator is called as directly as its users call it.
 */
#ifndef LETHE_BENCH_BACKEND_H
#define LETHE_BENCH_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pack.h"

struct backend {
	const char *name;
	const char *library; /**< to be preloaded; NULL: none */
	const char *package; /**< Debian's, that has it; NULL: it is here anyway */

	/** open() - make ready. Return: OK, or FAILED, and said why. */
	enum outcome (*open)(const struct backend *backend);

	/** store() - store objects @first on. Return: how many of the @n. */
	size_t (*store)(const struct pack *pack, size_t first, size_t n, uintptr_t *refs);

	/** holds() - is that the content of the object? */
	bool (*holds)(uintptr_t ref, const void *data, size_t len);

	/** release() - free objects, in this order. */
	void (*release)(const uintptr_t *refs, size_t n);

	/** settle() - wait until what was released is free. NULL: it is at once. */
	void (*settle)(void);

	/** tidy_thread() - give back what this thread keeps for itself. May be NULL. */
	void (*tidy_thread)(void);

	/** tidy() - give back to the system what can be given back. */
	void (*tidy)(void);

	/** own_count() - bytes held by its own account. NULL: it keeps none. */
	uint64_t (*own_count)(void);

	/** close() - undo open(). May be NULL. */
	void (*close)(void);
};

/** backend_at() - Return: the backend number @i, from 0; NULL past the last one. */
const struct backend *backend_at(size_t i);

/** backend_by_name() - Return: the backend of that name, or NULL. */
const struct backend *backend_by_name(const char *name);

extern const struct backend backend_glibc;
extern const struct backend backend_jemalloc;
extern const struct backend backend_mimalloc;
extern const struct backend backend_tcmalloc;
extern const struct backend backend_lethe_free;
extern const struct backend backend_lethe_batch;
extern const struct backend backend_lethe_deferred;

#endif /* LETHE_BENCH_BACKEND_H */
