// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * One read or write past the page cache, from memory that begins anywhere, and what the
 * kernel answered. Where the memory is not aligned to pages, a page of the device comes
 * in pieces. Or one request for zeroes. What is written comes from a file, if there is
 * one, and what is read goes there.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vmtest.h"

static void copy(const char *file, char *memory, size_t bytes, int writes)
{
	int fd = open(file, writes ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ssize_t n;

	if (fd < 0)
		die("%s: %s", file, strerror(errno));
	n = writes ? read(fd, memory, bytes) : write(fd, memory, bytes);
	if (n != (ssize_t)bytes)
		die("%s has not %zu bytes", file, bytes);
	close(fd);
}

int cmd_direct(int argc, char **argv)
{
	uint64_t range[2];
	size_t bytes, skew;
	char *memory;
	ssize_t n;
	int fd;

	if (argc != 6 && argc != 7)
		die("needs read|write|zero DEVICE AT BYTES SKEW [FILE]");
	range[0] = number(argv[3]);
	range[1] = bytes = number(argv[4]);
	skew = number(argv[5]);
	fd = open(argv[2], O_RDWR | O_DIRECT);
	if (fd < 0)
		return answer();
	memory = map_pages((skew + bytes) / page_bytes + 1);
	memset(memory, 'x', skew + bytes);
	if (argc == 7 && !strcmp(argv[1], "write"))
		copy(argv[6], memory + skew, bytes, 1);
	if (!strcmp(argv[1], "read"))
		n = pread(fd, memory + skew, bytes, range[0]);
	else if (!strcmp(argv[1], "write"))
		n = pwrite(fd, memory + skew, bytes, range[0]);
	else if (!strcmp(argv[1], "zero"))
		n = ioctl(fd, BLKZEROOUT, range) ? -1 : (ssize_t)bytes;
	else
		die("'%s'?", argv[1]);
	if (n < 0)
		return answer();
	if (argc == 7 && !strcmp(argv[1], "read"))
		copy(argv[6], memory + skew, bytes, 0);
	puts((size_t)n == bytes ? "ok" : "short");
	return close(fd);
}
