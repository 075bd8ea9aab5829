// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "progress.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"

#define REDRAW_NS (100 * 1000 * 1000ULL)
#define MAX_CELLS 40

/* One process has one terminal, so the bar is one too. */
static struct {
	bool watched;
	bool drawn;
	unsigned int steps;
	unsigned int begun;
	uint64_t drawn_at;
	char label[48];
} bar;

static bool somebody_is_watching(void)
{
	const char *term = getenv("TERM");
	struct stat out;

	if (!isatty(STDERR_FILENO) || !term || !strcmp(term, "dumb"))
		return false;
	/* A pager at the other end of the pipe draws on the same screen. */
	return fstat(STDOUT_FILENO, &out) || !S_ISFIFO(out.st_mode);
}

void progress_start(unsigned int steps)
{
	memset(&bar, 0, sizeof(bar));
	bar.watched = somebody_is_watching();
	bar.steps = steps ? steps : 1;
}

void progress_step(const char *label)
{
	snprintf(bar.label, sizeof(bar.label), "%s", label);
	bar.begun++;
	bar.drawn_at = 0;
	progress_update(0);
}

static unsigned int columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
		return 80;
	return size.ws_col;
}

/* How many cells the bar has room for beside brackets, percentage and label. */
static unsigned int bar_cells(void)
{
	unsigned int taken = (unsigned int)strlen(bar.label) + 12;
	unsigned int width = columns();

	if (width <= taken)
		return 0;
	return width - taken < MAX_CELLS ? width - taken : MAX_CELLS;
}

static void draw(double part)
{
	double done = (bar.begun ? bar.begun - 1 + part : 0) / bar.steps;
	unsigned int cells = bar_cells();
	unsigned int full;

	if (done > 1)
		done = 1;
	full = (unsigned int)(done * cells);
	fputs("\r[", stderr);
	for (unsigned int i = 0; i < cells; i++)
		fputc(i < full ? '#' : '.', stderr);
	fprintf(stderr, "] %3d %% %s\033[K", (int)(done * 100), bar.label);
	fflush(stderr);
	bar.drawn = true;
}

void progress_update(double part)
{
	uint64_t now;

	if (!bar.watched)
		return;
	now = clock_ns(CLOCK_MONOTONIC);
	if (bar.drawn_at && now - bar.drawn_at < REDRAW_NS)
		return;
	bar.drawn_at = now;
	draw(part);
}

void progress_clear(void)
{
	if (!bar.drawn)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	bar.drawn = false;
}
