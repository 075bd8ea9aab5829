// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* Files of known content and odd lengths, to be checked after a remount. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vmtest.h"

#define FILE_PAGES 67 /* less a bit: no power of two */

/* Bytes of file @file: never a multiple of the page size. */
static size_t file_bytes(size_t file)
{
	return FILE_PAGES * page_bytes - 1 - file * 37 % 4000;
}

static void file_write(int fd, size_t file, uint64_t seed)
{
	static _Alignas(8) unsigned char page[PAGE_MOST];
	size_t at, n, bytes = file_bytes(file);

	for (at = 0; at < bytes; at += n) {
		content_page(page, seed + file, at / page_bytes);
		n = bytes - at < page_bytes ? bytes - at : page_bytes;
		if (pwrite(fd, page, n, at) != (ssize_t)n)
			die("write of file %zu: %s", file, strerror(errno));
	}
	if (fsync(fd))
		die("fsync of file %zu: %s", file, strerror(errno));
}

static void file_check(int fd, size_t file, uint64_t seed)
{
	static _Alignas(8) unsigned char page[PAGE_MOST], want[PAGE_MOST];
	size_t at, n, bytes = file_bytes(file);

	for (at = 0; at < bytes; at += n) {
		content_page(want, seed + file, at / page_bytes);
		n = bytes - at < page_bytes ? bytes - at : page_bytes;
		if (pread(fd, page, page_bytes, at) != (ssize_t)n)
			die("read of file %zu at %zu: %s", file, at, strerror(errno));
		if (memcmp(page, want, n))
			die("file %zu differs in page %zu", file, at / page_bytes);
	}
}

int cmd_files(int argc, char **argv)
{
	size_t file, files;
	char path[256];
	int fd, writing;

	if (argc != 5 || (strcmp(argv[1], "write") && strcmp(argv[1], "check")))
		die("needs write|check DIR MIB SEED");
	writing = !strcmp(argv[1], "write");
	files = pages_of(argv[3]) / FILE_PAGES;
	for (file = 0; file < files; file++) {
		snprintf(path, sizeof(path), "%s/file%zu", argv[2], file);
		fd = open(path, writing ? O_RDWR | O_CREAT | O_TRUNC : O_RDONLY, 0600);
		if (fd < 0)
			die("%s: %s", path, strerror(errno));
		if (writing)
			file_write(fd, file, number(argv[4]));
		else
			file_check(fd, file, number(argv[4]));
		close(fd);
	}
	return 0;
}
