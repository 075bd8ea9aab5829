/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* A terminal on which a text is shown that changes, by ncurses. */
#ifndef LETHE_TOOLS_SCREEN_H
#define LETHE_TOOLS_SCREEN_H

#include <stdbool.h>

/**
 * screen_start() - take the terminal
 * @title: for the first line
 * @interval: seconds between two texts, for the first line
 *
 * Return: false if the terminal cannot be taken, or this program was built without
 * ncurses; then nothing has changed.
 */
bool screen_start(const char *title, unsigned long interval);

/** screen_end() - give the terminal back as it was. */
void screen_end(void);

/**
 * screen_show() - show a text instead of the last one
 * @text: lines; one after an empty line is a heading
 */
void screen_show(const char *text);

/**
 * screen_wait() - wait, and follow the keys and the terminal's size meanwhile
 * @seconds: how long; a signal ends it early
 *
 * Return: whether the user wants to quit.
 */
bool screen_wait(unsigned long seconds);

#endif /* LETHE_TOOLS_SCREEN_H */
