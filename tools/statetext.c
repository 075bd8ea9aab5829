// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "statetext.h"

#include <inttypes.h>
#include <string.h>

#define MIB (1024.0 * 1024.0)

/* What pools are named after may be any bytes. */
static void print_name(FILE *f, const char *name, int width)
{
	int n = 0;

	for (; *name; name++, n++)
		fputc(*name >= ' ' && *name < 0x7f ? *name : '?', f);
	fprintf(f, "%*s", n < width ? width - n : 0, "");
}

static void print_mib(FILE *f, uint64_t bytes)
{
	fprintf(f, " %10.1f", (double)bytes / MIB);
}

static void print_rate(FILE *f, double rate)
{
	if (rate < 0)
		fprintf(f, " %10s", "-");
	else
		fprintf(f, " %10.0f", rate);
}

/* ---- the driver ---- */

static void print_lethe(FILE *f, const struct driver *driver)
{
	fprintf(f, "Lethe's, version %s; new devices: policy %s, ",
		*driver->version ? driver->version : "unknown", driver->policy);
	if (strcmp(driver->budget, "0"))
		fprintf(f, "budget %s\n", driver->budget);
	else
		fputs("its own budget\n", f);
}

static void print_driver(FILE *f, const struct driver *driver)
{
	fputs("zram      ", f);
	if (driver->in_tree && driver->kind != ZRAM_NONE) {
		fprintf(f,
			"the kernel's own, on Lethe in place of zsmalloc; new pools: "
			"policy %s\n",
			driver->policy);
		return;
	}
	switch (driver->kind) {
	case ZRAM_LETHE:
		print_lethe(f, driver);
		return;
	case ZRAM_KERNEL:
		fputs("the kernel's own, a module: every free is done at once\n", f);
		break;
	case ZRAM_BUILT_IN:
		fputs("the kernel's own, built in: no other can be loaded\n", f);
		break;
	case ZRAM_NONE:
		fputs("not loaded\n", f);
		break;
	}
	if (driver->lethe)
		fprintf(f, "lethe     version %s is loaded, and zram is not on it\n",
			driver->version);
}

/* ---- devices ---- */

static void print_device(FILE *f, const struct device *device)
{
	const struct mm_stat *mm = &device->mm;

	print_name(f, device->name, 9);
	if (!device->ready) {
		fputs(" has no size yet\n", f);
		return;
	}
	fprintf(f, " %-8s", device->codec);
	print_mib(f, device->size);
	print_mib(f, mm->orig);
	print_mib(f, mm->compr);
	print_mib(f, mm->used);
	if (mm->used)
		fprintf(f, " %6.2f", (double)mm->orig / (double)mm->used);
	else
		fprintf(f, " %6s", "-");
	if (mm->limit)
		print_mib(f, mm->limit);
	else
		fprintf(f, " %10s", "-");
	fputc('\n', f);
}

static void print_devices(FILE *f, const struct state *state)
{
	if (!state->n_devices)
		return;
	fprintf(f, "\n%-9s %-8s %10s %10s %10s %10s %6s %10s\n", "device", "codec",
		"size", "original", "compressed", "used", "ratio", "limit");
	fprintf(f, "%-18s %10s %10s %10s %10s %6s %10s\n", "", "MiB", "MiB", "MiB", "MiB",
		"", "MiB");
	for (size_t i = 0; i < state->n_devices; i++)
		print_device(f, &state->devices[i]);
}

/* ---- pools ---- */

static void print_pools(FILE *f, const struct state *before, const struct state *now)
{
	fprintf(f, "\n%-9s %-10s %10s %10s %8s %10s %10s\n", "pool", "policy", "pending",
		"capacity", "oldest", "queued", "drained");
	fprintf(f, "%-20s %10s %10s %8s %10s %10s\n", "", "frees", "frees", "ms", "/s",
		"/s");
	for (size_t i = 0; i < now->n_pools; i++) {
		const struct pool *pool = &now->pools[i];
		const char *policy = pool_text(pool, "policy");

		print_name(f, pool->name, 9);
		fprintf(f, " %-10s %10" PRIu64 " %10" PRIu64 " %8" PRIu64,
			policy ? policy : "-", pool_number(pool, "pending"),
			pool_number(pool, "capacity"),
			pool_number(pool, "oldest_age_ms"));
		print_rate(f, pool_rate(before, now, pool, "queued"));
		print_rate(f, pool_rate(before, now, pool, "drained"));
		fputc('\n', f);
	}
}

/* @times: how often, as text, or NULL if that is not counted */
static void print_cause(FILE *f, const struct state *before, const struct state *now,
			const struct pool *pool, const char *what, const char *key,
			const char *times)
{
	print_name(f, pool->name, 9);
	fprintf(f, " %-26s %12" PRIu64, what, pool_number(pool, key));
	print_rate(f, pool_rate(before, now, pool, key));
	fprintf(f, " %10s\n", times ? times : "-");
}

/* Flushes by cause: of those that there were. A cause that we do not know is shown. */
static void print_flushes(FILE *f, const struct state *before, const struct state *now,
			  const struct pool *pool)
{
	for (size_t i = 0; i < pool->n_lines; i++) {
		const char *key = pool->lines[i].key;
		const char *times;
		char name[64];

		if (strncmp(key, "flushed_", 8))
			continue;
		snprintf(name, sizeof(name), "flushes_%s", key + 8);
		times = pool_text(pool, name);
		if (!pool_number(pool, key) && !pool_number(pool, name))
			continue;
		snprintf(name, sizeof(name), "flush: %s", key + 8);
		print_cause(f, before, now, pool, name, key, times);
	}
}

static void print_causes(FILE *f, const struct state *before, const struct state *now)
{
	fprintf(f, "\n%-9s %-26s %12s %10s %10s\n", "pool", "freed by", "frees",
		"frees/s", "times");
	for (size_t i = 0; i < now->n_pools; i++) {
		const struct pool *pool = &now->pools[i];

		print_cause(f, before, now, pool, "drain threads", "drained",
			    pool_text(pool, "kicks"));
		if (pool_number(pool, "producer_drained"))
			print_cause(f, before, now, pool, "exiting tasks, budget spent",
				    "producer_drained", NULL);
		if (pool_number(pool, "fallback"))
			print_cause(f, before, now, pool, "exiting tasks, not queued",
				    "fallback", NULL);
		print_flushes(f, before, now, pool);
	}
}

void state_print(FILE *f, const struct state *before, const struct state *now)
{
	print_driver(f, &now->driver);
	if (*now->unread)
		fprintf(f, "unread    %s\n", now->unread);
	print_devices(f, now);
	if (now->n_pools) {
		print_pools(f, before, now);
		print_causes(f, before, now);
	}
}
