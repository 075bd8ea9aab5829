// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Make allocations of the modules fail, from each place in turn, while something is
 * done that needs them.
 *
 * The kernel's fault injection is asked for two things. Of this task, the Nth
 * allocation fails (fail-nth), for N = 1, 2, ... until there are no more. And all
 * fail that have a given address in their stack trace: the one that an allocation
 * site (sites.py) returns to, so that each site is known to have failed, and by
 * all tries of an allocation that tries again.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <unistd.h>

#include "inject.h"
#include "vmtest.h"

#define MAX_SITES 256
#define MAX_NTH 5000
#define MAX_ACTS 16
#define PLENTY 1000000000

struct site {
	char module[32], section[32], function[64], callee[64];
	unsigned long offset, function_offset;
	unsigned long address; /* 0: its section is not there now */
	unsigned long failed;
};

/* What is done before, what with allocations failing, and what afterwards. */
struct acts {
	char *before[MAX_ACTS], *act, *after[MAX_ACTS];
	char *filler; /* done until it fails, before the act: see fail_percpu() */
	int accept; /* it may fail without an injection, too */
	unsigned long step; /* from one N to the next */
};

static struct site sites[MAX_SITES];
static size_t nr_sites;
static const char *const faults[] = {"failslab", "fail_page_alloc"};
static unsigned long answers_ok, answers_errno; /* with an allocation failed */

/* ---- the kernel's files ---- */

static void put_file(const char *file, const char *value)
{
	int fd = open(file, O_WRONLY);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		die("%s: %s", file, strerror(errno));
	close(fd);
}

static unsigned long get_file(const char *file, int base)
{
	char word[64];
	int fd = open(file, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, word, sizeof(word) - 1);

	if (n < 0)
		return 0;
	close(fd);
	word[n] = '\0';
	return strtoul(word, NULL, base);
}

/* Of both kinds of allocation */
static void fault_set(const char *name, unsigned long value, const char *format)
{
	char file[96], word[32];
	size_t i;

	for (i = 0; i < 2; i++) {
		snprintf(file, sizeof(file), "/sys/kernel/debug/%s/%s", faults[i], name);
		snprintf(word, sizeof(word), format, value);
		put_file(file, word);
	}
}

static unsigned long fault_times(void)
{
	char file[96];
	unsigned long left = 0;
	size_t i;

	for (i = 0; i < 2; i++) {
		snprintf(file, sizeof(file), "/sys/kernel/debug/%s/times", faults[i]);
		left += get_file(file, 10);
	}
	return 2UL * PLENTY - left;
}

