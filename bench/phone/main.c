// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * One run of the phone, on swap that is there and with a killer that runs: see
 * phone.h. Prints lines of a word and key=value words; times are in ns.
 *
 *   launch  from fork until the app has filled its memory and touched a part of it;
 *           one that is killed in between is launched again, and this time counts on
 *   switch  an app that was still alive comes to the front, until it has touched
 *   kill    see struct kill; at_ns is since the run began
 *   run     page faults of the app in front within WINDOW_MS of any kill, and CPU time
 *           of everything (/proc/stat: user, nice, system, irq, softirq)
 *
 * usage: phone SEED SWITCHES MIB CORPUS MM_STAT
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "phone.h"

#define WINDOW_MS 1000
#define DWELL_MS 300
#define LEAST_MIB 80
#define MOST_MIB 250

static void *share_memory(size_t bytes)
{
	void *mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (mem == MAP_FAILED)
		die("mmap of %zu bytes: %s", bytes, strerror(errno));
	return mem;
}

static void open_corpus(const char *path)
{
	struct stat st;

	phone->corpus = open(path, O_RDONLY | O_CLOEXEC);
	if (phone->corpus < 0 || fstat(phone->corpus, &st) || st.st_size < (1 << 20))
		die("%s cannot be read or is too small", path);
	phone->corpus_pages = st.st_size / PAGE_BYTES;
}

/* Apps of 80 to 250 MiB, until all together are as large as asked for. */
static void make_apps(unsigned long mib)
{
	unsigned long rest, size;

	for (rest = mib; rest; rest -= size) {
		size = LEAST_MIB + mix(phone->seed, MAX_APPS + phone->apps) %
					   (MOST_MIB - LEAST_MIB + 1);
		if (rest <= MOST_MIB)
			size = rest;
		else if (size > rest - LEAST_MIB)
			size = rest - LEAST_MIB;
		if (phone->apps == MAX_APPS)
			die("%lu MiB are too many apps", mib);
		phone->app[phone->apps] =
			(struct app){.number = phone->apps, .mib = size};
		phone->apps++;
	}
}

/* CPU time of everything but idling, in ticks of 10 ms. */
static uint64_t busy_ticks(void)
{
	unsigned long long user, nice, system, irq, softirq;
	char text[256];

	if (read_text("/proc/stat", text, sizeof(text)) < 0 ||
	    sscanf(text, "cpu %llu %llu %llu %*u %*u %llu %llu", &user, &nice, &system,
		   &irq, &softirq) != 5)
		die("/proc/stat cannot be read");
	return user + nice + system + irq + softirq;
}

static unsigned long long vmstat(const char *name)
{
	static char text[16384];
	char *line;

	if (read_text("/proc/vmstat", text, sizeof(text)) < 0)
		die("/proc/vmstat cannot be read");
	line = strstr(text, name);
	return line ? strtoull(line + strlen(name), NULL, 10) : 0;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static bool in_window(uint64_t at_ns, const struct kill *kill, size_t kills)
{
	size_t i;

	for (i = 0; i < kills; i++) {
		if (at_ns >= kill[i].at_ns &&
		    at_ns - kill[i].at_ns < WINDOW_MS * NS_PER_MS)
			return true;
	}
	return false;
}

static void print_faults(const struct kill *kill, size_t kills)
{
	static uint64_t ns[MAX_FAULTS];
	size_t all = phone->faults, n = 0, i;

	if (all > MAX_FAULTS)
		die("more page faults than there is room for");
	for (i = 0; i < all; i++) {
		if (in_window(phone->fault[i].at_ns, kill, kills))
			ns[n++] = phone->fault[i].ns;
	}
	qsort(ns, n, sizeof(*ns), compare);
	printf(" faults=%zu", n);
	if (n)
		printf(" fault_p50_ns=%llu fault_p99_ns=%llu fault_max_ns=%llu",
		       (unsigned long long)ns[n / 2],
		       (unsigned long long)ns[n * 99 / 100],
		       (unsigned long long)ns[n - 1]);
}

/* Of 0 for what was not seen, 0 */
static unsigned long long since(uint64_t ns, uint64_t from)
{
	return ns ? ns - from : 0;
}

static void print_kills(const struct kill *kill, size_t kills, uint64_t start)
{
	size_t i;

	for (i = 0; i < kills; i++, kill++)
		printf("kill app=%lu mib=%lu at_ns=%llu gone_ns=%llu back_ns=%llu "
		       "left=%llu sig=%d by=%s\n",
		       kill->app, phone->app[kill->app].mib, since(kill->at_ns, start),
		       since(kill->gone_ns, kill->at_ns),
		       since(kill->back_ns, kill->at_ns), (unsigned long long)kill->left,
		       kill->signal, kill->by);
}

int main(int argc, char **argv)
{
	uint64_t start, ns, ticks;
	unsigned long long out, in, oom;
	const struct kill *kill;
	size_t kills;

	if (argc != 6)
		die("usage: phone SEED SWITCHES MIB CORPUS MM_STAT");
	phone = share_memory(sizeof(*phone));
	phone->seed = strtoull(argv[1], NULL, 10);
	make_apps(strtoul(argv[3], NULL, 10));
	open_corpus(argv[4]);
	/* What measures is neither swapped out nor killed. Apps do not inherit this. */
	write_text("/proc/self/oom_score_adj", "-1000");
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		die("mlockall: %s", strerror(errno));

	oom = vmstat("\noom_kill ");
	out = vmstat("\npswpout ");
	in = vmstat("\npswpin ");
	observer_start(argv[5]);
	start = now_ns();
	ticks = busy_ticks();
	person_run(strtoul(argv[2], NULL, 10), DWELL_MS);
	ticks = busy_ticks() - ticks;
	ns = now_ns() - start;
	kill = observer_stop(&kills);

	print_kills(kill, kills, start);
	printf("run ns=%llu cpu_ns=%llu swapped_out=%llu swapped_in=%llu oom_kills=%llu",
	       (unsigned long long)ns, (unsigned long long)ticks * 10 * NS_PER_MS,
	       vmstat("\npswpout ") - out, vmstat("\npswpin ") - in,
	       vmstat("\noom_kill ") - oom);
	print_faults(kill, kills);
	putchar('\n');
	person_leave();
	return 0;
}
