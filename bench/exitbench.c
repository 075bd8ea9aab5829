// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * What it costs to free swapped-out memory: by munmap, and by SIGKILL.
 *
 * Processes fill their memory, swap all of it out (MADV_PAGEOUT) and wait. At
 * one moment all of them unmap it, or are killed, and we take
 *
 *   ns        munmap: from the first process's call until the last one's return
 *             kill: from the first SIGKILL until the last process is reaped
 *   at_ns     when that was, by CLOCK_MONOTONIC
 *   cpu_ns    CPU time of the processes from that moment on, plus that of all
 *             kernel threads until the memory is back, less what kernel
 *             threads use in as long a time when nothing happens
 *   kernel_ns the kernel threads' share of it
 *   back_ns   from that moment until mm_stat shows all of the memory back but
 *             2 % of what it held. All is what it is once nothing changes any
 *             more: the kernel's per-CPU caches of swap slots keep some pages
 *   used      what mm_stat showed in between, above what it was before: bytes
 *             of memory for
 *   compr     bytes that what was stored has been compressed to, from
 *   orig      bytes stored
 *   store_ns  time of one process after another to swap its memory out, summed
 *
 * "busy-LOAD" is "kill" on a machine that is busy meanwhile: with LOAD loops of
 * normal priority, or with one SCHED_FIFO loop if LOAD is "fifo" (load.h). The loops
 * start before the first SIGKILL and run until the memory is back; their CPU time
 * is not in cpu_ns. This process is SCHED_FIFO above them, and looks each ms.
 *
 * MM_STAT is that file of a zram device, or the directory of zswap's counters in debugfs,
 * which do not say "compr".
 *
 * "storm" is "kill" with a bystander: fault_p50_ns and so on are how long its page
 * faults took in the BYSTANDER_MS that begin just before the first SIGKILL. In "read"
 * the processes touch all of their memory, and ns is until the last has it back.
 *
 * CPU time is the scheduler's own count in ns (sum_exec_runtime): for the
 * processes through their CPU clocks and, once they are dead, through their
 * rusage; for kernel threads through /proc/PID/schedstat.
 *
 * One line of key=value words is printed for each measurement.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "back.h"
#include "bystander.h"
#include "clock.h"
#include "load.h"
#include "mmstat.h"
#include "say.h"
#include "smallfile.h"
#include "victim.h"

