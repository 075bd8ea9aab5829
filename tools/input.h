/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Pages of real files, in an order that depends on nothing but the names:
 * PATH is a regular file or a directory; below a directory every regular file
 * is read, subdirectories included, each level sorted by byte value. Symbolic
 * links below PATH are not followed, other file systems are not entered. The
 * last page of a file is filled up with zeroes, as in the page cache.
 */
#ifndef LETHE_TOOLS_INPUT_H
#define LETHE_TOOLS_INPUT_H

#include <stddef.h>

#include "say.h"

/** What was read, and what was not. */
struct input_report {
	size_t files; /**< that gave at least one page */
	size_t pages;
	size_t unreadable; /**< files and directories that could not be read */
	size_t not_regular; /**< symbolic links, devices, sockets, pipes */
	size_t mounts; /**< directories where another file system is mounted */
	char first_unreadable[512]; /**< path and reason; empty if there is none */
};

/**
 * input_measure() - how many pages there are to read, without reading them
 * @path: the user's PATH
 * @page_size: bytes in a page
 * @max_pages: stop counting here
 * @pages: the count, which may include files that turn out unreadable
 *
 * Return: OK; FAILED, and said why, if @path itself cannot be read or there
 * is nothing to read; INTERRUPTED.
 */
enum outcome input_measure(const char *path, size_t page_size, size_t max_pages,
			   size_t *pages);

/**
 * input_read() - read the pages
 * @path: the user's PATH
 * @page_size: bytes in a page
 * @max_pages: how many to read at most
 * @buf: room for @max_pages pages
 * @report: filled in
 *
 * Return: OK with at least one page read; FAILED, and said why; INTERRUPTED.
 */
enum outcome input_read(const char *path, size_t page_size, size_t max_pages,
			unsigned char *buf, struct input_report *report);

#endif /* LETHE_TOOLS_INPUT_H */
