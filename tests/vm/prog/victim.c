// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* A process that the OOM killer prefers to any other. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vmtest.h"

int cmd_victim(int argc, char **argv)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);
	size_t pages;

	if (argc != 2)
		die("needs MIB");
	if (fd < 0 || write(fd, "1000", 4) != 4)
		die("oom_score_adj cannot be set");
	pages = pages_of(argv[1]);
	memset(map_pages(pages), 1, pages * page_bytes);
	puts("ready");
	for (;;)
		pause();
}
