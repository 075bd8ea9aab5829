// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "trial.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "back.h"
#include "clock.h"
#include "input.h"
#include "interrupt.h"
#include "memory.h"
#include "progress.h"
#include "samples.h"
#include "victim.h"

#define MIB (1024ULL * 1024)
/* So much content is read; a larger process has it several times, numbered. */
#define MAX_CONTENT_MIB 64
/* What must stay free of the machine's memory */
#define SPARE_MIB 32

enum figure { MUNMAP_NS, KILL_NS, BACK_MS, STORED, USED, FIGURES };

/* ---- memory ---- */

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* At the worst: the process, as much for what does not compress, and the content. */
static enum outcome check_memory(const struct trial_options *options)
{
	uint64_t content =
		options->mib < MAX_CONTENT_MIB ? options->mib : MAX_CONTENT_MIB;
	uint64_t needed = 2 * options->mib + content + SPARE_MIB;
	uint64_t available = memory_available() / MIB;

	if (needed <= available)
		return OK;
	return fail("not enough memory: %" PRIu64 " MiB are needed, and %" PRIu64
		    " MiB are available; use a smaller --size",
		    needed, available);
}

static enum outcome write_content(int fd, const unsigned char *pages, size_t bytes)
{
	while (bytes) {
		ssize_t n = write(fd, pages, bytes);

		if (n < 0)
			return fail("page content cannot be kept: %s", strerror(errno));
		pages += n;
		bytes -= (size_t)n;
	}
	return OK;
}

static enum outcome read_content(struct trial *trial, size_t max_pages)
{
	unsigned char *buf = memory_map(max_pages * page_size());
	struct input_report report;
	enum outcome err;

	trial->content = memfd_create("lethe-try", MFD_CLOEXEC);
	if (!buf || trial->content < 0)
		return fail("no memory for page content: %s", strerror(errno));
	err = input_read(trial->options->input, page_size(), max_pages, buf, &report);
	if (!err)
		err = write_content(trial->content, buf, report.pages * page_size());
	memory_unmap(buf, max_pages * page_size());
	return err;
}

enum outcome trial_prepare(struct trial *trial)
{
	const struct trial_options *options = trial->options;
	enum outcome err = check_memory(options);
	size_t max_pages;

	trial->content = -1;
	if (err)
		return err;
	trial->pages = options->mib * MIB / page_size();
	max_pages = MAX_CONTENT_MIB * MIB / page_size();
	if (max_pages > trial->pages)
		max_pages = trial->pages;
	return read_content(trial, max_pages);
}

void trial_release(struct trial *trial)
{
	if (trial->content >= 0)
		close(trial->content);
	trial->content = -1;
}

/* ---- one process ---- */

static bool nearly_all(const struct trial *trial, uint64_t bytes)
{
	return bytes / page_size() >= trial->pages * 9 / 10;
}

/* Nearly all of what the process has must be on the device, and little else. */
static enum outcome check_stored(struct trial *trial, uint64_t bytes)
{
	uint64_t stored = bytes / page_size();

	if (!nearly_all(trial, bytes))
		return fail("only %" PRIu64
			    " of %zu pages came to zram%d: other swap, or "
			    "a limit of this process's control group, kept the rest",
			    stored, trial->pages, trial->own.id);
	if (stored > trial->pages * 11 / 10)
		return fail("%" PRIu64 " pages beyond the process's own came to zram%d, "
			    "which would spoil the figures: try when less is swapped",
			    stored - trial->pages, trial->own.id);
	if (stored > trial->pages && stored - trial->pages > trial->others)
		trial->others = stored - trial->pages;
	return OK;
}

static enum outcome usage(const struct trial *trial, struct mm_stat *mm)
{
	int err = mm_stat_read(trial->own.mm_stat, mm);

	return err ? fail("%s cannot be read: %s", trial->own.mm_stat, strerror(-err))
		   : OK;
}

static enum outcome wait_until_back(const struct trial *trial,
				    const struct mm_stat *before,
				    const struct mm_stat *full, uint64_t from_ns,
				    uint64_t *back_ns)
{
	const struct back back = {
		.read = mm_stat_read,
		.mm_stat = trial->own.mm_stat,
		.look_us = BACK_LOOK_US,
		.still_ns = BACK_STILL_NS,
	};

	return back_wait(&back, before->used, full->used, from_ns, back_ns);
}

/* The process has swapped out its memory. Its end, and what it takes */
static enum outcome measure_end(struct trial *trial, struct victims *victims, bool killed,
				const struct mm_stat *before, const struct mm_stat *full,
				double *figures)
{
	struct victim_end end = {0};
	uint64_t stored = full->orig - before->orig, back_ns;
	enum outcome err = victims_count_cpu(victims);

	if (!err)
		err = killed ? victims_kill(victims, &end) : victims_go(victims, &end);
	if (!err)
		err = wait_until_back(trial, before, full, end.at_ns, &back_ns);
	if (err)
		return err;
	figures[killed ? KILL_NS : MUNMAP_NS] =
		(double)end.ns / (double)(stored / page_size());
	if (killed)
		figures[BACK_MS] = (double)back_ns / 1e6;
	figures[STORED] = (double)stored;
	figures[USED] = (double)(full->used - before->used);
	return OK;
}

