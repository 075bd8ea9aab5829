// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* Swap of a priority, which busybox's swapon does not give. */
#include <errno.h>
#include <string.h>
#include <sys/swap.h>

#include "vmtest.h"

int cmd_swapon(int argc, char **argv)
{
	if (argc != 3)
		die("a device and a priority are needed");
	if (swapon(argv[1], SWAP_FLAG_PREFER | (int)number(argv[2])))
		die("swapon %s: %s", argv[1], strerror(errno));
	return 0;
}
