// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "options.h"

#include <string.h>

#include "args.h"

#define MAX_MIB (1UL << 30)
#define MAX_THREADS 256
#define MAX_ROUNDS 1000

enum {
	OPT_INPUT = 1,
	OPT_CODEC,
	OPT_SIZE,
	OPT_POLICY,
	OPT_THREADS,
	OPT_ROUNDS,
	OPT_JSON,
};

static const struct option long_options[] = {
	{"input", required_argument, NULL, OPT_INPUT},
	{"codec", required_argument, NULL, OPT_CODEC},
	{"size", required_argument, NULL, OPT_SIZE},
	{"policy", required_argument, NULL, OPT_POLICY},
	{"threads", required_argument, NULL, OPT_THREADS},
	{"rounds", required_argument, NULL, OPT_ROUNDS},
	{"json", required_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, ARG_HELP},
	{NULL, 0, NULL, 0},
};

const char *options_usage(void)
{
	return "Usage: lethe bench [OPTION]...\n"
	       "\n"
	       "Store compressed pages of real files, verify them, free them as an "
	       "exiting\n"
	       "process would, and show what that cost under each deferral policy.\n"
	       "\n"
	       "  --input PATH     file, or directory to read files below [/usr/lib]\n"
	       "  --codec NAME     lz4, lzo or zstd [lz4]\n"
	       "  --size MIB       read at most this much [256]\n"
	       "  --policy NAME    all, sync, array or tombstone [all]\n"
	       "  --threads N      free from N threads at once [1]\n"
	       "  --rounds N       measure N times, show medians [5]\n"
	       "  --json FILE      also write the figures to FILE\n"
	       "  -h, --help       show this\n"
	       "\n"
	       "  lethe bench --input /usr/lib --codec zstd --size 64\n"
	       "\n"
	       "The columns are explained in the manual page lethe(1).\n";
}

static enum outcome set_codec(struct bench_options *options, const char *name)
{
	options->codec = codec_by_name(name);
	if (!options->codec)
		return bad_usage("unknown codec '%s': choose lz4, lzo or zstd", name);
	return OK;
}

static enum outcome set_policy(struct bench_options *options, const char *name)
{
	static const enum zs_defer_policy all[] = {ZS_DEFER_SYNC, ZS_DEFER_ARRAY,
						   ZS_DEFER_TOMBSTONE};
	int policy;

	options->n_policies = 0;
	if (!strcmp(name, "all")) {
		memcpy(options->policies, all, sizeof(all));
		options->n_policies = sizeof(all) / sizeof(*all);
		return OK;
	}
	policy = zs_policy_by_name(name);
	if (policy < 0)
		return bad_usage("unknown policy '%s': choose all, default, sync, array "
				 "or tombstone",
				 name);
	options->policies[options->n_policies++] = (enum zs_defer_policy)policy;
	return OK;
}

static enum outcome set_count(unsigned int *count, const char *text, const char *what,
			      unsigned long max)
{
	unsigned long number;
	enum outcome err = args_count(&number, text, what, max);

	if (!err)
		*count = (unsigned int)number;
	return err;
}

static enum outcome set_size(struct bench_options *options, const char *text)
{
	return args_count(&options->max_mib, text, "size in MiB", MAX_MIB);
}

static enum outcome set_option(void *into, int option, const char *text)
{
	struct bench_options *options = into;

	switch (option) {
	case OPT_INPUT:
		options->input = text;
		return OK;
	case OPT_CODEC:
		return set_codec(options, text);
	case OPT_SIZE:
		return set_size(options, text);
	case OPT_POLICY:
		return set_policy(options, text);
	case OPT_THREADS:
		return set_count(&options->threads, text, "number of threads",
				 MAX_THREADS);
	case OPT_ROUNDS:
		return set_count(&options->rounds, text, "number of rounds", MAX_ROUNDS);
	case OPT_JSON:
		options->json = text;
		return OK;
	default:
		options->help = true;
		return OK;
	}
}

static enum outcome set_defaults(struct bench_options *options)
{
	memset(options, 0, sizeof(*options));
	options->input = "/usr/lib";
	options->codec = codec_at(0);
	options->max_mib = 256;
	options->threads = 1;
	options->rounds = 5;
	return set_policy(options, "all");
}

enum outcome options_parse(int argc, char **argv, struct bench_options *options)
{
	enum outcome err = set_defaults(options);

	return err ? err : args_parse(argc, argv, long_options, set_option, options);
}
