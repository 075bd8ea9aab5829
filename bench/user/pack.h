/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The compressed pages in a file. They are packed once for all allocators, and
 * each process maps them shared: so every allocator is given the same bytes, and
 * their memory is not anonymous memory of the process that is measured.
 */
#ifndef LETHE_BENCH_PACK_H
#define LETHE_BENCH_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "say.h"

/** Where in the file one compressed page is. */
struct pack_object {
	uint64_t at;
	uint32_t len;
	uint32_t unused;
};

struct pack {
	size_t n;
	size_t payload; /**< bytes of all objects */
	const struct pack_object *object;
	const unsigned char *bytes; /**< the file */
	size_t size; /**< of the file */
};

static inline const void *pack_data(const struct pack *pack, size_t i)
{
	return pack->bytes + pack->object[i].at;
}

/**
 * pack_write() - read pages of real files, compress them, and write the file
 * @input: file or directory, as for "lethe bench"
 * @max_mib: stop reading after this much
 * @path: the file
 *
 * Prints what was read as a JSON object on one line.
 *
 * Return: OK; FAILED, and said why; INTERRUPTED.
 */
enum outcome pack_write(const char *input, size_t max_mib, const char *path);

/** pack_map() - map such a file. Return: OK, or FAILED, and said why. */
enum outcome pack_map(struct pack *pack, const char *path);

#endif /* LETHE_BENCH_PACK_H */