static struct {
	const char *mode; /* munmap, kill, storm, read or busy */
	const char *load; /* of busy */
	unsigned long procs;
	unsigned long mib; /* of all processes together */
	const char *input; /* file that page content comes from, or NULL: same-filled */
	bool fills; /* with a value of its own in each page, that fits no 32 bits */
	const char *mm_stat;
	int (*read)(const char *path, struct mm_stat *mm);
} opt;

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *fmt, ...)
{
	va_list args;

	fputs("exitbench: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static uint64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* What went wrong has been said. */
static void need(enum outcome outcome)
{
	if (outcome)
		exit(1);
}

static int zswap_counter(const char *directory, const char *name, uint64_t *value)
{
	char path[256];
	int n;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	n = smallfile_numbers(path, value, 1);
	if (n < 0)
		return n;
	return n ? 0 : -EINVAL;
}

static int zswap_read(const char *directory, struct mm_stat *mm)
{
	uint64_t pages, bytes;
	int err;

	err = zswap_counter(directory, "stored_pages", &pages);
	if (err)
		return err;
	err = zswap_counter(directory, "pool_total_size", &bytes);
	if (err)
		return err;
	*mm = (struct mm_stat){
		.orig = pages * (uint64_t)sysconf(_SC_PAGESIZE),
		.used = bytes,
	};
	return 0;
}

static struct mm_stat device_usage(void)
{
	struct mm_stat mm;

	if (opt.read(opt.mm_stat, &mm))
		die("%s cannot be read", opt.mm_stat);
	return mm;
}

/* ---- CPU time ---- */

static bool is_kernel_thread(const char *pid)
{
	char path[64], line[16];
	int fd;
	ssize_t n;

	/* Only kernel threads have no memory, so nothing in statm but zeroes. */
	snprintf(path, sizeof(path), "/proc/%.20s/statm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, line, sizeof(line));
	close(fd);
	return n > 1 && line[0] == '0' && line[1] == ' ';
}

/* All kernel threads together. Workers are kept idle for minutes: few go. */
static uint64_t kernel_cpu_ns(void)
{
	char path[64];
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	uint64_t ns, sum = 0;

	if (!proc)
		die("/proc: %s", strerror(errno));
	while ((entry = readdir(proc))) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		if (!is_kernel_thread(entry->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/schedstat", entry->d_name);
		if (smallfile_numbers(path, &ns, 1) == 1)
			sum += ns;
	}
	closedir(proc);
	return sum;
}

/* ---- the measurement ---- */

/*
 * mm_stat is asked each half millisecond, until most of the memory is back and
 * nothing has changed for a time that is long beside any timer of an allocator. On
 * a busy machine that is longer than any task waits for a CPU: a kernel lets a
 * SCHED_FIFO loop have all of a CPU for 0.95 s. A look there takes the CPU from
 * those that are measured, so there are half as many.
 */
#define LOOK_BUSY_US 1000
#define STILL_BUSY_NS 1200000000ULL

/* Kernel threads' CPU time when the memory was back, or soon after. */
static struct {
	uint64_t ns, at_ns;
} kernel_cpu_after;

static void count_kernel_cpu(void)
{
	if (kernel_cpu_after.at_ns)
		return;
	kernel_cpu_after.ns = kernel_cpu_ns();
	kernel_cpu_after.at_ns = now_ns();
}

static uint64_t wait_until_back(uint64_t before, uint64_t full, uint64_t start)
{
	const struct back quiet = {
		.mm_stat = opt.mm_stat,
		.read = opt.read,
		.look_us = BACK_LOOK_US,
		.still_ns = BACK_STILL_NS,
	};
	const struct back busy = {
		.mm_stat = opt.mm_stat,
		.read = opt.read,
		.look_us = LOOK_BUSY_US,
		.still_ns = STILL_BUSY_NS,
		/* So as not to charge the long wait on a busy machine */
		.seen = count_kernel_cpu,
	};
	uint64_t back_ns;

	need(back_wait(opt.load ? &busy : &quiet, before, full, start, &back_ns));
	count_kernel_cpu();
	return back_ns;
}

static void print_number(const char *key, uint64_t value)
{
	printf("%s=%llu ", key, (unsigned long long)value);
}

static struct victims victims;

static void measure(void)
{
	struct mm_stat before = device_usage(), full;
	struct victim_end result = {0};
	struct fault_times faults = {0};
	uint64_t start, idle_ns, kernel_ns, rate_ns, back_ns;
	bool storm = !strcmp(opt.mode, "storm");

	victims.n = opt.procs;
	victims.pages = (opt.mib << 20) / (size_t)sysconf(_SC_PAGESIZE) / opt.procs;
	victims.input = opt.input;
	victims.fills = opt.fills;
	victims.act = strcmp(opt.mode, "read") ? VICTIM_MUNMAP : VICTIM_READ;
	need(victims_start(&victims));
	full = device_usage();

	/* What kernel threads do anyway, so as not to charge it to the exit. */
	kernel_ns = kernel_cpu_ns();
	start = now_ns();
	usleep(30000);
	idle_ns = kernel_cpu_ns() - kernel_ns;
	rate_ns = now_ns() - start;

	need(victims_count_cpu(&victims));
	if (opt.load && load_start(opt.load))
		die("no busy loops: %s", strerror(errno));
	kernel_ns = kernel_cpu_ns();
	if (storm && bystander_start())
		die("no bystander: %s", strerror(errno));
	start = now_ns();
	if (storm || opt.load || !strcmp(opt.mode, "kill"))
		need(victims_kill(&victims, &result));
	else
		need(victims_go(&victims, &result));
	back_ns = wait_until_back(before.used, full.used, start);
	if (storm)
		bystander_wait(&faults);
	if (opt.load && load_stop())
		die("a busy loop ended early: %s", strerror(errno));
	kernel_ns = kernel_cpu_after.ns - kernel_ns;
	idle_ns = idle_ns * (kernel_cpu_after.at_ns - start) / rate_ns;
	kernel_ns = kernel_ns > idle_ns ? kernel_ns - idle_ns : 0;

	printf("mode=%s content=%s procs=%lu mib=%lu ", opt.mode,
	       opt.input   ? "files"
	       : opt.fills ? "fills"
			   : "same",
	       opt.procs, opt.mib);
	if (opt.load)
		printf("load=%s ", opt.load);
	print_number("ns", result.ns);
	print_number("at_ns", result.at_ns);
	print_number("cpu_ns", result.cpu_ns + kernel_ns);
	print_number("kernel_ns", kernel_ns);
	print_number("back_ns", back_ns);
	print_number("used", full.used - before.used);
	if (opt.read == mm_stat_read)
		print_number("compr", full.compr - before.compr);
	print_number("orig", full.orig - before.orig);
	print_number("store_ns", victims_store_ns(&victims));
	if (storm) {
		print_number("faults", faults.samples);
		print_number("fault_p50_ns", faults.p50_ns);
		print_number("fault_p99_ns", faults.p99_ns);
		print_number("fault_max_ns", faults.max_ns);
		print_number("fault_lost_ns", faults.lost_ns);
	}
	putchar('\n');
}

static unsigned long number(const char *word)
{
	char *end;
	unsigned long n = strtoul(word, &end, 10);

	if (end == word || *end || !n)
		die("'%s' is not a number above 0", word);
	return n;
}

static bool is_directory(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static void parse_mode(const char *word)
{
	opt.mode = word;
	if (!strncmp(word, "busy-", 5) && load_valid(word + 5)) {
		opt.mode = "busy";
		opt.load = word + 5;
		return;
	}
	if (strcmp(word, "munmap") && strcmp(word, "kill") && strcmp(word, "storm") &&
	    strcmp(word, "read"))
		die("'%s' is no mode: munmap, kill, storm, read, busy-N or busy-fifo",
		    word);
}

int main(int argc, char **argv)
{
	say_name = "exitbench";
	if (argc != 5 && argc != 6)
		die("usage: exitbench munmap|kill|storm|read|busy-LOAD PROCS MIB "
		    "MM_STAT [INPUT|fills]");
	parse_mode(argv[1]);
	opt.procs = number(argv[2]);
	opt.mib = number(argv[3]);
	opt.mm_stat = argv[4];
	opt.read = is_directory(argv[4]) ? zswap_read : mm_stat_read;
	if (argc == 6 && !strcmp(argv[5], "fills"))
		opt.fills = true;
	else
		opt.input = argv[5];
	if (opt.procs > MAX_VICTIMS)
		die("no more than %d processes", MAX_VICTIMS);

	measure();
	return 0;
}
