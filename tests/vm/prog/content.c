// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Page content that can be made again to check it: mostly pages of real files
 * (/corpus), or halves of them twice, each stamped so that no two are equal; now
 * and then a same-filled page or one of random bytes, so that a device's special
 * cases are met.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmtest.h"

static const unsigned char *corpus;
static uint64_t corpus_pages;

static void corpus_open(void)
{
	struct stat st;
	int fd = open("/corpus", O_RDONLY | O_CLOEXEC);
	void *p;

	if (fd < 0 || fstat(fd, &st) || (uint64_t)st.st_size < page_bytes)
		die("/corpus is missing or empty");
	p = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		die("/corpus cannot be mapped");
	close(fd);
	corpus = p;
	corpus_pages = st.st_size / page_bytes;
}

/* splitmix64 */
uint64_t content_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

void content_page(void *page, uint64_t seed, uint64_t index)
{
	uint64_t state = seed * 0x100000001b3ULL + index;
	uint64_t dice = content_random(&state);
	const unsigned char *from;
	uint64_t *words = page;
	size_t i;

	if (!corpus)
		corpus_open();
	switch (dice % 32) {
	case 0: /* same-filled, half of them zero */
		for (i = 0; i < page_bytes / 8; i++)
			words[i] = dice & 32 ? dice >> 8 : 0;
		break;
	case 1: /* incompressible */
		for (i = 0; i < page_bytes / 8; i++)
			words[i] = content_random(&state);
		break;
	default: /* of half of all pages, half twice: compressible, whatever the files */
		from = corpus + (dice >> 8) % corpus_pages * page_bytes;
		memcpy(page, from, page_bytes);
		if (dice % 32 < 18)
			memcpy((char *)page + page_bytes / 2, from, page_bytes / 2);
		words[(dice >> 5) % (page_bytes / 8)] = seed << 40 ^ index;
	}
}

int content_check(const void *page, uint64_t seed, uint64_t index)
{
	static _Alignas(8) unsigned char want[PAGE_MOST];

	content_page(want, seed, index);
	if (!memcmp(page, want, page_bytes))
		return 0;
	fprintf(stderr, "content of page %llu (seed %llu) differs\n",
		(unsigned long long)index, (unsigned long long)seed);
	return -1;
}

/* To standard output: bytes that cannot be compressed, the same on every machine. */
int cmd_noise(int argc, char **argv)
{
	uint64_t bytes, word, state;

	if (argc != 3)
		die("needs BYTES SEED");
	state = number(argv[2]);
	for (bytes = number(argv[1]); bytes >= sizeof(word); bytes -= sizeof(word)) {
		word = content_random(&state);
		fwrite(&word, sizeof(word), 1, stdout);
	}
	return 0;
}
