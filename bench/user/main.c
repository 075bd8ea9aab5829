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
#include "crew.h"
#include "interrupt.h"
#include "pack.h"
#include "push.h"
#include "run.h"

#define MAX_MIB (1UL << 20)
#define MAX_OBJECTS (1UL << 26)

static const char usage[] =
	"Usage: rivals list                            allocators, one a line\n"
	"       rivals pack INPUT MIB PACK             compress files below INPUT\n"
	"       rivals run PACK ALLOCATOR THREADS      one round of one allocator\n"
	"       rivals push PACK POLICY THREADS OBJECTS BUDGET\n"
	"                                              zs_free_deferred() while a drain "
	"runs;\n"
	"                                              a BUDGET of 0 is the policy's "
	"own\n";

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
