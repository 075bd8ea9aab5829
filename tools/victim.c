// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "victim.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "smallfile.h"

/* In a process, what goes wrong ends it; the caller sees that it ended early. */
#define or_exit(...) ((void)fail(__VA_ARGS__), _exit(1))

static size_t page_bytes;

static uint64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* ---- what a process does ---- */

static unsigned char *map_memory(size_t bytes)
{
	unsigned char *mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		or_exit("mmap of %zu bytes: %s", bytes, strerror(errno));
	/* EINVAL: a kernel that has none */
	if (madvise(mem, bytes, MADV_NOHUGEPAGE) && errno != EINVAL)
		or_exit("MADV_NOHUGEPAGE: %s", strerror(errno));
	return mem;
}

/*
 * Content goes through a file into memory, so that the kernel takes the page
 * faults: one that a process takes in User-Mode Linux costs some 100 us.
 */
#define CHUNK_PAGES 256UL

static struct {
	const char *name; /* of the input */
	int file, input;
	size_t input_pages;
	unsigned char *pages; /* CHUNK_PAGES of them */
} content;

static void content_open(const char *input)
{
	struct stat st;

	content.file = memfd_create("content", MFD_CLOEXEC);
	if (content.file < 0)
		or_exit("memfd_create: %s", strerror(errno));
	content.pages = map_memory(CHUNK_PAGES * page_bytes);
	memset(content.pages, 0x5a, CHUNK_PAGES * page_bytes);
	content.name = input;
	if (!input)
		return;
	content.input = open(input, O_RDONLY | O_CLOEXEC);
	if (content.input < 0 || fstat(content.input, &st) ||
	    (size_t)st.st_size < page_bytes)
		or_exit("%s cannot be read or is empty", input);
	content.input_pages = (size_t)st.st_size / page_bytes;
}

/*
 * Pages of the input from page @first on, a number in each: no two are equal.
 * Gives how many, less than @most at the end of the input.
 */
static size_t content_from_input(size_t first, size_t most)
{
	size_t at = first % content.input_pages;

	if (most > content.input_pages - at)
		most = content.input_pages - at;
	if (pread(content.input, content.pages, most * page_bytes,
		  (off_t)(at * page_bytes)) != (ssize_t)(most * page_bytes))
		or_exit("%s cannot be read", content.name);
	for (size_t i = 0; i < most; i++) {
		uint64_t number = first + i + 1;

		memcpy(content.pages + (i + 1) * page_bytes - sizeof(number), &number,
		       sizeof(number));
	}
	return most;
}

/* What it took would be part of what exit frees. */
static void content_close(void)
{
	munmap(content.pages, CHUNK_PAGES * page_bytes);
	close(content.file);
	if (content.name)
		close(content.input);
}

/* Pages that repeat one word each, as tables of doubles or pointers do */
static void content_of_fills(size_t first)
{
	for (size_t i = 0; i < CHUNK_PAGES; i++) {
		uint64_t value = 0x2020202020202020 ^ (first + i + 1);

		for (size_t at = 0; at < page_bytes; at += sizeof(value))
			memcpy(content.pages + i * page_bytes + at, &value,
			       sizeof(value));
	}
}

static void fill(unsigned char *mem, size_t pages, size_t first,
		 const struct victims *victims)
{
	size_t i, n, bytes;

	content_open(victims->input);
	for (i = 0; i < pages; i += n) {
		n = pages - i < CHUNK_PAGES ? pages - i : CHUNK_PAGES;
		if (victims->input)
			n = content_from_input(first + i, n);
		else if (victims->fills)
			content_of_fills(first + i);
		bytes = n * page_bytes;
		if (pwrite(content.file, content.pages, bytes, 0) != (ssize_t)bytes ||
		    pread(content.file, mem + i * page_bytes, bytes, 0) != (ssize_t)bytes)
			or_exit("memory cannot be filled: %s", strerror(errno));
	}
	content_close();
}

