// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * The program "rivals": what one process of the benchmark against other
 * allocators does. bench/rivals.py calls it, and makes tables of what it prints.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "compact.h"
#include "crew.h"
#include "interrupt.h"
#include "pack.h"
#include "push.h"
#include "run.h"
#include "stall.h"

#define MAX_MIB (1UL << 20)
#define MAX_OBJECTS (1UL << 26)
#define MAX_SECONDS 3600UL

static const char usage[] =
	"Usage: rivals list                            allocators, one a line\n"
	"       rivals pack INPUT MIB PACK             compress files below INPUT\n"
	"       rivals run PACK ALLOCATOR THREADS      one round of one allocator\n"
	"       rivals push PACK POLICY THREADS OBJECTS BUDGET\n"
	"                                              zs_free_deferred() while a drain "
	"runs;\n"
	"                                              a BUDGET of 0 is the policy's "
	"own\n"
	"       rivals stall PACK POLICY CAUSE SECONDS how long a drain takes while two\n"
	"                                              threads push without end\n"
	"       rivals compact PACK WANT               compaction of WANT pages a call, "
	"after\n"
	"                                              90 % was freed at random\n";

static enum outcome parse_count(const char *text, const char *what, unsigned long min,
				unsigned long max, size_t *count)
{
	char *end;

	errno = 0;
	*count = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || *count < min || *count > max)
		return bad_usage("%s '%s' is not a whole number from %lu to %lu", what,
				 text, min, max);
	return OK;
}

/* Name, library to preload, package that has it; "-" for none. */
static enum outcome list(void)
{
	const struct backend *backend;

	for (size_t i = 0; (backend = backend_at(i)) != NULL; i++)
		printf("%s %s %s\n", backend->name,
		       backend->library ? backend->library : "-",
		       backend->package ? backend->package : "-");
	return OK;
}

static enum outcome pack(char **words)
{
	size_t mib;
	enum outcome err = parse_count(words[1], "size", 1, MAX_MIB, &mib);

	return err ? err : pack_write(words[0], mib, words[2]);
}

static enum outcome run(char **words)
{
	const struct backend *backend = backend_by_name(words[1]);
	struct pack objects;
	size_t threads;
	enum outcome err;

	if (!backend)
		return bad_usage("unknown allocator '%s': see 'rivals list'", words[1]);
	err = parse_count(words[2], "number of threads", 1, CREW_MAX, &threads);
	if (!err)
		err = pack_map(&objects, words[0]);
	return err ? err : run_round(backend, &objects, (unsigned int)threads);
}

static enum outcome push(char **words)
{
	int policy = zs_policy_by_name(words[1]);
	struct pack objects;
	size_t threads, n, budget;
	enum outcome err;

	if (policy < 0)
		return bad_usage("unknown policy '%s'", words[1]);
	err = parse_count(words[2], "number of threads", 1, CREW_MAX, &threads);
	if (!err)
		err = parse_count(words[3], "number of objects", 2, MAX_OBJECTS, &n);
	if (!err)
		err = parse_count(words[4], "budget", 0, MAX_OBJECTS, &budget);
	if (!err)
		err = pack_map(&objects, words[0]);
	if (err)
		return err;
	return push_run((enum zs_defer_policy)policy, &objects, (unsigned int)threads, n,
			budget);
}

/* Those that a user of the pool may give; "caller" is zs_free_deferred_flush(). */
static enum outcome parse_cause(const char *text, enum zs_flush_cause *cause)
{
	static const enum zs_flush_cause causes[] = {
		ZS_FLUSH_NOMEM,	   ZS_FLUSH_LIMIT,  ZS_FLUSH_OOM,
		ZS_FLUSH_SHRINKER, ZS_FLUSH_CALLER,
	};

	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		*cause = causes[i];
		if (!strcmp(text, zs_flush_cause_name(*cause)))
			return OK;
	}
	return bad_usage("unknown cause '%s'", text);
}

static enum outcome stall(char **words)
{
	int policy = zs_policy_by_name(words[1]);
	enum zs_flush_cause cause;
	struct pack objects;
	size_t seconds;
	enum outcome err;

	if (policy < 0)
		return bad_usage("unknown policy '%s'", words[1]);
	err = parse_cause(words[2], &cause);
	if (!err)
		err = parse_count(words[3], "seconds", 1, MAX_SECONDS, &seconds);
	if (!err)
		err = pack_map(&objects, words[0]);
	if (err)
		return err;
	return stall_run((enum zs_defer_policy)policy, cause, &objects, seconds);
}

static enum outcome compact(char **words)
{
	struct pack objects;
	size_t want;
	enum outcome err =
		parse_count(words[1], "number of pages", 1, MAX_OBJECTS, &want);

	if (!err)
		err = pack_map(&objects, words[0]);
	return err ? err : compact_run(&objects, want);
}

static enum outcome dispatch(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	if (!strcmp(command, "list") && argc == 2)
		return list();
	if (!strcmp(command, "pack") && argc == 5)
		return pack(argv + 2);
	if (!strcmp(command, "run") && argc == 5)
		return run(argv + 2);
	if (!strcmp(command, "push") && argc == 7)
		return push(argv + 2);
	if (!strcmp(command, "stall") && argc == 6)
		return stall(argv + 2);
	if (!strcmp(command, "compact") && argc == 4)
		return compact(argv + 2);
	if (!strcmp(command, "--help") && argc == 2) {
		fputs(usage, stdout);
		return OK;
	}
	return bad_usage("that makes no sense: see 'rivals --help'");
}

int main(int argc, char **argv)
{
	enum outcome err;

	say_name = "rivals";
	interrupt_catch();
	err = dispatch(argc, argv);
	if (err == INTERRUPTED) {
		fail("interrupted");
		interrupt_pass_on();
		return FAILED;
	}
	if (fflush(stdout) || ferror(stdout))
		return (int)fail("cannot write to standard output: %s", strerror(errno));
	return (int)err;
}
