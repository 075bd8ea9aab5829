// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "smallfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int open_named(int flags, const char *fmt, va_list args)
{
	char path[PATH_MAX];
	int fd;

	if (vsnprintf(path, sizeof(path), fmt, args) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Closes @fd, too. A file of the kernel may give its content in parts. */
static int read_all(int fd, char *text, size_t size)
{
	size_t length = 0;
	ssize_t n;
	int err;

	do {
		n = read(fd, text + length, size - 1 - length);
		if (n > 0)
			length += (size_t)n;
	} while (n > 0 && length < size - 1);
	err = n < 0 ? -errno : 0;
	close(fd);
	if (err)
		length = 0;
	if (length && text[length - 1] == '\n')
		length--;
	text[length] = '\0';
	return err;
}

int smallfile_read(char *text, size_t size, const char *fmt, ...)
{
	va_list args;
	int fd;

	va_start(args, fmt);
	fd = open_named(O_RDONLY, fmt, args);
	va_end(args);
	*text = '\0';
	return fd < 0 ? fd : read_all(fd, text, size);
}

int smallfile_write(const char *text, const char *fmt, ...)
{
	size_t length = strlen(text);
	va_list args;
	int fd, err;

	va_start(args, fmt);
	fd = open_named(O_WRONLY, fmt, args);
	va_end(args);
	if (fd < 0)
		return fd;
	err = write(fd, text, length) == (ssize_t)length ? 0 : -errno;
	close(fd);
	return err;
}

int smallfile_numbers(const char *path, uint64_t *numbers, int n)
{
	char text[512], *at = text, *end;
	int err = smallfile_read(text, sizeof(text), "%s", path);
	int i;

	if (err)
		return err;
	for (i = 0; i < n; i++, at = end) {
		numbers[i] = strtoull(at, &end, 10);
		if (end == at)
			break;
	}
	return i;
}
