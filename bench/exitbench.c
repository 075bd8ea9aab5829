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
 * "storm" is "kill" with a bystander: fault_p50_ns and so on are how long its page
 * faults took from the first SIGKILL until the memory was back. In "read" the
 * processes touch all of their memory, and ns is until the last has it back.
 *
 * CPU time is the scheduler's own count in ns (sum_exec_runtime): for the
 * processes through their CPU clocks and, once they are dead, through their
 * rusage; for kernel threads through /proc/PID/schedstat.
 *
 * One line of key=value words is printed for each measurement.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bystander.h"
#include "load.h"

#define PAGE_BYTES 4096UL
#define MAX_PROCS 64

static struct {
	const char *mode; /* munmap, kill, storm, read or busy */
	const char *load; /* of busy */
	unsigned long procs;
	unsigned long mib; /* of all processes together */
	const char *input; /* file that page content comes from, or NULL: same-filled */
	bool fills; /* with a value of its own in each page, that fits no 32 bits */
	const char *mm_stat;
} opt;

/* What the processes tell, in memory that is shared with them. */
static struct {
	struct {
		uint64_t start_ns, end_ns, cpu_ns; /* of munmap, or of reading */
		uint64_t store_ns;
	} of[MAX_PROCS];
} * shared;

/* Read by the processes: a byte for each says that it is to unmap its memory. */
static int go[2];

struct process {
	pid_t pid;
	int ready; /* a pipe that says when it has swapped out its memory */
	uint64_t cpu_before_ns;
};

struct usage {
	uint64_t used, compr, orig; /* bytes */
};

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

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts))
		die("clock_gettime: %s", strerror(errno));
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static uint64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static void sleep_ms(unsigned int ms)
{
	usleep(ms * 1000);
}

/* The first words of a small file, as numbers. */
static int read_numbers(const char *path, uint64_t *numbers, int n)
{
	char text[512], *at = text, *end;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length;
	int i;

	if (fd < 0)
		return -1;
	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (length < 0)
		return -1;
	text[length] = '\0';
	for (i = 0; i < n; i++, at = end) {
		numbers[i] = strtoull(at, &end, 10);
		if (end == at)
			return -1;
	}
	return 0;
}

static struct usage device_usage(void)
{
	uint64_t column[3];

	if (read_numbers(opt.mm_stat, column, 3))
		die("%s cannot be read", opt.mm_stat);
	return (struct usage){.orig = column[0], .compr = column[1], .used = column[2]};
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
		if (!read_numbers(path, &ns, 1))
			sum += ns;
	}
	closedir(proc);
	return sum;
}

static uint64_t process_cpu_ns(pid_t pid)
{
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock))
		die("no CPU clock of process %d", (int)pid);
	return clock_ns(clock);
}

/* ---- the processes whose memory is freed ---- */

static unsigned char *map_memory(size_t bytes)
{
	unsigned char *mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		die("mmap of %zu bytes: %s", bytes, strerror(errno));
	/* EINVAL: a kernel that has none */
	if (madvise(mem, bytes, MADV_NOHUGEPAGE) && errno != EINVAL)
		die("MADV_NOHUGEPAGE: %s", strerror(errno));
	return mem;
}

/*
 * Content goes through a file into memory, so that the kernel takes the page
 * faults: one that a process takes in User-Mode Linux costs some 100 us.
 */
#define CHUNK_PAGES 256UL

static struct {
	int file, input;
	size_t input_pages;
	unsigned char (*page)[PAGE_BYTES]; /* CHUNK_PAGES of them */
} content;

