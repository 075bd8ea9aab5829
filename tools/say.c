// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "say.h"

#include <stdarg.h>
#include <stdio.h>

#include "progress.h"

const char *say_name = "lethe";

static void say(const char *fmt, va_list args)
{
	char line[8192];

	vsnprintf(line, sizeof(line), fmt, args);
	for (char *c = line; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	}
	progress_clear();
	fprintf(stderr, "%s: %s\n", say_name, line);
}

enum outcome fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
	return FAILED;
}

enum outcome bad_usage(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
	return BAD_USAGE;
}
