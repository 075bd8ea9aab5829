// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "state.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "smallfile.h"

#define DEBUG "/sys/kernel/debug"

/* What does not fit is left out. */
static void copy(char *to, size_t size, const char *from)
{
	size_t length = strnlen(from, size - 1);

	memcpy(to, from, length);
	to[length] = '\0';
}

/* ---- the driver ---- */

static bool there(const char *root, const char *path)
{
	char full[PATH_MAX];

	return snprintf(full, sizeof(full), "%s%s", root, path) < (int)sizeof(full) &&
	       !access(full, F_OK);
}

/* A module that is built in has no initstate, and parameters at most. */
static enum zram_kind kind_of(const char *root)
{
	if (there(root, "/sys/module/lethe/holders/zram"))
		return ZRAM_LETHE;
	if (there(root, "/sys/module/zram/initstate"))
		return ZRAM_KERNEL;
	if (there(root, "/sys/module/zram") || there(root, "/sys/class/zram-control"))
		return ZRAM_BUILT_IN;
	return ZRAM_NONE;
}

void driver_read(const char *root, struct driver *driver)
{
	const char *parameters = "/sys/module/zram/parameters";
	const char *in_tree = "/sys/module/zsmalloc/parameters";

	driver->kind = kind_of(root);
	driver->lethe = there(root, "/sys/module/lethe/initstate");
	/* The kernel's own zsmalloc has no such parameter. */
	driver->in_tree = there(root, "/sys/module/zsmalloc/parameters/policy");
	smallfile_read(driver->version, sizeof(driver->version),
		       "%s/sys/module/lethe/version", root);
	smallfile_read(driver->policy, sizeof(driver->policy), "%s%s/policy", root,
		       driver->in_tree ? in_tree : parameters);
	smallfile_read(driver->budget, sizeof(driver->budget), "%s%s/budget", root,
		       parameters);
}

/* ---- devices ---- */

/* The one in brackets: "lzo lzo-rle [lz4] zstd". */
static void choose_codec(char *codec, size_t size, const char *list)
{
	const char *from = strchr(list, '[');
	const char *to = from ? strchr(from, ']') : NULL;

	if (to)
		snprintf(codec, size, "%.*s", (int)(to - from - 1), from + 1);
}

/* False for one that has just been removed. */
static bool device_read(const char *root, const char *name, struct device *device)
{
	char path[PATH_MAX], text[256];
	uint64_t number;

	snprintf(path, sizeof(path), "%s/sys/block/%s/disksize", root, name);
	if (smallfile_numbers(path, &device->size, 1) != 1)
		return false;
	copy(device->name, sizeof(device->name), name);
	snprintf(path, sizeof(path), "%s/sys/block/%s/initstate", root, name);
	device->ready = smallfile_numbers(path, &number, 1) == 1 && number;
	smallfile_read(text, sizeof(text), "%s/sys/block/%s/comp_algorithm", root, name);
	choose_codec(device->codec, sizeof(device->codec), text);
	snprintf(path, sizeof(path), "%s/sys/block/%s/mm_stat", root, name);
	return !mm_stat_read(path, &device->mm);
}

static int is_device(const struct dirent *entry)
{
	return !strncmp(entry->d_name, "zram", 4) && entry->d_name[4] >= '0' &&
	       entry->d_name[4] <= '9';
}

static enum outcome devices_read(const char *root, struct state *state)
{
	char path[PATH_MAX];
	struct dirent **entries;
	int n;

	snprintf(path, sizeof(path), "%s/sys/block", root);
	n = scandir(path, &entries, is_device, versionsort);
	if (n < 0)
		return fail("cannot read '%s': %s", path, strerror(errno));
	state->devices = calloc((size_t)n + 1, sizeof(*state->devices));
	for (int i = 0; i < n; i++) {
		if (state->devices && device_read(root, entries[i]->d_name,
						  &state->devices[state->n_devices]))
			state->n_devices++;
		free(entries[i]);
	}
	free(entries);
	return state->devices ? OK : fail("not enough memory for the devices");
}

/* ---- pools ---- */

