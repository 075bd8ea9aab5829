// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "watch.h"

#include <string.h>
#include <time.h>

#include "args.h"
#include "interrupt.h"

#define MAX_SECONDS 86400
#define MAX_LOOKS 1000000000

enum {
	OPT_INTERVAL = 1,
	OPT_COUNT,
	OPT_JSON,
	OPT_SYSROOT,
};

const struct option stat_long_options[] = {
	{"interval", required_argument, NULL, OPT_INTERVAL},
	{"json", no_argument, NULL, OPT_JSON},
	{"sysroot", required_argument, NULL, OPT_SYSROOT},
	{"help", no_argument, NULL, ARG_HELP},
	{NULL, 0, NULL, 0},
};

const struct option top_long_options[] = {
	{"interval", required_argument, NULL, OPT_INTERVAL},
	{"count", required_argument, NULL, OPT_COUNT},
	{"sysroot", required_argument, NULL, OPT_SYSROOT},
	{"help", no_argument, NULL, ARG_HELP},
	{NULL, 0, NULL, 0},
};

enum outcome watch_set(void *into, int option, const char *text)
{
	struct watch_options *options = into;

	switch (option) {
	case OPT_INTERVAL:
		return args_count(&options->interval, text, "interval in seconds",
				  MAX_SECONDS);
	case OPT_COUNT:
		return args_count(&options->count, text, "number of looks", MAX_LOOKS);
	case OPT_JSON:
		options->json = true;
		return OK;
	case OPT_SYSROOT:
		options->root = text;
		return OK;
	default:
		options->help = true;
		return OK;
	}
}

enum outcome watch_look(struct watch *watch)
{
	state_release(&watch->before);
	watch->before = watch->now;
	memset(&watch->now, 0, sizeof(watch->now));
	watch->looks++;
	return state_read(watch->root, &watch->now);
}

const struct state *watch_before(const struct watch *watch)
{
	return watch->looks > 1 ? &watch->before : NULL;
}

enum outcome watch_pause(unsigned long seconds)
{
	const struct timespec time = {.tv_sec = (time_t)seconds};

	nanosleep(&time, NULL);
	return interrupt_caught() ? INTERRUPTED : OK;
}

void watch_end(struct watch *watch)
{
	state_release(&watch->before);
	state_release(&watch->now);
}
