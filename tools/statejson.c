// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include <inttypes.h>
#include <string.h>

#include "jsonstring.h"
#include "statetext.h"

static void put_text(FILE *f, const char *key, const char *text)
{
	fprintf(f, "\"%s\": ", key);
	if (text && *text)
		json_string(f, text);
	else
		fputs("null", f);
}

static void put_number(FILE *f, const char *key, uint64_t value)
{
	fprintf(f, ", \"%s\": %" PRIu64, key, value);
}

static void put_rate(FILE *f, const char *key, double rate)
{
	if (rate < 0)
		fprintf(f, ", \"%s\": null", key);
	else
		fprintf(f, ", \"%s\": %.10g", key, rate);
}

static void put_driver(FILE *f, const struct driver *driver)
{
	static const char *const kinds[] = {
		[ZRAM_NONE] = "none",
		[ZRAM_LETHE] = "lethe",
		[ZRAM_KERNEL] = "kernel",
		[ZRAM_BUILT_IN] = "built-in",
	};

	put_text(f, "zram", kinds[driver->kind]);
	fputs(",\n  ", f);
	put_text(f, "version", driver->version);
	fputs(",\n  ", f);
	put_text(f, "policy", driver->policy);
	fputs(",\n  ", f);
	put_text(f, "budget", driver->budget);
}

static void put_device(FILE *f, const struct device *device)
{
	const struct mm_stat *mm = &device->mm;

	put_text(f, "name", device->name);
	fprintf(f, ", \"ready\": %s, ", device->ready ? "true" : "false");
	put_text(f, "codec", device->codec);
	put_number(f, "disksize", device->size);
	put_number(f, "original_bytes", mm->orig);
	put_number(f, "compressed_bytes", mm->compr);
	put_number(f, "used_bytes", mm->used);
	if (mm->used)
		fprintf(f, ", \"ratio\": %.6g", (double)mm->orig / (double)mm->used);
	else
		fputs(", \"ratio\": null", f);
	put_number(f, "limit_bytes", mm->limit);
	put_number(f, "max_used_bytes", mm->max_used);
	put_number(f, "same_filled_pages", mm->same);
	put_number(f, "pages_compacted", mm->compacted);
	put_number(f, "huge_pages", mm->huge);
	put_number(f, "huge_pages_since", mm->huge_since);
}

/* Every line that the kernel shows, under its own name. */
static void put_pool(FILE *f, const struct state *before, const struct state *now,
		     const struct pool *pool)
{
	put_text(f, "name", pool->name);
	for (size_t i = 0; i < pool->n_lines; i++) {
		const struct pool_line *line = &pool->lines[i];

		fputs(", ", f);
		json_string(f, line->key);
		fputs(": ", f);
		if (*line->value &&
		    strspn(line->value, "0123456789") == strlen(line->value))
			fputs(line->value, f);
		else
			json_string(f, line->value);
	}
	put_rate(f, "queued_per_s", pool_rate(before, now, pool, "queued"));
	put_rate(f, "drained_per_s", pool_rate(before, now, pool, "drained"));
}

void state_print_json(FILE *f, const struct state *before, const struct state *now)
{
	fputs("{\n  \"lethe\": \"" LETHE_VERSION "\",\n  ", f);
	put_driver(f, &now->driver);
	fputs(",\n  ", f);
	put_text(f, "unread", now->unread);
	fputs(",\n  \"devices\": [", f);
	for (size_t i = 0; i < now->n_devices; i++) {
		fputs(i ? ",\n    {" : "\n    {", f);
		put_device(f, &now->devices[i]);
		fputc('}', f);
	}
	fputs("],\n  \"pools\": [", f);
	for (size_t i = 0; i < now->n_pools; i++) {
		fputs(i ? ",\n    {" : "\n    {", f);
		put_pool(f, before, now, &now->pools[i]);
		fputc('}', f);
	}
	fputs("]\n}\n", f);
}
