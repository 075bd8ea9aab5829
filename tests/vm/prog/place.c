// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Pages that are on the NUMA node of one CPU, written by a task that runs on another: on
 * which node does a device store them?
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "vmtest.h"

/* place FILE DEVICE MIB AT OF ON */
int cmd_place(int argc, char **argv)
{
	size_t pages, bytes;
	char *memory;
	int file, device;

	if (argc != 7)
		die("needs FILE DEVICE MIB AT OF ON");
	pages = pages_of(argv[3]);
	bytes = pages * page_bytes;
	file = open(argv[1], O_RDONLY);
	device = open(argv[2], O_WRONLY | O_DIRECT);
	if (file < 0 || device < 0)
		die("%s: %s", file < 0 ? argv[1] : argv[2], strerror(errno));
	stay_on(number(argv[5]));
	memory = map_pages(pages);
	if (read(file, memory, bytes) != (ssize_t)bytes)
		die("%s has not %s MiB", argv[1], argv[3]);
	stay_on(number(argv[6]));
	if (pwrite(device, memory, bytes, (off_t)number(argv[4])) != (ssize_t)bytes)
		die("%s: %s", argv[2], strerror(errno));
	return close(device) || close(file);
}
