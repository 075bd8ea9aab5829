// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "top.h"

#include <stdlib.h>
#include <unistd.h>

#include "args.h"
#include "interrupt.h"
#include "screen.h"
#include "statetext.h"
#include "table.h"
#include "watch.h"

const char *top_usage(void)
{
	return "Usage: lethe top [OPTION]...\n"
	       "\n"
	       "Show what 'lethe stat' shows, again and again. On a terminal: the arrow "
	       "keys\n"
	       "scroll, and q quits. Else: as text, with an empty line between two "
	       "looks.\n"
	       "\n"
	       "  --interval S     look every S seconds [1]\n"
	       "  --count N        stop after N looks [never]\n"
	       "  --sysroot DIR    read DIR/sys instead of /sys\n"
	       "  -h, --help       show this\n"
	       "\n"
	       "  sudo lethe top\n"
	       "\n"
	       "The columns are explained in the manual page lethe(1).\n";
}

/* Whether another look follows this one. */
static bool more(const struct watch *watch, const struct watch_options *options)
{
	return !options->count || watch->looks < options->count;
}

static enum outcome run_plain(struct watch *watch, const struct watch_options *options)
{
	enum outcome err;

	for (;;) {
		err = watch_look(watch);
		if (err)
			return err;
		if (watch->looks > 1)
			putchar('\n');
		state_print(stdout, watch_before(watch), &watch->now);
		err = table_finish();
		if (err || !more(watch, options))
			return err;
		err = watch_pause(options->interval);
		if (err)
			return err;
	}
}

static enum outcome show_on_screen(const struct watch *watch)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return fail("not enough memory for the screen");
	state_print(f, watch_before(watch), &watch->now);
	if (!fclose(f))
		screen_show(text);
	free(text);
	return OK;
}

static enum outcome run_on_screen(struct watch *watch,
				  const struct watch_options *options)
{
	enum outcome err;

	for (;;) {
		err = watch_look(watch);
		if (!err)
			err = show_on_screen(watch);
		if (err || !more(watch, options))
			return err;
		if (screen_wait(options->interval))
			return OK;
		if (interrupt_caught())
			return INTERRUPTED;
	}
}

static enum outcome run(struct watch *watch, const struct watch_options *options)
{
	enum outcome err;

	interrupt_catch();
	if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO) ||
	    !screen_start("lethe top", options->interval))
		return run_plain(watch, options);
	err = run_on_screen(watch, options);
	screen_end();
	return err;
}

enum outcome top_main(int argc, char **argv)
{
	struct watch_options options = {.root = "", .interval = 1};
	enum outcome err = args_parse(argc, argv, top_long_options, watch_set, &options);
	struct watch watch = {.root = options.root};

	if (err)
		return err;
	if (options.help)
		return table_text(top_usage());
	err = run(&watch, &options);
	watch_end(&watch);
	return err;
}
