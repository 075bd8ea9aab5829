/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* Files of sysfs, debugfs and proc: short, and read in one go. */
#ifndef LETHE_TOOLS_SMALLFILE_H
#define LETHE_TOOLS_SMALLFILE_H

#include <stddef.h>
#include <stdint.h>

/**
 * smallfile_read() - read a file whose name is put together
 * @text: where its content goes, with a final NUL and without the last newline
 * @size: room there; what does not fit is left out
 * @fmt: the name
 *
 * Return: 0, or a negative errno; then @text is empty.
 */
int smallfile_read(char *text, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * smallfile_write() - write a file that is there, in one go
 * @text: what to write
 * @fmt: the name
 *
 * Return: 0, or a negative errno.
 */
int smallfile_write(const char *text, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * smallfile_numbers() - read the first words of a file as numbers
 * @path: its name
 * @numbers: where they go
 * @n: how many are wanted
 *
 * Return: how many there are, at most @n, or a negative errno.
 */
int smallfile_numbers(const char *path, uint64_t *numbers, int n);

#endif /* LETHE_TOOLS_SMALLFILE_H */