static size_t count_resident(unsigned char *mem, size_t pages)
{
	static unsigned char state[512];
	size_t i, j, n, resident = 0;

	for (i = 0; i < pages; i += n) {
		n = pages - i < sizeof(state) ? pages - i : sizeof(state);
		if (mincore(mem + i * page_bytes, n * page_bytes, state))
			or_exit("mincore: %s", strerror(errno));
		for (j = 0; j < n; j++)
			resident += state[j] & 1;
	}
	return resident;
}

/*
 * Some pages are busy at the first attempt. A few may sit in another CPU's list
 * of pages just faulted in, if the process has changed CPUs, and stay there.
 */
static void swap_out(unsigned char *mem, size_t pages)
{
	size_t resident = pages;
	int tries;

	for (tries = 0; tries < 20; tries++) {
		if (madvise(mem, pages * page_bytes, MADV_PAGEOUT))
			or_exit("MADV_PAGEOUT: %s", strerror(errno));
		resident = count_resident(mem, pages);
		if (resident <= pages / 1000)
			return;
		usleep(5000);
	}
	if (resident > 64 + pages / 200)
		or_exit("%zu of %zu pages cannot be swapped out", resident, pages);
}

static void act(enum victim_act what, unsigned char *mem, size_t bytes)
{
	if (what == VICTIM_READ) {
		for (size_t i = 0; i < bytes; i += page_bytes)
			(void)*(volatile unsigned char *)(mem + i);
	} else if (munmap(mem, bytes)) {
		or_exit("munmap: %s", strerror(errno));
	}
}

/* It ends with its parent, or by its parent's hand: a terminal's interrupt is not for it.
 */
static void depend_on_parent(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	/* Rather this one than any other, should memory run out. */
	smallfile_write("1000", "/proc/self/oom_score_adj");
}

__attribute__((noreturn)) static void process_main(const struct victims *victims,
						   unsigned long me, int ready)
{
	struct victim_times *times = &victims->times[me];
	size_t bytes = victims->pages * page_bytes;
	unsigned char *mem;
	uint64_t start, cpu;
	char byte;

	depend_on_parent();
	mem = map_memory(bytes);
	fill(mem, victims->pages, me * victims->pages, victims);
	start = now_ns();
	swap_out(mem, victims->pages);
	times->store_ns = now_ns() - start;
	/* Then asleep until it is killed or told to go on. */
	if (write(ready, "r", 1) != 1 || read(victims->go[0], &byte, 1) != 1)
		or_exit("a pipe broke");
	cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	times->start_ns = now_ns();
	act(victims->act, mem, bytes);
	times->end_ns = now_ns();
	times->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
	_exit(0);
}

/* ---- what is done with them ---- */

static enum outcome prepare(struct victims *victims)
{
	void *shared = mmap(NULL, MAX_VICTIMS * sizeof(*victims->times),
			    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	victims->go[0] = victims->go[1] = -1;
	if (shared == MAP_FAILED)
		return fail("mmap: %s", strerror(errno));
	victims->times = shared;
	if (pipe(victims->go))
		return fail("pipe: %s", strerror(errno));
	return OK;
}

/* Gives the end of a pipe that says when the process has swapped out, or -1. */
static int process_start(struct victims *victims, unsigned long i)
{
	int fds[2];

	if (pipe(fds)) {
		fail("pipe: %s", strerror(errno));
		return -1;
	}
	victims->pid[i] = fork();
	if (!victims->pid[i]) {
		close(fds[0]);
		process_main(victims, i, fds[1]);
	}
	close(fds[1]);
	if (victims->pid[i] > 0)
		return fds[0];
	fail("fork: %s", strerror(errno));
	victims->pid[i] = 0;
	close(fds[0]);
	return -1;
}

/* Waits as long as it takes, but not when a signal comes. */
static enum outcome wait_ready(int ready)
{
	char byte;
	ssize_t n = read(ready, &byte, 1);

