/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* Arenas: see arena.h. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/uio.h>

#include "advise.h"
#include "arena.h"
#include "poison.h"

/* mmap() @size bytes; NULL if it fails. */
static char *arena_mmap(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* An aligned piece of address space: by luck first, else cut from a larger one. */
static char *arena_mmap_aligned(void)
{
	char *p = arena_mmap(ARENA_SIZE);
	size_t head;

	if (!p || ((uintptr_t)p & (ARENA_SIZE - 1)) == 0)
		return p;
	munmap(p, ARENA_SIZE);
	p = arena_mmap(2 * ARENA_SIZE);
	if (!p)
		return NULL;
	head = -(uintptr_t)p & (ARENA_SIZE - 1);
	if (head)
		munmap(p, head);
	munmap(p + head + ARENA_SIZE, ARENA_SIZE - head);
	return p + head;
}

struct arena *arena_map(void)
{
	char *p = arena_mmap_aligned();
	struct arena *a = (struct arena *)p;

	if (!p)
		return NULL;
	/* Pages come and go one by one; a huge page would stay until the last. */
	madvise(p, ARENA_SIZE, MADV_NOHUGEPAGE);
	for (unsigned int i = 1; i < ARENA_SLOTS; i++)
		a->free[i / 64] |= 1ull << (i % 64);
	a->nr_free = ARENA_PAGES;
	user_poison(p + PORT_PAGE_SIZE, ARENA_SIZE - PORT_PAGE_SIZE);
	return a;
}

void arena_unmap(struct arena *a)
{
	user_unpoison(a, ARENA_SIZE);
	munmap(a, ARENA_SIZE);
}

static char *arena_page(struct arena *a, unsigned int slot)
{
	return (char *)a + ((size_t)slot << PORT_PAGE_SHIFT);
}

void *arena_take(struct arena *a)
{
	const u64 *from = a->nr_dirty ? a->dirty : a->free;
	unsigned int word = 0;
	unsigned int slot;
	u64 bit;

	while (!from[word])
		word++;
	slot = word * 64 + port_ctz64(from[word]);
	bit = 1ull << (slot % 64);
	a->nr_dirty -= a->dirty[word] & bit ? 1 : 0;
	a->dirty[word] &= ~bit;
	a->free[word] &= ~bit;
	a->nr_free--;
	user_unpoison(arena_page(a, slot), PORT_PAGE_SIZE);
	return arena_page(a, slot);
}

void arena_put(struct arena *a, void *page)
{
	unsigned int slot =
		(unsigned int)(((uintptr_t)page - (uintptr_t)a) >> PORT_PAGE_SHIFT);
	u64 bit = 1ull << (slot % 64);

	PORT_ASSERT(slot > 0 && !(a->free[slot / 64] & bit));
	user_poison(page, PORT_PAGE_SIZE);
	a->free[slot / 64] |= bit;
	a->dirty[slot / 64] |= bit;
	a->nr_free++;
	a->nr_dirty++;
}

/* The next slot from @slot on with a bit of @value; ARENA_SLOTS if there is none. */
static unsigned int bits_next(const u64 *bits, unsigned int slot, bool value)
{
	while (slot < ARENA_SLOTS) {
		u64 word = (value ? bits[slot / 64] : ~bits[slot / 64]) >> (slot % 64);

		if (word) {
			slot += port_ctz64(word);
			return slot < ARENA_SLOTS ? slot : ARENA_SLOTS;
		}
		slot = (slot | 63) + 1;
	}
	return ARENA_SLOTS;
}

static void arena_claim_run(struct arena *a, struct arena_claim *claim, unsigned int slot,
			    unsigned int end)
{
	for (; slot < end; slot++) {
		u64 bit = a->dirty[slot / 64] & 1ull << (slot % 64);

		claim->nr += bit != 0;
		claim->bits[slot / 64] |= bit;
		a->dirty[slot / 64] &= ~bit;
		a->free[slot / 64] &= ~bit;
	}
}

void arena_claim_runs(struct arena *a, struct arena_claim *claim, unsigned int least)
{
	unsigned int slot = a->nr_dirty ? bits_next(a->free, 0, true) : ARENA_SLOTS;

	port_memset(claim, 0, sizeof(*claim));
	while (slot < ARENA_SLOTS) {
		unsigned int end = bits_next(a->free, slot, false);

		if (end - slot >= least)
			arena_claim_run(a, claim, slot, end);
		slot = bits_next(a->free, end, true);
	}
	a->nr_free -= claim->nr;
	a->nr_dirty -= claim->nr;
}

void arena_discard(struct arena *a, const struct arena_claim *claim)
{
	struct iovec run[ARENA_SLOTS / 2]; /* each with a gap behind it */
	unsigned int slot = bits_next(claim->bits, 0, true);
	unsigned int n = 0;

	while (slot < ARENA_SLOTS) {
		unsigned int end = bits_next(claim->bits, slot, false);

		run[n++] = (struct iovec){
			.iov_base = arena_page(a, slot),
			.iov_len = (size_t)(end - slot) << PORT_PAGE_SHIFT,
		};
		slot = bits_next(claim->bits, end, true);
	}
	/* cppcheck-suppress uninitvar */
	advise_discard(run, n);
}

void arena_claim_cold(struct arena *a, struct arena_claim *claim, unsigned int most)
{
	unsigned int slot = bits_next(a->free, 0, true);
	unsigned int end = bits_next(a->free, slot, false);

	port_memset(claim, 0, sizeof(*claim));
	claim->nr = end - slot < most ? end - slot : most;
	for (end = slot + claim->nr; slot < end; slot++) {
		claim->bits[slot / 64] |= 1ull << (slot % 64);
		a->free[slot / 64] &= ~(1ull << (slot % 64));
	}
	a->nr_free -= claim->nr;
}

bool arena_populate(struct arena *a, const struct arena_claim *claim)
{
	unsigned int slot = bits_next(claim->bits, 0, true);

	return advise_populate(arena_page(a, slot), (size_t)claim->nr << PORT_PAGE_SHIFT);
}

void arena_unclaim(struct arena *a, const struct arena_claim *claim, bool resident)
{
	for (unsigned int w = 0; w < ARENA_WORDS; w++) {
		a->free[w] |= claim->bits[w];
		if (resident)
			a->dirty[w] |= claim->bits[w];
	}
	a->nr_free += claim->nr;
	if (resident)
		a->nr_dirty += claim->nr;
}
