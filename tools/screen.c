// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "screen.h"

#ifdef LETHE_HAVE_NCURSES

#include <curses.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "interrupt.h"

#define TITLE_LINES 1
/* The wait is in steps, so that a signal that comes before one is not missed. */
#define STEP_MS 100

static struct {
	SCREEN *screen;
	const char *title;
	unsigned long interval;
	char *text; /* a copy of what is shown */
	int lines; /* of it */
	int first; /* the line at the top */
} view;

bool screen_start(const char *title, unsigned long interval)
{
	view.screen = newterm(NULL, stdout, stdin);
	if (!view.screen)
		return false;
	set_term(view.screen);
	/* Of a terminal without a cursor to move, such as "dumb", a line is all. */
	if (!tigetstr("cup")) {
		screen_end();
		return false;
	}
	view.title = title;
	view.interval = interval;
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	curs_set(0);
	return true;
}

void screen_end(void)
{
	endwin();
	delscreen(view.screen);
	free(view.text);
	memset(&view, 0, sizeof(view));
}

static int count_lines(const char *text)
{
	int n = 0;

	while ((text = strchr(text, '\n')) != NULL) {
		n++;
		text++;
	}
	return n;
}

static void draw_line(int row, const char *line, int length, bool heading)
{
	if (heading)
		attron(A_BOLD);
	mvaddnstr(row, 0, line, length < COLS ? length : COLS);
	if (heading)
		attroff(A_BOLD);
}

static void draw_text(void)
{
	const char *line = view.text, *end;
	bool heading = false;

	for (int i = 0; line && (end = strchr(line, '\n')) != NULL; i++) {
		int row = TITLE_LINES + i - view.first;

		if (row >= TITLE_LINES && row < LINES)
			draw_line(row, line, (int)(end - line), heading);
		heading = end == line;
		line = end + 1;
	}
}

static void draw(void)
{
	int last = view.lines - (LINES - TITLE_LINES);

	if (view.first > last)
		view.first = last;
	if (view.first < 0)
		view.first = 0;
	erase();
	attron(A_REVERSE);
	mvprintw(0, 0, "%s, every %lu s; q quits", view.title, view.interval);
	if (last > 0)
		printw(", arrows scroll");
	attroff(A_REVERSE);
	draw_text();
	refresh();
}

void screen_show(const char *text)
{
	free(view.text);
	view.text = strdup(text);
	view.lines = view.text ? count_lines(view.text) : 0;
	draw();
}

/* Whether the key quits. */
static bool follow(int key)
{
	switch (key) {
	case 'q':
	case 'Q':
		return true;
	case KEY_UP:
		view.first--;
		break;
	case KEY_DOWN:
		view.first++;
		break;
	case KEY_PPAGE:
		view.first -= LINES - TITLE_LINES;
		break;
	case KEY_NPAGE:
		view.first += LINES - TITLE_LINES;
		break;
	case KEY_RESIZE:
		break;
	default:
		return false;
	}
	draw();
	return false;
}

bool screen_wait(unsigned long seconds)
{
	uint64_t end = clock_ns(CLOCK_MONOTONIC) + seconds * 1000000000ULL;

	timeout(STEP_MS);
	while (clock_ns(CLOCK_MONOTONIC) < end && !interrupt_caught()) {
		if (follow(getch()))
			return true;
	}
	return false;
}

#else /* without ncurses */

bool screen_start(const char *title, unsigned long interval)
{
	(void)title;
	(void)interval;
	return false;
}

void screen_end(void)
{
}

void screen_show(const char *text)
{
	(void)text;
}

bool screen_wait(unsigned long seconds)
{
	(void)seconds;
	return true;
}

#endif
