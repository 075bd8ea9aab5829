// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "ownzram.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "interrupt.h"
#include "memory.h"
#include "smallfile.h"

#define CONTROL "/sys/class/zram-control"
#define POLICY "/sys/module/zram/parameters/policy"

/* What a program that looks at new devices, such as udev, has open is busy. */
#define TRIES 250
#define TRY_US 20000

/* What must stay free beside the pages that swapoff brings back. */
#define SPARE_BYTES (16ULL << 20)

/* ---- add and remove ---- */

/* False until it is there, and if the name is another device's. */
static bool node_is_ours(const struct ownzram *own)
{
	char text[32];
	unsigned int major, minor;
	struct stat st;

	if (smallfile_read(text, sizeof(text), "/sys/block/zram%d/dev", own->id) ||
	    sscanf(text, "%u:%u", &major, &minor) != 2)
		return false;
	return !stat(own->node, &st) && S_ISBLK(st.st_mode) &&
	       st.st_rdev == makedev(major, minor);
}

enum outcome ownzram_check(void)
{
	if (!access(CONTROL "/hot_add", F_OK))
		return OK;
	if (!access(CONTROL, F_OK))
		return fail("this zram cannot add a device: it has no " CONTROL
			    "/hot_add");
	return fail("zram is not loaded: run 'modprobe zram' first");
}

enum outcome ownzram_add(struct ownzram *own)
{
	char text[32];
	int err;

	err = smallfile_read(text, sizeof(text), CONTROL "/hot_add");
	if (err)
		return fail("zram does not add a device: %s", strerror(-err));
	own->id = atoi(text);
	snprintf(own->node, sizeof(own->node), "/dev/zram%d", own->id);
	snprintf(own->mm_stat, sizeof(own->mm_stat), "/sys/block/zram%d/mm_stat",
		 own->id);
	for (int i = 0; i < TRIES; i++) {
		if (node_is_ours(own))
			return OK;
		usleep(TRY_US);
	}
	return fail("the new device does not appear as %s", own->node);
}

/* Writes to a file until the device is not busy any more. Gives 0 or a negative errno. */
static int write_patiently(const char *text, const char *path)
{
	int err = -EBUSY;

	for (int i = 0; err == -EBUSY && i < TRIES; i++) {
		if (i)
			usleep(TRY_US);
		err = smallfile_write(text, "%s", path);
	}
	return err;
}

/* ---- a size ---- */

static enum outcome set(const struct ownzram *own, const char *name, const char *value)
{
	int err = smallfile_write(value, "/sys/block/zram%d/%s", own->id, name);

	return err ? fail("zram%d takes no %s '%s': %s", own->id, name, value,
			  strerror(-err))
		   : OK;
}

static enum outcome policy_set(struct ownzram *own, const char *policy)
{
	int err = smallfile_read(own->policy, sizeof(own->policy), POLICY);

	if (!err)
		err = smallfile_write(policy, POLICY);
	return err ? fail(POLICY " cannot be set: %s", strerror(-err)) : OK;
}

static enum outcome policy_restore(struct ownzram *own)
{
	int err = *own->policy ? smallfile_write(own->policy, POLICY) : 0;

	if (err)
		return fail("zram's parameter policy cannot be set to '%s' again: %s",
			    own->policy, strerror(-err));
	*own->policy = '\0';
	return OK;
}

/* The parameter is read when a device gets its size: it is changed for that moment. */
static enum outcome size_set(struct ownzram *own, const char *policy, size_t bytes)
{
	enum outcome err = policy ? policy_set(own, policy) : OK, err2;
	char text[32];

	snprintf(text, sizeof(text), "%zu", bytes);
	if (!err)
		err = set(own, "disksize", text);
	err2 = policy_restore(own);
	return err ? err : err2;
}

/* ---- swap ---- */

/* What mkswap(8) says is of no interest but that it failed. */
static enum outcome make_swap(const struct ownzram *own)
{
	char name[] = "mkswap", node[sizeof(own->node)];
	char *const argv[] = {name, node, NULL};
	char *const env[] = {NULL};
	posix_spawn_file_actions_t quiet;
	int err, status = 0;
	pid_t pid;

