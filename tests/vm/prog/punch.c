/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Fragmentation: fill a device with the content of a file, again and again, then
 * discard all pages but each so-many-th; or check that those have their content.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmtest.h"

static int device, file;
static unsigned long file_pages;

/* What page @i of the device holds: a page of the file, told from its like. */
static int content(unsigned long i, unsigned char *to)
{
	if (pread(file, to, page_bytes, (i % file_pages) * page_bytes) !=
	    (ssize_t)page_bytes)
		return -1;
	memcpy(to, &i, sizeof(i));
	return 0;
}

static int fill(unsigned long i)
{
	static unsigned char page[PAGE_MOST] __attribute__((aligned(PAGE_MOST)));

	return content(i, page) ||
	       pwrite(device, page, page_bytes, i * page_bytes) != (ssize_t)page_bytes;
}

static int discard(unsigned long i)
{
	const uint64_t range[2] = {i * page_bytes, page_bytes};

	return ioctl(device, BLKDISCARD, range);
}

static int check(unsigned long i)
{
	static unsigned char page[PAGE_MOST] __attribute__((aligned(PAGE_MOST)));
	static unsigned char want[PAGE_MOST];

	return content(i, want) ||
	       pread(device, page, page_bytes, i * page_bytes) != (ssize_t)page_bytes ||
	       memcmp(page, want, page_bytes);
}

/* punch fill|discard|check DEVICE FILE MIB KEEP */
int cmd_punch(int argc, char **argv)
{
	struct stat st;
	unsigned long i, pages, keep;
	int (*act)(unsigned long) = fill;

	if (argc != 6)
		return 2;
	device = open(argv[2], O_RDWR | O_DIRECT);
	file = open(argv[3], O_RDONLY);
	if (device < 0 || file < 0 || fstat(file, &st)) {
		perror("punch");
		return 1;
	}
	file_pages = (unsigned long)st.st_size / page_bytes;
	pages = pages_of(argv[4]);
	keep = strtoul(argv[5], NULL, 10);
	if (!strcmp(argv[1], "discard"))
		act = discard;
	else if (!strcmp(argv[1], "check"))
		act = check;
	for (i = 0; i < pages; i++) {
		bool kept = i % keep == 0;

		if ((act == check && !kept) || (act == discard && kept))
			continue;
		if (act(i)) {
			printf("page %lu: %s\n", i, strerror(errno));
			return 1;
		}
	}
	return 0;
}
