// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* The program "lethe": finds the subcommand. */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "bench.h"
#include "interrupt.h"
#include "options.h"
#include "say.h"
#include "stat.h"
#include "table.h"
#include "top.h"
#include "try.h"

static const char usage[] =
	"Usage: lethe COMMAND [OPTION]...\n"
	"\n"
	"Lethe is an allocator for compressed pages whose memory comes back fast.\n"
	"\n"
	"  stat             what zram holds here, and what waits to be freed\n"
	"  top              the same, live\n"
	"  try              measure on this machine what freeing swapped-out memory "
	"costs\n"
	"  bench            measure what freeing costs, on pages of real files\n"
	"  help [COMMAND]   show this, or the options of COMMAND\n"
	"  -h, --help       show this\n"
	"  --version        show the version\n";

static const struct command {
	const char *name;
	const char *(*usage)(void);
	enum outcome (*run)(int argc, char **argv);
} commands[] = {
	{"stat", stat_usage, stat_main},
	{"top", top_usage, top_main},
	{"try", try_usage, try_main},
	{"bench", options_usage, bench_main},
};

static const struct command *command_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	}
	return NULL;
}

static bool is(const char *word, const char *a, const char *b)
{
	return !strcmp(word, a) || !strcmp(word, b);
}

static enum outcome help_main(int argc, char **argv)
{
	const struct command *command = argc == 2 ? command_by_name(argv[1]) : NULL;

	if (argc < 2)
		return table_text(usage);
	if (command)
		return table_text(command->usage());
	return bad_usage("no help on '%s': see 'lethe help'", argv[argc - 1]);
}

static enum outcome dispatch(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2)
		return bad_usage("a command is missing: see 'lethe help'");
	command = command_by_name(argv[1]);
	if (command)
		return command->run(argc - 1, argv + 1);
	if (!strcmp(argv[1], "help"))
		return help_main(argc - 1, argv + 1);
	if (argc > 2 && (is(argv[1], "-h", "--help") || is(argv[1], "-V", "--version")))
		return bad_usage("unexpected word '%s': see 'lethe help'", argv[2]);
	if (is(argv[1], "-h", "--help"))
		return table_text(usage);
	if (is(argv[1], "-V", "--version"))
		return table_text("lethe " LETHE_VERSION "\n");
	return bad_usage("unknown %s '%s': see 'lethe help'",
			 argv[1][0] == '-' ? "option" : "command", argv[1]);
}

int main(int argc, char **argv)
{
	enum outcome err = dispatch(argc, argv);

	if (err == INTERRUPTED) {
		fail("interrupted");
		interrupt_pass_on();
		return FAILED;
	}
	return (int)err;
}
