// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "interrupt.h"
#include "progress.h"

/* Bytes read between two looks at signals and the progress bar. */
#define READ_CHUNK ((size_t)1 << 20)

/* Where the pages go. */
struct sink {
	unsigned char *buf;
	size_t page_size;
	size_t max_pages;
};

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* PATH itself must be there, readable, and something that holds pages. */
static enum outcome check_path(const char *path)
{
	struct stat st;
	int fd;

	if (stat(path, &st))
		return fail("cannot read input '%s': %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return fail(
			"cannot read input '%s': neither a regular file nor a directory",
			path);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return fail("cannot read input '%s': %s", path, strerror(errno));
	close(fd);
	return OK;
}

static enum outcome walk_begin(const char *path, FTS **walk)
{
	char *roots[] = {(char *)path, NULL};
	enum outcome err = check_path(path);

	if (err)
		return err;
	*walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_COMFOLLOW | FTS_XDEV,
			 by_name);
	if (!*walk)
		return fail("cannot read input '%s': %s", path, strerror(errno));
	return OK;
}

static void note_unreadable(struct input_report *report, const char *path, int error)
{
	if (!report->unreadable++)
		snprintf(report->first_unreadable, sizeof(report->first_unreadable),
			 "%s: %s", path, strerror(error));
}

/*
 * The next regular file, or NULL with errno 0 at the end. What is passed over
 * is counted in @report.
 */
static FTSENT *walk_next(FTS *walk, struct input_report *report)
{
	for (;;) {
		FTSENT *entry;

		errno = 0;
		entry = fts_read(walk);
		if (!entry)
			return NULL;
		switch (entry->fts_info) {
		case FTS_F:
			return entry;
		case FTS_DNR:
		case FTS_ERR:
		case FTS_NS:
			note_unreadable(report, entry->fts_path, entry->fts_errno);
			break;
		case FTS_D:
			if (entry->fts_dev != walk->fts_dev)
				report->mounts++;
			break;
		case FTS_SL:
		case FTS_SLNONE:
		case FTS_DEFAULT:
			report->not_regular++;
			break;
		default: /* a directory after its content */
			break;
		}
	}
}

static enum outcome nothing_there(const char *path, const struct input_report *report)
{
	if (report->unreadable)
		return fail("no file below '%s' can be read; the first problem is %s",
			    path, report->first_unreadable);
	return fail("input '%s' holds no data", path);
}

static size_t pages_of(off_t size, size_t page_size)
{
	return (size_t)size / page_size + ((size_t)size % page_size != 0);
}

enum outcome input_measure(const char *path, size_t page_size, size_t max_pages,
			   size_t *pages)
{
	struct input_report passed_over = {0};
	enum outcome err;
	size_t count = 0;
	FTSENT *entry = NULL;
	FTS *walk;

	err = walk_begin(path, &walk);
	if (err)
		return err;
	while (count < max_pages && !interrupt_caught()) {
		entry = walk_next(walk, &passed_over);
		if (!entry)
			break;
		count += pages_of(entry->fts_statp->st_size, page_size);
	}
	if (interrupt_caught())
		err = INTERRUPTED;
	else if (!entry && errno)
		err = fail("cannot walk '%s': %s", path, strerror(errno));
	else if (!count)
		err = nothing_there(path, &passed_over);
	fts_close(walk);
	*pages = count < max_pages ? count : max_pages;
	return err;
}

/* Bytes read from @fd to @dst, at most @room; negative errno on error. */
static ssize_t read_all(int fd, unsigned char *dst, size_t room, const struct sink *sink)
{
	double total = (double)sink->max_pages * (double)sink->page_size;
	size_t got = 0;

	while (got < room && !interrupt_caught()) {
		size_t want = room - got < READ_CHUNK ? room - got : READ_CHUNK;
		ssize_t n = read(fd, dst + got, want);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		got += (size_t)n;
		progress_update((double)(dst + got - sink->buf) / total);
	}
	return (ssize_t)got;
}

/* All of one file or nothing of it. Returns 0 or a negative errno. */
static int read_file(const FTSENT *entry, const struct sink *sink,
		     struct input_report *report)
{
	/* Only PATH itself may be a link; below it, one may have just appeared. */
	int links = entry->fts_level > FTS_ROOTLEVEL ? O_NOFOLLOW : 0;
	unsigned char *dst = sink->buf + report->pages * sink->page_size;
	size_t room = (sink->max_pages - report->pages) * sink->page_size;
	size_t tail;
	ssize_t got;
	int fd;

	fd = open(entry->fts_accpath, O_RDONLY | O_NONBLOCK | O_CLOEXEC | links);
	if (fd < 0)
		return -errno;
	got = read_all(fd, dst, room, sink);
	close(fd);
	if (got <= 0)
		return (int)got;
	tail = (size_t)got % sink->page_size;
	if (tail)
		memset(dst + got, 0, sink->page_size - tail);
	report->pages += pages_of(got, sink->page_size);
	report->files++;
	return 0;
}

enum outcome input_read(const char *path, size_t page_size, size_t max_pages,
			unsigned char *buf, struct input_report *report)
{
	const struct sink sink = {buf, page_size, max_pages};
	FTSENT *entry = NULL;
	enum outcome err;
	FTS *walk;

	memset(report, 0, sizeof(*report));
	err = walk_begin(path, &walk);
	if (err)
		return err;
	while (report->pages < max_pages && !interrupt_caught()) {
		int error;

		entry = walk_next(walk, report);
		if (!entry)
			break;
		error = read_file(entry, &sink, report);
		if (error)
			note_unreadable(report, entry->fts_path, -error);
	}
	if (interrupt_caught())
		err = INTERRUPTED;
	else if (!entry && errno)
		err = fail("cannot walk '%s': %s", path, strerror(errno));
	else if (!report->pages)
		err = nothing_there(path, report);
	fts_close(walk);
	return err;
}