static void content_open(void)
{
	struct stat st;

	content.file = memfd_create("content", MFD_CLOEXEC);
	if (content.file < 0)
		die("memfd_create: %s", strerror(errno));
	content.page = (void *)map_memory(CHUNK_PAGES * PAGE_BYTES);
	memset(content.page, 0x5a, CHUNK_PAGES * PAGE_BYTES);
	if (!opt.input)
		return;
	content.input = open(opt.input, O_RDONLY | O_CLOEXEC);
	if (content.input < 0 || fstat(content.input, &st) ||
	    (size_t)st.st_size < PAGE_BYTES)
		die("%s cannot be read or is empty", opt.input);
	content.input_pages = st.st_size / PAGE_BYTES;
}

/*
 * Pages of the input from page @first on, a number in each: no two are equal.
 * Gives how many, less than @most at the end of the input.
 */
static size_t content_from_input(size_t first, size_t most)
{
	size_t at = first % content.input_pages, i;

	if (most > content.input_pages - at)
		most = content.input_pages - at;
	if (pread(content.input, content.page, most * PAGE_BYTES, at * PAGE_BYTES) !=
	    (ssize_t)(most * PAGE_BYTES))
		die("%s cannot be read", opt.input);
	for (i = 0; i < most; i++) {
		uint64_t number = first + i + 1;

		memcpy(content.page[i] + PAGE_BYTES - sizeof(number), &number,
		       sizeof(number));
	}
	return most;
}

/* What it took would be part of what exit frees. */
static void content_close(void)
{
	munmap(content.page, CHUNK_PAGES * PAGE_BYTES);
	close(content.file);
	if (opt.input)
		close(content.input);
}

/* Pages that repeat one word each, as tables of doubles or pointers do */
static void content_of_fills(size_t first)
{
	size_t i, word;

	for (i = 0; i < CHUNK_PAGES; i++) {
		uint64_t value = 0x2020202020202020 ^ (first + i + 1);

		for (word = 0; word < PAGE_BYTES / sizeof(value); word++)
			memcpy(content.page[i] + word * sizeof(value), &value,
			       sizeof(value));
	}
}

static void fill(unsigned char *mem, size_t pages, size_t first)
{
	size_t i, n;
	ssize_t bytes;

	content_open();
	for (i = 0; i < pages; i += n) {
		n = pages - i < CHUNK_PAGES ? pages - i : CHUNK_PAGES;
		if (opt.input)
			n = content_from_input(first + i, n);
		else if (opt.fills)
			content_of_fills(first + i);
		bytes = n * PAGE_BYTES;
		if (pwrite(content.file, content.page, bytes, 0) != bytes ||
		    pread(content.file, mem + i * PAGE_BYTES, bytes, 0) != bytes)
			die("memory cannot be filled: %s", strerror(errno));
	}
	content_close();
}

static size_t count_resident(const unsigned char *mem, size_t pages)
{
	static unsigned char state[512];
	size_t i, j, n, resident = 0;

	for (i = 0; i < pages; i += n) {
		n = pages - i < sizeof(state) ? pages - i : sizeof(state);
		if (mincore((void *)(mem + i * PAGE_BYTES), n * PAGE_BYTES, state))
			die("mincore: %s", strerror(errno));
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
		if (madvise(mem, pages * PAGE_BYTES, MADV_PAGEOUT))
			die("MADV_PAGEOUT: %s", strerror(errno));
		resident = count_resident(mem, pages);
		if (resident <= pages / 1000)
			return;
		sleep_ms(5);
	}
	if (resident > 64 + pages / 200)
		die("%zu of %zu pages cannot be swapped out", resident, pages);
}

static void process_munmap(unsigned char *mem, size_t bytes)
{
	if (munmap(mem, bytes))
		die("munmap: %s", strerror(errno));
}

static void process_read(unsigned char *mem, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i += PAGE_BYTES)
		(void)*(volatile unsigned char *)(mem + i);
}

static void process_go(unsigned long me, unsigned char *mem, size_t bytes)
{
	uint64_t cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);

	shared->of[me].start_ns = now_ns();
	if (!strcmp(opt.mode, "read"))
		process_read(mem, bytes);
	else
		process_munmap(mem, bytes);
	shared->of[me].end_ns = now_ns();
	shared->of[me].cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
}

