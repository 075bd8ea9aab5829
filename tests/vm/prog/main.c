// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "vmtest.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage;
} commands[] = {
	{"attr", cmd_attr, "attr FILE [VALUE]: read or write it, print ok or the errno"},
	{"attributes", cmd_attributes,
	 "attributes SECONDS SEED TASKS MOST: all of zram's, at random, by so many "
	 "tasks, beside I/O; no operation takes MOST seconds"},
	{"bio", cmd_bio,
	 "bio DEVICE SEED OPERATIONS ALIGNMENT: odd block I/O against a model"},
	{"direct", cmd_direct,
	 "direct read|write|zero DEVICE AT BYTES SKEW [FILE]: one direct I/O, of memory "
	 "SKEW bytes past a page; prints ok, or the errno"},
	{"files", cmd_files, "files write|check DIR MIB SEED: files of known content"},
	{"fill", cmd_fill,
	 "fill MIB SEED [PROCESSES]: memory of known content, all verified"},
	{"held", cmd_held, "held MIB SEED: swapped-out memory, commands on stdin"},
	{"hog", cmd_hog, "hog CPU SECONDS: let nothing of normal priority run there"},
	{"inject", cmd_inject,
	 "inject SITES REPORT sites|init|percpu|PID[/STEP] ACT... : [-]ACT : ACT...: "
	 "do the act with each allocation failing in turn"},
	{"late", cmd_late,
	 "late DEVICE FILE CPU: a write of a MiB; prints how long it kept the CPU from a "
	 "real-time task, and how long it took (ms)"},
	{"meet", cmd_meet,
	 "meet DEVICE READERS ROUNDS PAGES: free swapped pages while others read them"},
	{"noise", cmd_noise, "noise BYTES SEED: what cannot be compressed"},
	{"page", cmd_page, "page: print how many bytes a page has"},
	{"place", cmd_place,
	 "place FILE DEVICE MIB AT OF ON: memory of CPU OF's node, written by CPU ON"},
	{"punch", cmd_punch,
	 "punch fill|discard|check DEVICE FILE MIB KEEP: pages with holes between"},
	{"storm", cmd_storm,
	 "storm SECONDS SEED PROCESSES MIB: processes that swap, end and are killed"},
	{"swapon", cmd_swapon, "swapon DEVICE PRIORITY"},
	{"victim", cmd_victim, "victim MIB: wait for the OOM killer"},
	{"writers", cmd_writers,
	 "writers DEVICE MILLISECONDS CPU...: direct writes, one process a CPU; "
	 "prints the pages"},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const char *current = "vmtest";
size_t page_bytes;

void die(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "vmtest %s: ", current);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

unsigned long number(const char *word)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(word, &end, 10);
	if (errno || end == word || *end || word[0] == '-')
		die("'%s' is not a number", word);
	return n;
}

size_t pages_of(const char *mib)
{
	return (number(mib) << 20) / page_bytes;
}

void *map_pages(size_t pages)
{
	void *p = mmap(NULL, pages * page_bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap of %zu pages: %s", pages, strerror(errno));
	madvise(p, pages * page_bytes, MADV_NOHUGEPAGE);
	return p;
}

void stay_on(unsigned long cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("CPU %lu: %s", cpu, strerror(errno));
}

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

int answer(void)
{
	const char *name = strerrorname_np(errno);

	puts(name ? name : "unknown errno");
	return 0;
}

int cmd_page(int argc, char **argv)
{
	(void)argv;
	if (argc != 1)
		die("needs nothing");
	printf("%zu\n", page_bytes);
	return 0;
}

int main(int argc, char **argv)
{
	size_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	page_bytes = sysconf(_SC_PAGESIZE);
	if (page_bytes > PAGE_MOST)
		die("pages of %zu bytes", page_bytes);
	for (i = 0; argc > 1 && i < COMMANDS; i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		current = commands[i].name;
		return commands[i].run(argc - 1, argv + 1);
	}
	for (i = 0; i < COMMANDS; i++)
		fprintf(stderr, "usage: vmtest %s\n", commands[i].usage);
	return 2;
}