	if (n == 1)
		return OK;
	return n < 0 && errno == EINTR ? INTERRUPTED : fail("a process ended early");
}

enum outcome victims_start(struct victims *victims)
{
	int ready[MAX_VICTIMS];
	unsigned long started = 0;
	enum outcome err = prepare(victims);

	while (!err && started < victims->n) {
		ready[started] = process_start(victims, started);
		if (ready[started] < 0)
			err = FAILED;
		else
			started++;
	}
	for (unsigned long i = 0; i < started; i++) {
		if (!err)
			err = wait_ready(ready[i]);
		close(ready[i]);
	}
	return err;
}

uint64_t victims_store_ns(const struct victims *victims)
{
	uint64_t sum = 0;

	for (unsigned long i = 0; i < victims->n; i++)
		sum += victims->times[i].store_ns;
	return sum;
}

enum outcome victims_count_cpu(struct victims *victims)
{
	clockid_t clock;

	for (unsigned long i = 0; i < victims->n; i++) {
		if (clock_getcpuclockid(victims->pid[i], &clock))
			return fail("no CPU clock of process %d", (int)victims->pid[i]);
		victims->cpu_before_ns[i] = clock_ns(clock);
	}
	return OK;
}

/* @cpu_ns: CPU time that the process used in its whole life */
static enum outcome reap(pid_t *pid, uint64_t *cpu_ns)
{
	struct rusage usage;
	pid_t reaped;

	do
		reaped = wait4(*pid, NULL, 0, &usage);
	while (reaped < 0 && errno == EINTR);
	if (reaped != *pid)
		return fail("wait4: %s", strerror(errno));
	*pid = 0;
	*cpu_ns = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) *
			  1000000000ULL +
		  (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000ULL;
	return OK;
}

enum outcome victims_kill(struct victims *victims, struct victim_end *end)
{
	enum outcome err = OK;
	uint64_t cpu_ns;

	end->cpu_ns = 0;
	end->at_ns = now_ns();
	for (unsigned long i = 0; i < victims->n; i++)
		kill(victims->pid[i], SIGKILL);
	for (unsigned long i = 0; !err && i < victims->n; i++) {
		err = reap(&victims->pid[i], &cpu_ns);
		end->cpu_ns += cpu_ns - victims->cpu_before_ns[i];
	}
	end->ns = now_ns() - end->at_ns;
	return err;
}

enum outcome victims_go(struct victims *victims, struct victim_end *end)
{
	uint64_t first = UINT64_MAX, last = 0, whole;
	enum outcome err = OK;

	end->cpu_ns = 0;
	for (unsigned long i = 0; i < victims->n; i++) {
		if (write(victims->go[1], "g", 1) != 1)
			return fail("a pipe broke");
	}
	for (unsigned long i = 0; !err && i < victims->n; i++)
		err = reap(&victims->pid[i], &whole);
	for (unsigned long i = 0; i < victims->n; i++) {
		const struct victim_times *times = &victims->times[i];

		if (times->start_ns < first)
			first = times->start_ns;
		if (times->end_ns > last)
			last = times->end_ns;
		end->cpu_ns += times->cpu_ns;
	}
	end->ns = last - first;
	end->at_ns = first;
	return err;
}

void victims_end(struct victims *victims)
{
	uint64_t cpu_ns;

	for (unsigned long i = 0; i < victims->n; i++) {
		if (victims->pid[i] > 0) {
			kill(victims->pid[i], SIGKILL);
			reap(&victims->pid[i], &cpu_ns);
		}
	}
	for (int i = 0; i < 2; i++) {
		if (victims->go[i] >= 0)
			close(victims->go[i]);
		victims->go[i] = -1;
	}
	if (victims->times)
		munmap(victims->times, MAX_VICTIMS * sizeof(*victims->times));
	victims->times = NULL;
}
