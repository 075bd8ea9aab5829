// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* Anonymous memory of known content that goes to swap and comes back. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmtest.h"

void region_fill(const struct region *r)
{
	size_t i;

	for (i = 0; i < r->pages; i++)
		content_page(r->mem + i * page_bytes, r->seed, i);
}

/* From both ends, so that not only what was swapped out first is read first. */
void region_check(const struct region *r)
{
	size_t i, at;

	for (i = 0; i < r->pages; i++) {
		at = i & 1 ? r->pages - 1 - i / 2 : i / 2;
		if (content_check(r->mem + at * page_bytes, r->seed, at))
			die("memory does not hold what was written to it");
	}
}

static size_t region_swapped(const struct region *r)
{
	unsigned char resident[256];
	size_t i, j, n, swapped = 0;

	for (i = 0; i < r->pages; i += n) {
		n = r->pages - i < sizeof(resident) ? r->pages - i : sizeof(resident);
		if (mincore(r->mem + i * page_bytes, n * page_bytes, resident))
			die("mincore: %s", strerror(errno));
		for (j = 0; j < n; j++)
			swapped += !(resident[j] & 1);
	}
	return swapped;
}

/*
 * Pages that are busy are passed over: ask again. Some may sit in other CPUs'
 * lists of pages just faulted in, where this does not reach them. Of swap on a disk,
 * pages that zswap could not compress stay in the swap cache until memory is wanted.
 */
static void region_pageout(const struct region *r)
{
	size_t out = 0;
	int tries;

	for (tries = 0; tries < 10; tries++) {
		if (madvise(r->mem, r->pages * page_bytes, MADV_PAGEOUT))
			die("MADV_PAGEOUT: %s", strerror(errno));
		out = region_swapped(r);
		if (out == r->pages)
			return;
		usleep(2000);
	}
	if (out + 96 + r->pages / 32 < r->pages)
		die("only %zu of %zu pages could be swapped out", out, r->pages);
}

/* Waits until all have filled their memory, so that it is wanted all at once. */
static void meet(unsigned int *filled, unsigned int procs)
{
	__atomic_add_fetch(filled, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(filled, __ATOMIC_SEQ_CST) < procs)
		usleep(10000);
}

static int fill_once(size_t pages, uint64_t seed, unsigned int *filled,
		     unsigned int procs)
{
	struct region r = {.pages = pages, .seed = seed}, part;
	size_t kept = r.pages * 3 / 4;

	r.mem = map_pages(r.pages);
	region_fill(&r);
	meet(filled, procs);
	region_check(&r);
	/* Of a part, slots are freed and used again for other content. */
	part = (struct region){.mem = r.mem + kept * page_bytes,
			       .pages = r.pages - kept,
			       .seed = seed + 1000};
	region_fill(&part);
	region_check(&part);
	r.pages = kept;
	region_check(&r);
	return 0;
}

int cmd_fill(int argc, char **argv)
{
	unsigned int *filled; /* shared by the processes: how many have */
	unsigned long procs, i;
	int status, failed = 0;

	if (argc != 3 && argc != 4)
		die("needs MIB SEED [PROCESSES]");
	procs = argc == 4 ? number(argv[3]) : 1;
	filled = mmap(NULL, sizeof(*filled), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (filled == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	for (i = 0; i < procs; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork: %s", strerror(errno));
		if (!pid)
			_exit(fill_once(pages_of(argv[1]) / procs, number(argv[2]) + i,
					filled, procs));
	}
	while (wait(&status) > 0)
		failed |= !WIFEXITED(status) || WEXITSTATUS(status);
	return failed;
}

static void held_command(struct region *r, const char *command)
{
	static uint64_t took; /* the last munmap, in ns */
	uint64_t start = now_ns();

	if (!strcmp(command, "check")) {
		region_check(r);
	} else if (!strcmp(command, "pageout")) {
		region_pageout(r);
	} else if (!strcmp(command, "munmap")) {
		if (munmap(r->mem, r->pages * page_bytes))
			die("munmap: %s", strerror(errno));
		took = now_ns() - start;
		r->mem = NULL;
	} else if (!strcmp(command, "took")) {
		printf("%lu\n", (unsigned long)took);
	} else {
		die("'%s' is not a command", command);
	}
}

/* Says "ready" when all is swapped out, and "done" after each command. */
int cmd_held(int argc, char **argv)
{
	struct region r = {};
	char line[64];

	if (argc != 3)
		die("needs MIB SEED");
	r.pages = pages_of(argv[1]);
	r.seed = number(argv[2]);
	r.mem = map_pages(r.pages);
	region_fill(&r);
	region_pageout(&r);
	puts("ready");
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		held_command(&r, line);
		puts("done");
	}
	return 0;
}
