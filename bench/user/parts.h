/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* Which objects are whose, and which of them are freed at random. */
#ifndef LETHE_BENCH_PARTS_H
#define LETHE_BENCH_PARTS_H

#include <stddef.h>
#include <stdint.h>

/** A contiguous part of the objects. */
struct part {
	size_t first;
	size_t n;
};

/** parts_of() - the part of member @i of @members, of @n objects. */
static inline struct part parts_of(size_t n, unsigned int members, unsigned int i)
{
	size_t least = n / members;
	size_t more = n % members;

	return (struct part){i * least + (i < more ? i : more), least + (i < more)};
}

/** parts_kept() - how many objects of a part of @n stay when 90 % are freed. */
static inline size_t parts_kept(size_t n)
{
	return n / 10;
}

/**
 * parts_shuffle() - put the numbers of a part's objects into random order
 * @order: room for @part.n numbers
 *
 * The same every time. The last parts_kept() of them are those that stay.
 */
static inline void parts_shuffle(struct part part, uint32_t *order)
{
	uint64_t x = 0x9e3779b97f4a7c15ULL + part.first;

	for (size_t i = 0; i < part.n; i++) {
		size_t j;

		/* xorshift: a period of 2^64 - 1 */
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		j = (size_t)(x % (i + 1));
		order[i] = order[j];
		order[j] = (uint32_t)(part.first + i);
	}
}

#endif /* LETHE_BENCH_PARTS_H */