/* Whatever may fail, does. */
static void fault_prepare(void)
{
	fault_set("probability", 0, "%lu");
	fault_set("interval", 1, "%lu");
	fault_set("space", 0, "%lu");
	fault_set("verbose", 0, "%lu");
	fault_set("stacktrace-depth", 32, "%lu");
	put_file("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	put_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
	put_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem", "N");
	put_file("/sys/kernel/debug/fail_page_alloc/min-order", "0");
}

/* Also when we die. */
static void fault_off(void)
{
	fault_set("probability", 0, "%lu");
}

static void fault_range(unsigned long start, unsigned long end)
{
	fault_set("require-start", start, "0x%lx");
	fault_set("require-end", end, "0x%lx");
}

/* ---- sites ---- */

static void sites_read(const char *file)
{
	FILE *in = fopen(file, "r");
	struct site *s;

	if (!in)
		die("%s: %s", file, strerror(errno));
	for (nr_sites = 0; nr_sites < MAX_SITES; nr_sites++) {
		s = &sites[nr_sites];
		if (fscanf(in, "%31s %31s %lx %63s %lx %63s", s->module, s->section,
			   &s->offset, s->function, &s->function_offset, s->callee) != 6)
			break;
	}
	fclose(in);
	if (!nr_sites || nr_sites == MAX_SITES)
		die("%s: %zu sites", file, nr_sites);
}

/* Modules may have been loaded again, elsewhere. */
static void sites_resolve(void)
{
	unsigned long base = 0;
	char file[128];
	size_t i;

	for (i = 0; i < nr_sites; i++) {
		struct site *s = &sites[i];

		if (!i || strcmp(s->module, s[-1].module) ||
		    strcmp(s->section, s[-1].section)) {
			snprintf(file, sizeof(file), "/sys/module/%.31s/sections/%.31s",
				 s->module, s->section);
			base = get_file(file, 16);
		}
		s->address = base ? base + s->offset : 0;
	}
}

/*
 * Of @nr sites, from the lowest address to the highest: nothing else of the
 * kernel's is in between, but perhaps others of the sites.
 */
static int range_of_sites(const struct site *s, size_t nr)
{
	unsigned long start = ~0UL, end = 0;

	sites_resolve();
	for (; nr; nr--, s++) {
		if (!s->address)
			continue;
		if (s->address < start)
			start = s->address;
		if (s->address >= end)
			end = s->address + 1;
	}
	if (end)
		fault_range(start, end);
	return end != 0;
}

/* A function of the kernel's */
static void range_of_kernel(const char *function)
{
	unsigned long address, start = 0;
	char line[512], type, name[256];
	FILE *in = fopen("/proc/kallsyms", "r");

	if (!in)
		die("kallsyms: %s", strerror(errno));
	while (fgets(line, sizeof(line), in)) {
		if (sscanf(line, "%lx %c %255s", &address, &type, name) != 3)
			continue;
		if (start && address > start)
			break;
		if (!strcmp(name, function))
			start = address;
	}
	fclose(in);
	if (!start)
		die("the kernel has no %s()", function);
	fault_range(start, address);
}

/*
 * Sites in the stack traces that the kernel has printed of failures. Of a module
 * that fails to load this is the only way to know: it had no address before.
 */
static void sites_from_log(void)
{
	static char log[1 << 20];
	int n = klogctl(4 /* read, and clear */, log, sizeof(log) - 1);
	unsigned long offset;
	char *line, *rest, function[64], module[32];
	size_t i;

	if (n < 0)
		die("klogctl: %s", strerror(errno));
	log[n] = '\0';
	for (rest = log; (line = strsep(&rest, "\n"));) {
		line = strstr(line, "]  ");
		if (!line || sscanf(line, "] %63[^+ ]+%lx/%*x [%31[^]]]", function,
				    &offset, module) != 3)
			continue;
		for (i = 0; i < nr_sites; i++) {
			if (!strcmp(sites[i].module, module) &&
			    !strcmp(sites[i].function, function) &&
			    sites[i].function_offset == offset)
				sites[i].failed++;
		}
	}
}

static void sites_report(const char *file, const char *act)
{
	FILE *out = fopen(file, "a");
	size_t i;

	if (!out)
		die("%s: %s", file, strerror(errno));
	for (i = 0; i < nr_sites; i++) {
		if (sites[i].failed)
			fprintf(out, "%s %s+0x%lx %lu %s\n", sites[i].module,
				sites[i].function, sites[i].function_offset,
				sites[i].failed, act);
	}
	fclose(out);
}

/* ---- one act, with and without ---- */

static void must(char *const *acts)
{
	int err;

	for (; *acts; acts++) {
		err = act_run(*acts);
		if (err)
			die("'%s', with nothing failing: %s", *acts, strerror(err));
	}
}

/* An allocation failed: the act succeeded nevertheless, or says why not. */
static void judge(const struct acts *acts, int failed, int err)
{
	if (!failed) {
		if (err && !acts->accept)
			die("'%s', with nothing failing: %s", acts->act, strerror(err));
		return;
	}
	if (err && !act_may_be(acts->act, err))
		die("'%s' came back with %s", acts->act, strerror(err));
	*(err ? &answers_errno : &answers_ok) += 1;
}

/*
 * All allocations of some sites fail, of whichever task, or none if these sites are
 * not there. Return: how many did.
 */
static unsigned long with_all_failing(const struct acts *acts, const struct site *s,
				      size_t nr)
{
	unsigned long failed;
	int err;

	must((char *const *)acts->before);
	fault_set("times", PLENTY, "%lu");
	if (range_of_sites(s, nr))
		fault_set("probability", 100, "%lu");
	err = act_run(acts->act);
	fault_off();
	failed = fault_times();
	judge(acts, failed != 0, err);
	must((char *const *)acts->after);
	return failed;
}

/* The Nth allocation in the range fails, of task @pid. Return: whether one did. */
static int with_nth_failing(const struct acts *acts, const char *pid, unsigned long nth)
{
	char file[64], word[32];
	int fd, err, failed;

	snprintf(file, sizeof(file), "/proc/%s/fail-nth", pid);
	fd = open(file, O_RDWR);
	if (fd < 0)
		die("%s: %s", file, strerror(errno));
	snprintf(word, sizeof(word), "%lu", nth);
	if (pwrite(fd, word, strlen(word), 0) < 0)
		die("%s: %s", file, strerror(errno));
	err = act_run(acts->act);
	if (pread(fd, word, sizeof(word), 0) < 1)
		die("%s: %s", file, strerror(errno));
	failed = word[0] == '0';
	if (pwrite(fd, "0", 1, 0) < 0)
		die("%s: %s", file, strerror(errno));
	close(fd);
	judge(acts, failed, err);
	return failed;
}

static unsigned long nth_by_nth(const struct acts *acts, const char *pid, int ours)
{
	unsigned long nth;
	int failed;

	for (nth = 1; nth < MAX_NTH; nth += acts->step) {
		must((char *const *)acts->before);
		if (ours)
			range_of_sites(sites, nr_sites);
		failed = with_nth_failing(acts, pid, nth);
		if (!ours)
			sites_from_log();
		must((char *const *)acts->after);
		if (!failed)
			return nth - acts->step;
	}
	die("'%s' has no end of allocations", acts->act);
}

/* ---- ways to fail ---- */

/* Which of these sites does the act reach? Whatever allocates nothing is not divided. */
static size_t site_by_site(const struct acts *acts, struct site *s, size_t nr)
{
	unsigned long failed = with_all_failing(acts, s, nr);

	if (!failed)
		return 0;
	if (nr == 1) {
		s->failed = failed;
		return 1;
	}
	return site_by_site(acts, s, nr / 2) +
	       site_by_site(acts, s + nr / 2, nr - nr / 2);
}

static void fail_sites(const struct acts *acts)
{
	size_t reached = site_by_site(acts, sites, nr_sites);
	unsigned long nr = reached ? nth_by_nth(acts, "self", 1) : 0;

	printf("# %s: %lu allocations from %zu sites; %lu errors, %lu successes\n",
	       acts->act, nr, reached, answers_errno, answers_ok);
}

/* Of a module that is being loaded, all that its init function does */
static void fail_init(const struct acts *acts)
{
	unsigned long nr;

	fault_set("verbose", 2, "%lu");
	range_of_kernel("do_one_initcall");
	klogctl(5 /* clear */, NULL, 0);
	nr = nth_by_nth(acts, "self", 0);
	printf("# %s: %lu allocations; %lu errors, %lu successes\n", acts->act, nr,
	       answers_errno, answers_ok);
}

/* What another task does for us, such as making a thread */
static void fail_task(const struct acts *acts, const char *pid)
{
	unsigned long nr;

	fault_range(0, ~0UL);
	nr = nth_by_nth(acts, pid, 0);
	printf("# %s, task %s: %lu allocations; %lu errors, %lu successes\n", acts->act,
	       pid, nr, answers_errno, answers_ok);
}

/*
 * Per-CPU memory is provided in advance: a worker fills it up. With that and all of
 * it failing, the act is repeated until there is none left; or another is, if this one
 * takes it only once.
 */
static void fail_percpu(const struct acts *acts)
{
	const char *repeated = acts->filler ? acts->filler : acts->act;
	unsigned long times = 0;
	int err;

	fault_set("verbose", 2, "%lu");
	range_of_kernel("pcpu_populate_chunk");
	klogctl(5, NULL, 0);
	must((char *const *)acts->before);
	fault_set("times", PLENTY, "%lu");
	fault_set("probability", 100, "%lu");
	do {
		err = act_run(repeated);
		times++;
	} while (!err && times < 1000);
	if (acts->filler)
		err = act_run(acts->act);
	fault_off();
	if (!err)
		die("'%s' never fails", acts->act);
	judge(acts, err, err);
	sites_from_log();
	must((char *const *)acts->after);
	printf("# %s: fails the %luth time\n", repeated, times);
}

/*
 * From now on, a part of all allocations in the range fails, of whichever task and
 * not of ours alone; until this is called with 0.
 */
static void fail_some(const char *percent)
{
	range_of_sites(sites, nr_sites);
	fault_set("times", PLENTY, "%lu");
	fault_set("probability", number(percent), "%lu");
}

/* ACT... : [FILLER] [-]ACT : ACT... */
static void acts_parse(struct acts *acts, int argc, char **argv)
{
	int part = 0, n[3] = {};

	memset(acts, 0, sizeof(*acts));
	for (; argc; argc--, argv++) {
		if (!strcmp(*argv, ":") && part < 2) {
			part++;
			continue;
		}
		if (n[part] == MAX_ACTS - 1)
			die("too many acts");
		if (part == 0)
			acts->before[n[part]++] = *argv;
		else if (part == 2)
			acts->after[n[part]++] = *argv;
		else if (n[part]++ < 2) {
			acts->filler = acts->act;
			acts->act = *argv;
		}
	}
	if (part != 2 || n[1] < 1 || n[1] > 2)
		die("needs ACT... : [FILLER] ACT : ACT...");
	if (*acts->act == '-') {
		acts->accept = 1;
		acts->act++;
	}
}

/* HOW[/STEP] */
int cmd_inject(int argc, char **argv)
{
	struct acts acts;
	char *how, *step;

	if (argc < 5)
		die("needs SITES REPORT HOW ACT... : [FILLER] ACT : ACT...");
	sites_read(argv[1]);
	if (!strcmp(argv[3], "some")) {
		fault_prepare();
		fail_some(argv[4]);
		return 0;
	}
	acts_parse(&acts, argc - 4, argv + 4);
	step = argv[3];
	how = strsep(&step, "/");
	acts.step = step ? number(step) : 1;
	fault_prepare();
	atexit(fault_off);
	if (acts.filler && strcmp(how, "percpu"))
		die("only per-CPU memory is used up by another act");
	if (!strcmp(how, "sites"))
		fail_sites(&acts);
	else if (!strcmp(how, "init"))
		fail_init(&acts);
	else if (!strcmp(how, "percpu"))
		fail_percpu(&acts);
	else
		fail_task(&acts, how);
	fault_range(0, ~0UL);
	sites_report(argv[2], acts.act);
	return 0;
}
