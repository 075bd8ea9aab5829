// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bystander.h"
#include "clock.h"

#define PAGE_BYTES 4096UL
#define REGION_PAGES 1024UL
#define NS_PER_S 1000000000ULL
#define WINDOW_NS (BYSTANDER_MS * 1000000ULL)
/* A page is due so often: some 10 % of a CPU in QEMU, so that it is in nobody's way. */
#define DUE_NS 250000ULL
#define SAMPLES (WINDOW_NS / DUE_NS)

struct shared {
	unsigned long samples;
	uint32_t fault_ns[SAMPLES];
	uint32_t late_ns[SAMPLES];
};
static struct shared *shared;

static pid_t child;

static void sleep_until(uint64_t ns)
{
	const struct timespec at = {.tv_sec = (time_t)(ns / NS_PER_S),
				    .tv_nsec = (long)(ns % NS_PER_S)};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

/*
 * A page is needed at @due, and maybe more until it is there: they are there with it. So
 * the samples are spread evenly over the window, however slow faults are. A fault of 1 ms
 * is one of 1000 us, one of 750 and so on. That the process wakes up late is not the
 * fault's doing, but the page is late by that, too. Returns when the next is needed.
 */
static uint64_t fault_in(unsigned char *page, uint64_t due)
{
	uint64_t start = clock_ns(CLOCK_MONOTONIC), end;

	*(volatile unsigned char *)page = 1;
	end = clock_ns(CLOCK_MONOTONIC);
	do {
		unsigned long n = shared->samples++;

		shared->fault_ns[n] = (uint32_t)(end - (due > start ? due : start));
		shared->late_ns[n] = (uint32_t)(end - due);
		due += DUE_NS;
	} while (due < end && shared->samples < SAMPLES);
	return due;
}

__attribute__((noreturn)) static void bystander_main(void)
{
	unsigned char *mem = mmap(NULL, REGION_PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t due = clock_ns(CLOCK_MONOTONIC);
	unsigned long page = 0;

	/* EINVAL: a kernel that has no large pages */
	if (mem == MAP_FAILED ||
	    (madvise(mem, REGION_PAGES * PAGE_BYTES, MADV_NOHUGEPAGE) && errno != EINVAL))
		_exit(1);
	while (shared->samples < SAMPLES) {
		sleep_until(due);
		due = fault_in(mem + page++ * PAGE_BYTES, due);
		if (page == REGION_PAGES) {
			madvise(mem, REGION_PAGES * PAGE_BYTES, MADV_DONTNEED);
			page = 0;
		}
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

void bystander_wait(struct fault_times *times)
{
	unsigned long n, i;
	uint32_t *fault, *late;

	waitpid(child, NULL, 0);
	n = shared->samples;
	fault = shared->fault_ns;
	late = shared->late_ns;
	*times = (struct fault_times){.samples = n};
	if (n) {
		qsort(fault, n, sizeof(*fault), compare);
		qsort(late, n, sizeof(*late), compare);
		times->p50_ns = fault[n / 2];
		times->p99_ns = fault[n * 99 / 100];
		times->max_ns = fault[n - 1];
		for (i = n / 2; i < n; i++)
			times->lost_ns += late[i] - late[n / 2];
	}
	munmap(shared, sizeof(*shared));
}
