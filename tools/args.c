// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "args.h"

#include <errno.h>
#include <stdlib.h>

/* What getopt_long() has just refused. */
static enum outcome refuse(char **argv)
{
	if (optopt >= ' ' && optopt != ARG_HELP)
		return bad_usage("unknown option '-%c': see 'lethe %s --help'", optopt,
				 argv[0]);
	if (optopt)
		return bad_usage("option '%s': no value is taken", argv[optind - 1]);
	return bad_usage("unknown option '%s': see 'lethe %s --help'", argv[optind - 1],
			 argv[0]);
}

enum outcome args_parse(int argc, char **argv, const struct option *options,
			enum outcome (*set)(void *into, int option, const char *text),
			void *into)
{
	enum outcome err = OK;
	int option;

	opterr = 0;
	optind = 1;
	while (!err && (option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		if (option == ':')
			err = bad_usage("option '%s' needs a value", argv[optind - 1]);
		else if (option == '?')
			err = refuse(argv);
		else
			err = set(into, option, optarg);
	}
	if (!err && optind < argc)
		err = bad_usage("unexpected word '%s': see 'lethe %s --help'",
				argv[optind], argv[0]);
	return err;
}

enum outcome args_count(unsigned long *count, const char *text, const char *what,
			unsigned long max)
{
	char *end;

	errno = 0;
	*count = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || errno || *end || *count < 1 || *count > max)
		return bad_usage("%s '%s' is not a whole number from 1 to %lu", what,
				 text, max);
	return OK;
}