	/* posix_spawnp() looks for the program by our own PATH. */
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	memcpy(node, own->node, sizeof(node));
	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
	err = posix_spawnp(&pid, "mkswap", &quiet, NULL, argv, env);
	posix_spawn_file_actions_destroy(&quiet);
	if (err)
		return fail("mkswap cannot be run: %s", strerror(err));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (interrupt_caught())
		return INTERRUPTED;
	return status ? fail("mkswap %s failed", own->node) : OK;
}

/* Calls @fn for each line of /proc/swaps that is swap. */
static enum outcome for_each_swap(void (*fn)(const char *name, uint64_t used_kib,
					     int priority, void *arg),
				  void *arg)
{
	FILE *f = fopen("/proc/swaps", "re");
	char line[512], name[256];
	uint64_t used;
	int priority;

	if (!f)
		return fail("/proc/swaps: %s", strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%255s %*s %*u %" SCNu64 " %d", name, &used,
			   &priority) == 3)
			fn(name, used, priority, arg);
	}
	fclose(f);
	return OK;
}

static void note_highest(const char *name, uint64_t used_kib, int priority, void *arg)
{
	int *highest = arg;

	(void)name;
	(void)used_kib;
	if (priority > *highest)
		*highest = priority;
}

static enum outcome swap_on(struct ownzram *own)
{
	int highest = -1;
	enum outcome err = for_each_swap(note_highest, &highest);

	if (err)
		return err;
	if (highest >= SWAP_FLAG_PRIO_MASK)
		return fail("swap of the highest priority there is, %d, is in use, and "
			    "pages would go there",
			    highest);
	if (swapon(own->node, SWAP_FLAG_PREFER | (highest + 1)))
		return fail("swapon %s: %s", own->node, strerror(errno));
	own->swapping = true;
	return OK;
}

struct swap_use {
	const char *node;
	uint64_t bytes;
};

static void note_use(const char *name, uint64_t used_kib, int priority, void *arg)
{
	struct swap_use *use = arg;

	(void)priority;
	if (!strcmp(name, use->node))
		use->bytes = used_kib << 10;
}

/* Is there memory for what is to come back, now or soon? */
static enum outcome check_room(const struct ownzram *own)
{
	struct swap_use use = {.node = own->node};

	for (int i = 0; i < TRIES; i++) {
		enum outcome err = for_each_swap(note_use, &use);

		if (err)
			return err;
		if (use.bytes + SPARE_BYTES <= memory_available())
			return OK;
		usleep(TRY_US);
	}
	return fail("%s stays swap, as there is no memory for the %" PRIu64
		    " MiB that other processes have there; later: swapoff %s && echo %d "
		    ">" CONTROL "/hot_remove",
		    own->node, use.bytes >> 20, own->node, own->id);
}

static enum outcome swap_off(struct ownzram *own)
{
	enum outcome err = check_room(own);
	int failed;

	if (err)
		return err;
	do
		failed = swapoff(own->node);
	while (failed && errno == EINTR);
	if (failed)
		return fail("swapoff %s: %s", own->node, strerror(errno));
	own->swapping = false;
	return OK;
}

enum outcome ownzram_start(struct ownzram *own, const char *policy, const char *codec,
			   size_t bytes)
{
	enum outcome err = codec ? set(own, "comp_algorithm", codec) : OK;

	if (!err)
		err = size_set(own, policy, bytes);
	if (!err)
		err = make_swap(own);
	return err ? err : swap_on(own);
}

enum outcome ownzram_stop(struct ownzram *own)
{
	enum outcome err = own->swapping ? swap_off(own) : OK;
	char path[64];
	int failed;

	if (err)
		return err;
	snprintf(path, sizeof(path), "/sys/block/zram%d/reset", own->id);
	failed = write_patiently("1", path);
	return failed ? fail("zram%d cannot be reset: %s", own->id, strerror(-failed))
		      : OK;
}

enum outcome ownzram_end(struct ownzram *own)
{
	enum outcome err = policy_restore(own), err2;
	char text[16];
	int failed;

	if (own->id < 0)
		return err;
	err2 = ownzram_stop(own);
	if (err2)
		return err2;
	snprintf(text, sizeof(text), "%d", own->id);
	failed = write_patiently(text, CONTROL "/hot_remove");
	if (failed)
		return fail("zram%d cannot be removed: %s", own->id, strerror(-failed));
	own->id = -1;
	return err;
}
