// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "stat.h"

#include "args.h"
#include "interrupt.h"
#include "statetext.h"
#include "table.h"
#include "watch.h"

const char *stat_usage(void)
{
	return "Usage: lethe stat [OPTION]...\n"
	       "\n"
	       "Show which zram is loaded, what each of its devices holds, and what "
	       "waits to be\n"
	       "freed in each pool of Lethe's.\n"
	       "\n"
	       "  --interval S     look twice, S seconds apart, and show what was freed "
	       "per second\n"
	       "  --json           as JSON\n"
	       "  --sysroot DIR    read DIR/sys instead of /sys\n"
	       "  -h, --help       show this\n"
	       "\n"
	       "  sudo lethe stat --interval 1\n"
	       "\n"
	       "The columns are explained in the manual page lethe(1).\n";
}

static enum outcome look(struct watch *watch, unsigned long interval)
{
	enum outcome err = watch_look(watch);

	if (err || !interval)
		return err;
	interrupt_catch();
	err = watch_pause(interval);
	return err ? err : watch_look(watch);
}

enum outcome stat_main(int argc, char **argv)
{
	struct watch_options options = {.root = ""};
	enum outcome err = args_parse(argc, argv, stat_long_options, watch_set, &options);
	struct watch watch = {.root = options.root};

	if (err)
		return err;
	if (options.help)
		return table_text(stat_usage());
	err = look(&watch, options.interval);
	if (!err) {
		if (options.json)
			state_print_json(stdout, watch_before(&watch), &watch.now);
		else
			state_print(stdout, watch_before(&watch), &watch.now);
		err = table_finish();
	}
	watch_end(&watch);
	return err;
}
