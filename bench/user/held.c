// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "held.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The figure of the line that begins with @field, which begins with a newline. */
static uint64_t field_bytes(const char *text, const char *field)
{
	const char *at = strstr(text, field);

	return at ? strtoull(at + strlen(field), NULL, 10) << 10 : 0;
}

/* Not by stdio, whose buffer would come from the allocator that is measured. */
enum outcome held_bytes(uint64_t *bytes)
{
	static char text[4096];
	int fd = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n = -1;

	while (fd >= 0 && (n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	if (n < 0) {
		if (fd >= 0)
			close(fd);
		return fail("cannot read /proc/self/smaps_rollup: %s", strerror(errno));
	}
	close(fd);
	text[len] = '\0';
	*bytes = field_bytes(text, "\nAnonymous:") + field_bytes(text, "\nSwap:") -
		 field_bytes(text, "\nLazyFree:");
	return OK;
}
