// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bystander.h"

#define PAGE_BYTES 4096UL
#define REGION_PAGES 1024UL
#define SAMPLES 65536UL
/* So many pages, then a rest: some 10 % of a CPU, so that it is in nobody's way. */
#define PAGES_AT_A_TIME 4
#define REST_NS 250000

static struct {
	volatile bool stop;
	volatile unsigned long n;
	uint32_t ns[SAMPLES];
} * shared;

static pid_t child;

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void fault_in(unsigned char *page)
{
	uint64_t start = now_ns();

	*(volatile unsigned char *)page = 1;
	shared->ns[shared->n++] = now_ns() - start;
}

__attribute__((noreturn)) static void bystander_main(void)
{
	const struct timespec rest = {.tv_nsec = REST_NS};
	unsigned char *mem = mmap(NULL, REGION_PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long page = 0, i;

	/* EINVAL: a kernel that has no large pages */
	if (mem == MAP_FAILED ||
	    (madvise(mem, REGION_PAGES * PAGE_BYTES, MADV_NOHUGEPAGE) && errno != EINVAL))
		_exit(1);
	while (!shared->stop && shared->n + PAGES_AT_A_TIME <= SAMPLES) {
		for (i = 0; i < PAGES_AT_A_TIME; i++)
			fault_in(mem + page++ * PAGE_BYTES);
		if (page == REGION_PAGES) {
			madvise(mem, REGION_PAGES * PAGE_BYTES, MADV_DONTNEED);
			page = 0;
		}
		nanosleep(&rest, NULL);
	}
	_exit(0);
}

int bystander_start(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (shared == MAP_FAILED)
		return -1;
	child = fork();
	if (child < 0)
		return -1;
	if (!child)
		bystander_main();
	return 0;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

void bystander_stop(struct fault_times *times)
{
	unsigned long n;

	shared->stop = true;
	waitpid(child, NULL, 0);
	n = shared->n;
	*times = (struct fault_times){.faults = n};
	if (n) {
		qsort(shared->ns, n, sizeof(*shared->ns), compare);
		times->p50_ns = shared->ns[n / 2];
		times->p99_ns = shared->ns[n * 99 / 100];
		times->max_ns = shared->ns[n - 1];
	}
	munmap(shared, sizeof(*shared));
}