__attribute__((noreturn)) static void process_main(unsigned long me, int ready)
{
	size_t pages = (opt.mib << 8) / opt.procs;
	unsigned char *mem = map_memory(pages * PAGE_BYTES);
	uint64_t start;
	char byte;

	fill(mem, pages, me * pages);
	start = now_ns();
	swap_out(mem, pages);
	shared->of[me].store_ns = now_ns() - start;
	/* Then asleep until it is killed or told to go on. */
	if (write(ready, "r", 1) != 1 || read(go[0], &byte, 1) != 1)
		die("a pipe broke");
	process_go(me, mem, pages * PAGE_BYTES);
	_exit(0);
}

static void processes_start(struct process *process)
{
	unsigned long i;
	int fds[2];
	char byte;

	if (pipe(go))
		die("pipe: %s", strerror(errno));
	for (i = 0; i < opt.procs; i++) {
		if (pipe(fds))
			die("pipe: %s", strerror(errno));
		process[i].pid = fork();
		if (process[i].pid < 0)
			die("fork: %s", strerror(errno));
		if (!process[i].pid) {
			close(fds[0]);
			process_main(i, fds[1]);
		}
		close(fds[1]);
		process[i].ready = fds[0];
	}
	for (i = 0; i < opt.procs; i++) {
		if (read(process[i].ready, &byte, 1) != 1)
			die("a process ended early");
		close(process[i].ready);
	}
}

/* Gives the CPU time that a process used in its whole life. */
static uint64_t process_reap(pid_t pid)
{
	struct rusage usage;

	if (wait4(pid, NULL, 0, &usage) != pid)
		die("wait4: %s", strerror(errno));
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000ULL +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000ULL;
}

/* ---- the measurement ---- */

struct result {
	uint64_t ns, at_ns, cpu_ns, back_ns;
};

static void measure_kill(struct process *process, struct result *result)
{
	uint64_t start = now_ns();
	unsigned long i;

	for (i = 0; i < opt.procs; i++)
		kill(process[i].pid, SIGKILL);
	for (i = 0; i < opt.procs; i++)
		result->cpu_ns += process_reap(process[i].pid) - process[i].cpu_before_ns;
	result->ns = now_ns() - start;
	result->at_ns = start;
}

static void measure_go(struct process *process, struct result *result)
{
	uint64_t first = UINT64_MAX, last = 0;
	unsigned long i;

	for (i = 0; i < opt.procs; i++) {
		if (write(go[1], "g", 1) != 1)
			die("a pipe broke");
	}
	for (i = 0; i < opt.procs; i++)
		process_reap(process[i].pid);
	for (i = 0; i < opt.procs; i++) {
		if (shared->of[i].start_ns < first)
			first = shared->of[i].start_ns;
		if (shared->of[i].end_ns > last)
			last = shared->of[i].end_ns;
		result->cpu_ns += shared->of[i].cpu_ns;
	}
	result->ns = last - first;
	result->at_ns = first;
}

/*
 * mm_stat is asked each half millisecond, until most of the memory is back and
 * nothing has changed for a time that is long beside any timer of an allocator. On
 * a busy machine that is longer than any task waits for a CPU: a kernel lets a
 * SCHED_FIFO loop have all of a CPU for 0.95 s. A look there takes the CPU from
 * those that are measured, so there are half as many.
 */
#define SAMPLES 40000 /* 20 s or more */
#define LOOK_US 500
#define LOOK_BUSY_US 1000
#define STILL_NS 25000000ULL
#define STILL_BUSY_NS 1200000000ULL

/* Kernel threads' CPU time when the memory was back, or soon after. */
static struct {
	uint64_t ns, at_ns;
} kernel_cpu_after;

static void count_kernel_cpu(void)
{
	kernel_cpu_after.ns = kernel_cpu_ns();
	kernel_cpu_after.at_ns = now_ns();
}

