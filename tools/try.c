// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "try.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "args.h"
#include "interrupt.h"
#include "smallfile.h"
#include "state.h"
#include "table.h"
#include "trial.h"

#define MAX_MIB (1UL << 20)
#define MIB (1024.0 * 1024.0)
#define MAX_POLICIES 2

enum {
	OPT_SIZE = 1,
	OPT_ROUNDS,
	OPT_CODEC,
	OPT_INPUT,
};

static const struct option long_options[] = {
	{"size", required_argument, NULL, OPT_SIZE},
	{"rounds", required_argument, NULL, OPT_ROUNDS},
	{"codec", required_argument, NULL, OPT_CODEC},
	{"input", required_argument, NULL, OPT_INPUT},
	{"help", no_argument, NULL, ARG_HELP},
	{NULL, 0, NULL, 0},
};

const char *try_usage(void)
{
	return "Usage: lethe try [OPTION]...\n"
	       "\n"
	       "Measure on this machine what it costs to free swapped-out memory: a "
	       "process of\n"
	       "its own swaps its memory to a zram device of its own, and unmaps it or "
	       "is "
	       "killed.\n"
	       "With Lethe's zram, under the policies sync and default. Needs root.\n"
	       "\n"
	       "  --size MIB       memory of the process [64]\n"
	       "  --rounds N       measure N times, show medians [5]\n"
	       "  --codec NAME     codec of the device [the driver's choice]\n"
	       "  --input PATH     file, or directory to read page content below "
	       "[/usr/lib]\n"
	       "  -h, --help       show this\n"
	       "\n"
	       "  sudo lethe try --size 256\n"
	       "\n"
	       "What it does to the machine is said in the manual page lethe(1).\n";
}

static enum outcome set_option(void *into, int option, const char *text)
{
	struct trial_options *options = into;

	switch (option) {
	case OPT_SIZE:
		return args_count(&options->mib, text, "size in MiB", MAX_MIB);
	case OPT_ROUNDS:
		return args_count(&options->rounds, text, "number of rounds",
				  TRIAL_MAX_ROUNDS);
	case OPT_CODEC:
		options->codec = text;
		return OK;
	case OPT_INPUT:
		options->input = text;
		return OK;
	default:
		options->help = true;
		return OK;
	}
}

/* ---- may it be done here? ---- */

static enum outcome check_machine(void)
{
	char zswap[8];

	if (geteuid())
		return fail("'lethe try' needs root, as it makes a zram device and swaps "
			    "to it; try sudo");
	smallfile_read(zswap, sizeof(zswap), "/sys/module/zswap/parameters/enabled");
	if (*zswap == 'Y')
		return fail("zswap is enabled, and would keep pages from zram: echo N "
			    ">/sys/module/zswap/parameters/enabled, and Y afterwards");
	return OK;
}

/* ---- what is shown ---- */

static void print_head(const struct trial *trial, const struct driver *driver,
		       const struct trial_figures *figures)
{
	const struct trial_options *options = trial->options;

	if (driver->kind == ZRAM_LETHE)
		printf("zram      Lethe's, version %s\n", driver->version);
	else
		printf("zram      the kernel's own%s\n",
		       driver->kind == ZRAM_BUILT_IN ? ", built in" : "");
	printf("stored    %.1f MiB of %s in %.1f MiB of memory (%.2f)\n",
	       figures->stored / MIB, options->input, figures->used / MIB,
	       figures->used > 0 ? figures->stored / figures->used : 0);
	printf("medians   of %lu round%s\n", options->rounds,
	       options->rounds == 1 ? "" : "s");
	if (trial->others)
		printf("others    up to %" PRIu64
		       " pages on the device beyond those of the process\n",
		       trial->others);
}

static void print_row(const char *name, const struct trial_figures *figures)
{
	printf("%-9s %10.1f %10.1f %10.1f\n", name, figures->munmap_ns, figures->kill_ns,
	       figures->back_ms);
}

/* How much less the last costs than the first */
static void print_ratio(const struct trial_figures *first,
			const struct trial_figures *last)
{
	printf("%-9s %10.2f %10.2f %10.2f\n", "ratio", first->munmap_ns / last->munmap_ns,
	       first->kill_ns / last->kill_ns, first->back_ms / last->back_ms);
}

static void print_advice(const struct driver *driver)
{
	if (driver->kind == ZRAM_BUILT_IN)
		puts("\nNo other zram can be loaded into this kernel, which has it built "
		     "in.");
	else
		puts("\nTo compare: load Lethe's zram ('make modules', and then as "
		     "README says\nunder 'Use it on a real machine'), and run this "
		     "again.");
}

static enum outcome show(const struct trial *trial, const struct driver *driver,
			 const char *const *policies, unsigned int n,
			 const struct trial_figures *figures)
{
	print_head(trial, driver, &figures[n - 1]);
	printf("\n%-9s %10s %10s %10s\n", "policy", "munmap", "kill", "back");
	printf("%-9s %10s %10s %10s\n", "", "ns/page", "ns/page", "ms");
	for (unsigned int i = 0; i < n; i++)
		print_row(policies ? policies[i] : "-", &figures[i]);
	if (n > 1)
		print_ratio(&figures[0], &figures[n - 1]);
	else
		print_advice(driver);
	return table_finish();
}

/* ---- all of it ---- */

static enum outcome measure(struct trial *trial, const char *const *policies,
			    unsigned int n, struct trial_figures *figures)
{
	enum outcome err, end_err;

	err = trial_prepare(trial);
	if (!err)
		err = ownzram_add(&trial->own);
	if (!err)
		err = trial_run(trial, policies, n, figures);
	end_err = ownzram_end(&trial->own);
	trial_release(trial);
	return err ? err : end_err;
}

static enum outcome run(const struct trial_options *options)
{
	static const char *const deferring[MAX_POLICIES] = {"sync", "default"};
	struct trial_figures figures[MAX_POLICIES];
	struct trial trial = {.options = options, .own.id = -1, .content = -1};
	struct driver driver;
	const char *const *policies;
	enum outcome err = check_machine();
	unsigned int n;

	if (err)
		return err;
	err = ownzram_check();
	if (err)
		return err;
	driver_read("", &driver);
	policies = driver.kind == ZRAM_LETHE ? deferring : NULL;
	n = policies ? MAX_POLICIES : 1;
	/* The device is to be removed however this ends. */
	interrupt_hold();
	signal(SIGPIPE, SIG_IGN);
	err = measure(&trial, policies, n, figures);
	return err ? err : show(&trial, &driver, policies, n, figures);
}

enum outcome try_main(int argc, char **argv)
{
	struct trial_options options = {.mib = 64, .rounds = 5, .input = "/usr/lib"};
	enum outcome err = args_parse(argc, argv, long_options, set_option, &options);

	if (err)
		return err;
	return options.help ? table_text(try_usage()) : run(&options);
}
