// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* Read or write an attribute, and say what the kernel answered. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vmtest.h"

static int attr_write(const char *file, const char *value)
{
	int fd = open(file, O_WRONLY);
	ssize_t n;

	if (fd < 0)
		return answer();
	n = write(fd, value, strlen(value));
	if (n < 0)
		return answer();
	puts((size_t)n == strlen(value) ? "ok" : "short");
	return close(fd);
}

static int attr_read(const char *file)
{
	char text[4096];
	int fd = open(file, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return answer();
	while ((n = read(fd, text, sizeof(text))) > 0)
		fwrite(text, 1, n, stdout);
	if (n < 0)
		return answer();
	return close(fd);
}

int cmd_attr(int argc, char **argv)
{
	if (argc == 2)
		return attr_read(argv[1]);
	if (argc == 3)
		return attr_write(argv[1], argv[2]);
	die("needs FILE [VALUE]");
}
