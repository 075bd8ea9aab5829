/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * What happened, as a table: thread, step, object. And failures.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "world.h"

enum { ROWS_MAX = 20000, ROWS_SIFTED = 5000, TEXT = 72 };

struct row {
	u64 now;
	const char *thread;
	const void *p; /* the object; NULL: none */
	char what[TEXT];
	char object[TEXT];
};

static struct row rows[ROWS_MAX];
static size_t nr_rows;

bool (*sim_describe)(const void *p, char *text, size_t size);

void trace_begin(void)
{
	nr_rows = 0;
}

/* The oldest rows go when there are too many: the end is what matters. */
static struct row *row_new(void)
{
	struct row *r = &rows[nr_rows++ % ROWS_MAX];

	r->now = sim.now;
	r->thread = sim_me()->name;
	r->p = NULL;
	r->object[0] = 0;
	return r;
}

void trace_step(const char *what, const void *object, u64 a, u64 b)
{
	struct row *r = row_new();

	r->p = object;
	if (a | b)
		snprintf(r->what, TEXT, b ? "%s %llx, %llx" : "%s %llx", what, a, b);
	else
		snprintf(r->what, TEXT, "%s", what);
	if (!object || (sim_describe && sim_describe(object, r->object, TEXT)))
		return;
	if (memory_has(object))
		snprintf(r->object, TEXT, "memory +%#zx",
			 (size_t)((const char *)object - memory_arena));
}

void sim_note(const char *format, ...)
{
	va_list args;

	if (likely(!sim.config.trace))
		return;
	va_start(args, format);
	vsnprintf(row_new()->what, TEXT, format, args);
	va_end(args);
}

void sim_point(const char *what, const void *object)
{
	sched_point(object, SIM_CHANGES);
	TRACE(what, object, 0, 0);
}

/* Is the step about something that another thread uses, too, and that changes? */
static bool row_is_shared(const struct row *r)
{
	bool others = false, changes = false;
	size_t i;

	if (!r->p || nr_rows > ROWS_SIFTED)
		return true;
	for (i = 0; i < nr_rows && !(others && changes); i++) {
		if (rows[i].p != r->p)
			continue;
		others |= rows[i].thread != r->thread;
		changes |= strncmp(rows[i].what, "load", 4) != 0;
	}
	return others && changes;
}

static void row_print(const struct row *r)
{
	printf("%5llu.%03llu  %-8s %-40s %s\n", r->now / 1000 % 100000, r->now % 1000,
	       r->thread, r->what, r->object);
}

void sim_trace_print(size_t most)
{
	size_t kept = nr_rows < ROWS_MAX ? nr_rows : ROWS_MAX;
	size_t i = nr_rows, n = 0;

	/* Back to where the last @most begin. */
	while (i > nr_rows - kept && (!most || n < most)) {
		i--;
		n += !most || row_is_shared(&rows[i % ROWS_MAX]);
	}
	printf("%9s  %-8s %-40s %s\n", "us", "thread", "step", "object");
	for (; i < nr_rows; i++) {
		if (!most || row_is_shared(&rows[i % ROWS_MAX]))
			row_print(&rows[i % ROWS_MAX]);
	}
}

void sim_fail(const char *format, ...)
{
	struct sim_result *r = sim.result;
	va_list args;

	va_start(args, format);
	vsnprintf(r->what, sizeof(r->what), format, args);
	va_end(args);
	r->failed = true;
	sim_note("FAILS: %s", r->what);
	coro_switch(&sim_me()->coro, &sim.host);
	__builtin_unreachable();
}