#define MAX_TRIES 8

/*
 * A process that has swapped out its memory to our device. Newer kernels (seen with 7.3)
 * let each CPU go on in the group of slots that it has begun, though another device has
 * the higher priority: then some hundred pages went there, and the next process is
 * another try.
 */
static enum outcome start(struct trial *trial, struct victims *victims,
			  struct mm_stat *before, struct mm_stat *full)
{
	enum outcome err;
	uint64_t ignored;

	for (int tries = MAX_TRIES;; tries--) {
		err = usage(trial, before);
		if (!err)
			err = victims_start(victims);
		if (!err)
			err = usage(trial, full);
		if (err || tries == 1 || interrupt_caught() ||
		    nearly_all(trial, full->orig - before->orig))
			break;
		victims_end(victims);
		err = wait_until_back(trial, before, full, clock_ns(CLOCK_MONOTONIC),
				      &ignored);
		if (err)
			break;
	}
	if (err || interrupt_caught())
		return err;
	return check_stored(trial, full->orig - before->orig);
}

static enum outcome measure(struct trial *trial, bool killed, double *figures)
{
	struct victims victims = {.n = 1, .pages = trial->pages, .go = {-1, -1}};
	char content[64];
	struct mm_stat before, full;
	enum outcome err;

	snprintf(content, sizeof(content), "/proc/self/fd/%d", trial->content);
	victims.input = content;
	err = start(trial, &victims, &before, &full);
	if (!err)
		err = measure_end(trial, &victims, killed, &before, &full, figures);
	victims_end(&victims);
	return err;
}

/* A pool of its own for each: both begin with nothing, and with no holes. */
static enum outcome measure_anew(struct trial *trial, const char *policy, bool killed,
				 double *figures)
{
	/* The header, what the kernel keeps free for each CPU, and rounding */
	size_t bytes = trial->pages * page_size() / 8 * 9 + 4 * MIB;
	enum outcome err =
		ownzram_start(&trial->own, policy, trial->options->codec, bytes);

	if (!err)
		err = measure(trial, killed, figures);
	if (!err)
		err = ownzram_stop(&trial->own);
	if (!err && interrupt_caught())
		err = INTERRUPTED;
	return err;
}

/* ---- all rounds ---- */

struct rounds {
	double figures[TRIAL_MAX_ROUNDS][FIGURES];
};

static double median(const struct rounds *rounds, unsigned long n, enum figure figure)
{
	static double values[TRIAL_MAX_ROUNDS];

	for (unsigned long i = 0; i < n; i++)
		values[i] = rounds->figures[i][figure];
	return samples_median(values, n);
}

static struct trial_figures take_medians(const struct rounds *rounds, unsigned long n)
{
	return (struct trial_figures){
		.munmap_ns = median(rounds, n, MUNMAP_NS),
		.kill_ns = median(rounds, n, KILL_NS),
		.back_ms = median(rounds, n, BACK_MS),
		.stored = median(rounds, n, STORED),
		.used = median(rounds, n, USED),
	};
}

static enum outcome run_one(struct trial *trial, const char *policy, double *figures)
{
	char label[32];
	enum outcome err;

	snprintf(label, sizeof(label), "%s: munmap", policy ? policy : "zram");
	progress_step(label);
	err = measure_anew(trial, policy, false, figures);
	if (err)
		return err;
	snprintf(label, sizeof(label), "%s: kill", policy ? policy : "zram");
	progress_step(label);
	return measure_anew(trial, policy, true, figures);
}

/* Each round begins with another policy; a round before the first is not counted. */
enum outcome trial_run(struct trial *trial, const char *const *policies, unsigned int n,
		       struct trial_figures *figures)
{
	struct rounds *rounds = calloc(n, sizeof(*rounds));
	unsigned long wanted = trial->options->rounds;
	double ignored[FIGURES];
	enum outcome err = rounds ? OK : fail("not enough memory for the figures");

	progress_start(2 + 2 * n * (unsigned int)wanted);
	if (!err)
		err = run_one(trial, policies ? policies[0] : NULL, ignored);
	for (unsigned long r = 0; !err && r < wanted; r++) {
		for (unsigned int i = 0; !err && i < n; i++) {
			unsigned int which = (unsigned int)(r + i) % n;

			err = run_one(trial, policies ? policies[which] : NULL,
				      rounds[which].figures[r]);
		}
	}
	progress_clear();
	for (unsigned int i = 0; !err && i < n; i++)
		figures[i] = take_medians(&rounds[i], wanted);
	free(rounds);
	return err;
}