static void pool_add_lines(struct pool *pool, char *text)
{
	const size_t room = sizeof(pool->lines) / sizeof(*pool->lines);
	char *next;

	for (char *line = text; line && *line && pool->n_lines < room; line = next) {
		struct pool_line *to = &pool->lines[pool->n_lines];
		char *colon;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		colon = strstr(line, ": ");
		if (!colon)
			continue;
		*colon = '\0';
		copy(to->key, sizeof(to->key), line);
		copy(to->value, sizeof(to->value), colon + 2);
		pool->n_lines++;
	}
}

/* Gives 0 or a negative errno. */
static int pool_read(const char *root, const char *name, struct pool *pool)
{
	static const char *const files[] = {"deferred_free", "stats"};
	char text[4096];

	copy(pool->name, sizeof(pool->name), name);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		int err = smallfile_read(text, sizeof(text), "%s" DEBUG "/lethe/%s/%s",
					 root, name, files[i]);

		if (err)
			return err;
		pool_add_lines(pool, text);
	}
	return 0;
}

static int is_name(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Why there is nothing where pools should be. */
static void say_unread(struct state *state, int err)
{
	const char *why = strerror(-err);

	if (err == -EACCES || err == -EPERM)
		why = geteuid() ? "debugfs is for root" : "the kernel is locked down";
	else if (err == -ENOENT)
		why = "no debugfs is mounted at " DEBUG;
	snprintf(state->unread, sizeof(state->unread),
		 "what is pending cannot be shown, as %s", why);
}

/* One that is gone since its directory was found is left out. */
static void pool_append(const char *root, const char *name, struct state *state)
{
	struct pool *pool = &state->pools[state->n_pools];
	int err;

	memset(pool, 0, sizeof(*pool));
	err = pool_read(root, name, pool);
	if (!err)
		state->n_pools++;
	else if (err != -ENOENT)
		say_unread(state, err);
}

static enum outcome pools_read(const char *root, struct state *state)
{
	char path[PATH_MAX];
	struct dirent **entries;
	int n;

	snprintf(path, sizeof(path), "%s" DEBUG "/lethe", root);
	n = scandir(path, &entries, is_name, versionsort);
	if (n < 0) {
		say_unread(state, -errno);
		return OK;
	}
	state->pools = calloc((size_t)n + 1, sizeof(*state->pools));
	for (int i = 0; i < n; i++) {
		if (state->pools)
			pool_append(root, entries[i]->d_name, state);
		free(entries[i]);
	}
	free(entries);
	return state->pools ? OK : fail("not enough memory for the pools");
}

const char *pool_text(const struct pool *pool, const char *key)
{
	for (size_t i = 0; i < pool->n_lines; i++) {
		if (!strcmp(pool->lines[i].key, key))
			return pool->lines[i].value;
	}
	return NULL;
}

uint64_t pool_number(const struct pool *pool, const char *key)
{
	const char *text = pool_text(pool, key);

	return text ? strtoull(text, NULL, 10) : 0;
}

double pool_rate(const struct state *before, const struct state *now,
		 const struct pool *pool, const char *key)
{
	uint64_t new = pool_number(pool, key), old;

	for (size_t i = 0; before && i < before->n_pools; i++) {
		if (strcmp(before->pools[i].name, pool->name))
			continue;
		/* Less than before: the device was reset, and this is another pool. */
		old = pool_number(&before->pools[i], key);
		if (new < old || now->at_ns <= before->at_ns)
			break;
		return (double)(new - old) * 1e9 / (double)(now->at_ns - before->at_ns);
	}
	return -1;
}

/* ---- all of it ---- */

enum outcome state_read(const char *root, struct state *state)
{
	enum outcome err;

	memset(state, 0, sizeof(*state));
	driver_read(root, &state->driver);
	err = devices_read(root, state);
	if (!err && (state->driver.lethe || state->driver.in_tree))
		err = pools_read(root, state);
	state->at_ns = clock_ns(CLOCK_MONOTONIC);
	return err;
}

void state_release(struct state *state)
{
	free(state->devices);
	free(state->pools);
	memset(state, 0, sizeof(*state));
}