static uint64_t wait_until_back(uint64_t before, uint64_t full, uint64_t start)
{
	uint64_t still_ns = opt.load ? STILL_BUSY_NS : STILL_NS;
	uint64_t back = before + (full - before) / 50;
	static struct {
		uint64_t ns, used;
	} sample[SAMPLES];
	uint64_t changed = 0, most = before + (full - before) / 5;
	int n;

	for (n = 0; n < SAMPLES; n++) {
		sample[n].used = device_usage().used;
		sample[n].ns = now_ns() - start;
		if (!n || sample[n].used != sample[n - 1].used)
			changed = sample[n].ns;
		/* So as not to charge the long wait on a busy machine */
		if (opt.load && !kernel_cpu_after.at_ns && sample[n].used <= back)
			count_kernel_cpu();
		if (sample[n].used <= most && sample[n].ns - changed >= still_ns)
			break;
		usleep(opt.load ? LOOK_BUSY_US : LOOK_US);
	}
	if (n == SAMPLES)
		die("%llu of %llu bytes do not come back",
		    (unsigned long long)(sample[n - 1].used - before),
		    (unsigned long long)(full - before));
	if (!kernel_cpu_after.at_ns)
		count_kernel_cpu();
	most = sample[n].used + (full - before) / 50;
	while (n && sample[n - 1].used <= most)
		n--;
	return sample[n].ns;
}

static void print_number(const char *key, uint64_t value)
{
	printf("%s=%llu ", key, (unsigned long long)value);
}

static void measure(void)
{
	struct process process[MAX_PROCS];
	struct usage before = device_usage(), full;
	struct result result = {};
	struct fault_times faults = {};
	uint64_t start, idle_ns, kernel_ns, rate_ns, store_ns = 0;
	bool storm = !strcmp(opt.mode, "storm");
	unsigned long i;

	processes_start(process);
	full = device_usage();

	/* What kernel threads do anyway, so as not to charge it to the exit. */
	kernel_ns = kernel_cpu_ns();
	start = now_ns();
	sleep_ms(30);
	idle_ns = kernel_cpu_ns() - kernel_ns;
	rate_ns = now_ns() - start;

	for (i = 0; i < opt.procs; i++) {
		process[i].cpu_before_ns = process_cpu_ns(process[i].pid);
		store_ns += shared->of[i].store_ns;
	}
	if (opt.load && load_start(opt.load))
		die("no busy loops: %s", strerror(errno));
	kernel_ns = kernel_cpu_ns();
	if (storm && bystander_start())
		die("no bystander: %s", strerror(errno));
	start = now_ns();
	if (storm || opt.load || !strcmp(opt.mode, "kill"))
		measure_kill(process, &result);
	else
		measure_go(process, &result);
	result.back_ns = wait_until_back(before.used, full.used, start);
	if (storm)
		bystander_stop(&faults);
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
	print_number("back_ns", result.back_ns);
	print_number("used", full.used - before.used);
	print_number("compr", full.compr - before.compr);
	print_number("orig", full.orig - before.orig);
	print_number("store_ns", store_ns);
	if (storm) {
		print_number("faults", faults.faults);
		print_number("fault_p50_ns", faults.p50_ns);
		print_number("fault_p99_ns", faults.p99_ns);
		print_number("fault_max_ns", faults.max_ns);
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
	if (argc != 5 && argc != 6)
		die("usage: exitbench munmap|kill|storm|read|busy-LOAD PROCS MIB "
		    "MM_STAT [INPUT|fills]");
	parse_mode(argv[1]);
	opt.procs = number(argv[2]);
	opt.mib = number(argv[3]);
	opt.mm_stat = argv[4];
	if (argc == 6 && !strcmp(argv[5], "fills"))
		opt.fills = true;
	else
		opt.input = argv[5];
	if (opt.procs > MAX_PROCS)
		die("no more than %d processes", MAX_PROCS);

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	measure();
	return 0;
}
