// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * The acts of inject.c. None does anything but what it says, in this process, so
 * that the allocations are those of what is meant.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "inject.h"
#include "vmtest.h"

#define IO_PAGES 64
#define IO_BYTES (IO_PAGES * page_bytes)
#define SECTOR 512
#define SWAP_PAGES 32

static int device_id = -1; /* of the device that "add" made */
static uint64_t generation; /* of content */

static int open_or_die(const char *file, int flags)
{
	int fd = open(file, flags | O_CLOEXEC);

	if (fd < 0)
		die("%s: %s", file, strerror(errno));
	return fd;
}

/* ---- files of attributes, and modules ---- */

/* The size of the device that @file is an attribute of, in bytes */
static unsigned long long size_of_device(const char *file)
{
	int dir = (int)(strrchr(file, '/') - file);
	unsigned long long bytes;
	char path[128];
	FILE *in;

	snprintf(path, sizeof(path), "%.*s/disksize", dir, file);
	in = fopen(path, "r");
	if (!in || fscanf(in, "%llu", &bytes) != 1)
		die("%s: %s", path, strerror(errno));
	fclose(in);
	return bytes;
}

/* set FILE VALUE: who is told that it has been done can see that it has */
static int act_set(char **word)
{
	const char *name = strrchr(word[1], '/') + 1;
	int fd = open_or_die(word[1], O_WRONLY);
	int err = write(fd, word[2], strlen(word[2])) < 0 ? errno : 0;

	close(fd);
	if (!err && !strcmp(name, "disksize") && !size_of_device(word[1]))
		die("%s has been set, and there is no size", word[1]);
	if (!err && !strcmp(name, "reset") && size_of_device(word[1]))
		die("%s has been set, and there is a size", word[1]);
	return err;
}

/* get FILE */
static int act_get(char **word)
{
	char text[4096];
	ssize_t n = 0;
	int err, fd = open(word[1], O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno;
	while ((n = read(fd, text, sizeof(text))) > 0)
		;
	err = n < 0 ? errno : 0;
	close(fd);
	return err;
}

static void there_is_device(int id)
{
	char file[64];

	snprintf(file, sizeof(file), "/sys/block/zram%d/disksize", id);
	if (access(file, F_OK))
		die("a device is said to be there, but not %s", file);
}

/* add: a device */
static int act_add(char **word)
{
	int fd = open_or_die("/sys/class/zram-control/hot_add", O_RDONLY);
	char text[16] = "";
	int err = read(fd, text, sizeof(text) - 1) < 0 ? errno : 0;

	(void)word;
	close(fd);
	if (!err) {
		device_id = (int)number(strtok(text, "\n"));
		there_is_device(device_id);
	}
	return err;
}

/* remove: that device, if there is one, and those before it but device 0 */
static int act_remove(char **word)
{
	int added = device_id, err = 0;
	char text[16];

	(void)word;
	for (; device_id > 0 && !err; device_id--) {
		char *remove[] = {"set", "/sys/class/zram-control/hot_remove", text};

		snprintf(text, sizeof(text), "%d", device_id);
		err = act_set(remove);
		if (err == ENODEV && device_id != added)
			err = 0;
	}
	return err;
}

static int module_is_loaded(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/module/%s/initstate", name);
	return !access(path, F_OK);
}

/* load NAME: unless it is there */
static int act_load(char **word)
{
	char path[64];
	int err, fd;

	if (module_is_loaded(word[1]))
		return 0;
	snprintf(path, sizeof(path), "/modules/lethe/%s.ko", word[1]);
	fd = open_or_die(path, O_RDONLY);
	err = syscall(SYS_finit_module, fd, word[2] ? word[2] : "", 0) ? errno : 0;
	close(fd);
	if (!err && !strcmp(word[1], "zram") && !word[2])
		there_is_device(0);
	return err;
}

/* unload NAME: if it is there */
static int act_unload(char **word)
{
	if (!module_is_loaded(word[1]))
		return 0;
	return syscall(SYS_delete_module, word[1], O_NONBLOCK) ? errno : 0;
}

/* users MODULE N: wait until it has no more; what used it may end later */
static int act_users(char **word)
{
	unsigned long users = 0;
	char path[64];
	int tries;

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", word[1]);
	for (tries = 0; tries < 1000; tries++) {
		FILE *in = fopen(path, "r");

		if (!in || fscanf(in, "%lu", &users) != 1)
			die("%s: %s", path, strerror(errno));
		fclose(in);
		if (users <= number(word[2]))
			return 0;
		usleep(10000);
	}
	die("%s has %lu users", word[1], users);
}

/* ---- a device, whose content is known ---- */

static unsigned char *model; /* what each sector holds */
static unsigned char *wanted; /* or may hold, after a write that failed */

static unsigned char *bytes(void)
{
	return map_pages(IO_PAGES + 1);
}

static int read_back(const char *device, unsigned char *into)
{
	int fd = open_or_die(device, O_RDONLY | O_DIRECT);
	int err = pread(fd, into, IO_BYTES, 0) != (ssize_t)IO_BYTES;

	close(fd);
	return err;
}

/* new DEVICE: it has just got its size, and reads as zeroes */
static int act_new(char **word)
{
	(void)word;
	if (!model) {
		model = bytes();
		wanted = bytes();
	}
	memset(model, 0, IO_BYTES);
	memset(wanted, 0, IO_BYTES);
	return 0;
}

/* No object is anybody's but a page's: none has been lost. */
static void count_objects(const char *device)
{
	unsigned long objects, orig, same, backed, i;
	char file[128], line[256];
	FILE *in;

	snprintf(file, sizeof(file), "/sys/kernel/debug/lethe/%.32s/stats", device);
	in = fopen(file, "r");
	if (!in)
		die("%s: %s", file, strerror(errno));
	for (objects = ~0UL; fgets(line, sizeof(line), in);)
		sscanf(line, "objects: %lu", &objects);
	fclose(in);

	snprintf(file, sizeof(file), "/sys/block/%.32s/mm_stat", device);
	in = fopen(file, "r");
	i = in ? fscanf(in, "%lu %*u %*u %*u %*u %lu", &orig, &same) : 0;
	if (i != 2)
		die("%s: %s", file, strerror(errno));
	fclose(in);

	snprintf(file, sizeof(file), "/sys/block/%.32s/bd_stat", device);
	in = fopen(file, "r");
	if (!in || fscanf(in, "%lu", &backed) != 1)
		die("%s: %s", file, strerror(errno));
	fclose(in);
	if (objects != orig / page_bytes - same - backed)
		die("%lu objects for %lu pages", objects,
		    orig / page_bytes - same - backed);
}

/* settle DEVICE: each sector holds what it did before the last write or after */
static int act_settle(char **word)
{
	static unsigned char *now;
	size_t at;

	now = now ? now : bytes();
	count_objects(strrchr(word[1], '/') + 1);
	if (read_back(word[1], now))
		die("%s cannot be read back", word[1]);
	for (at = 0; at < IO_BYTES; at += SECTOR) {
		if (memcmp(now + at, model + at, SECTOR) &&
		    memcmp(now + at, wanted + at, SECTOR))
			die("%s holds neither the old nor the new at %zu", word[1], at);
	}
	memcpy(model, now, IO_BYTES);
	return 0;
}

/* Of every eighth page, one value throughout, which zram keeps in a table. */
static void want_page(unsigned char *page, size_t index)
{
	uint64_t *words = (uint64_t *)page;
	size_t i;

	content_page(page, generation, index);
	if (index % 8 == 3) {
		words[0] = generation << 40 | 1 << 20 | index;
		for (i = 1; i < page_bytes / 8; i++)
			words[i] = words[0];
	}
}

static void want_content(size_t from, size_t to)
{
	static unsigned char *page;
	size_t at;

	page = page ? page : bytes();
	generation++;
	memcpy(wanted, model, IO_BYTES);
	for (at = from; at < to; at += SECTOR) {
		if (at == from || !(at % page_bytes))
			want_page(page, at / page_bytes);
		memcpy(wanted + at, page + at % page_bytes, SECTOR);
	}
}

static void want_zeroes(size_t from, size_t to)
{
	memcpy(wanted, model, IO_BYTES);
	memset(wanted + from, 0, to - from);
}

/* Through @skew bytes past a page in memory */
static int write_wanted(const char *device, int flags, size_t from, size_t to,
			size_t skew)
{
	unsigned char *buffer = bytes();
	int fd = open_or_die(device, O_WRONLY | flags);
	int err;

	memcpy(buffer + skew, wanted + from, to - from);
	err = pwrite(fd, buffer + skew, to - from, from) < 0 ? errno : 0;
	if (!err && !(flags & O_DIRECT))
		err = fsync(fd) ? errno : 0;
	close(fd);
	munmap(buffer, IO_BYTES + page_bytes);
	if (!err)
		memcpy(model, wanted, IO_BYTES);
	return err;
}

static int clear_wanted(const char *device, unsigned long request, size_t from, size_t to)
{
	uint64_t range[2] = {from, to - from};
	int fd = open_or_die(device, O_WRONLY);
	int err = ioctl(fd, request, range) ? errno : 0;

	close(fd);
	if (!err)
		memcpy(model, wanted, IO_BYTES);
	return err;
}

static int read_model(const char *device, size_t from, size_t to, size_t skew)
{
	unsigned char *buffer = bytes();
	int fd = open_or_die(device, O_RDONLY | O_DIRECT);
	int err = pread(fd, buffer + skew, to - from, from) < 0 ? errno : 0;

	close(fd);
	if (!err && memcmp(buffer + skew, model + from, to - from))
		die("%s is not read as it was written", device);
	munmap(buffer, IO_BYTES + page_bytes);
	return err;
}

/* io WHAT DEVICE */
static int act_io(char **word)
{
	const char *what = word[1], *device = word[2];
	size_t block, from, to;
	int fd = open_or_die(device, O_RDONLY), bytes_of_block;

	if (ioctl(fd, BLKSSZGET, &bytes_of_block))
		die("%s: %s", device, strerror(errno));
	close(fd);
	block = (size_t)bytes_of_block;
	/* Parts of pages at both ends, if there are blocks so small */
	from = block;
	to = IO_BYTES - block;

	if (!strcmp(what, "write")) {
		want_content(0, IO_BYTES);
		return write_wanted(device, O_DIRECT, 0, IO_BYTES, 0);
	} else if (!strcmp(what, "write-odd")) {
		want_content(from, to);
		return write_wanted(device, O_DIRECT, from, to, SECTOR);
	} else if (!strcmp(what, "write-cached")) {
		want_content(0, IO_BYTES);
		return write_wanted(device, 0, 0, IO_BYTES, 0);
	} else if (!strcmp(what, "zero")) {
		want_zeroes(from, to);
		return clear_wanted(device, BLKZEROOUT, from, to);
	} else if (!strcmp(what, "discard")) {
		want_zeroes(0, IO_BYTES);
		return clear_wanted(device, BLKDISCARD, 0, IO_BYTES);
	} else if (!strcmp(what, "read")) {
		return read_model(device, 0, IO_BYTES, 0);
	} else if (!strcmp(what, "read-odd")) {
		return read_model(device, from, to, SECTOR);
	}
	die("io: '%s'?", what);
}

/* ---- swap ---- */

static struct region swapped;

/* swapon DEVICE BYTES: with a new header */
static int act_swapon(char **word)
{
	static unsigned char page[PAGE_MOST];
	uint32_t header[] = {1, number(word[2]) / page_bytes - 1, 0};
	int fd = open_or_die(word[1], O_WRONLY);

	memcpy(page + 1024, header, sizeof(header));
	memcpy(page + page_bytes - 10, "SWAPSPACE2", 10);
	if (pwrite(fd, page, page_bytes, 0) < 0 || fsync(fd))
		die("%s: %s", word[1], strerror(errno));
	close(fd);
	return swapon(word[1], 0) ? errno : 0;
}

/* swapoff DEVICE */
static int act_swapoff(char **word)
{
	return swapoff(word[1]) ? errno : 0;
}

/* fill: some memory */
static int act_fill(char **word)
{
	(void)word;
	swapped = (struct region){
		.mem = map_pages(SWAP_PAGES), .pages = SWAP_PAGES, .seed = ++generation};
	region_fill(&swapped);
	return 0;
}

/* pageout: that memory, or as much of it as will go */
static int act_pageout(char **word)
{
	(void)word;
	return madvise(swapped.mem, swapped.pages * page_bytes, MADV_PAGEOUT) ? errno : 0;
}

/* check: that memory holds what it did */
static int act_check(char **word)
{
	(void)word;
	region_check(&swapped);
	return 0;
}

/* unmap: that memory, if it is there */
static int act_unmap(char **word)
{
	int err;

	(void)word;
	if (!swapped.mem)
		return 0;
	err = munmap(swapped.mem, swapped.pages * page_bytes) ? errno : 0;
	swapped.mem = NULL;
	return err;
}

/* ---- by name ---- */

/*
 * EINVAL is the kernel's device_add(), of a disk for whose name there was no memory;
 * disks ignore that error.
 */
static const struct {
	const char *name;
	int words;
	int (*run)(char **word);
	int may_be[2]; /* errnos */
} acts[] = {
	{"set", 3, act_set, {ENOMEM}},
	/* A dictionary that cannot be read, whyever, is EINVAL before 7.0. */
	{"set_dictionary", 3, act_set, {ENOMEM, EINVAL}},
	/* To zswap a pool that cannot be made is one that is not known. */
	{"set_zpool", 3, act_set, {EINVAL}},
	{"get", 2, act_get, {ENOMEM}},
	{"add", 1, act_add, {ENOMEM, EINVAL}},
	{"remove", 1, act_remove, {}},
	{"load", 2, act_load, {ENOMEM, EINVAL}},
	{"unload", 2, act_unload, {}},
	{"users", 3, act_users, {}},
	{"new", 2, act_new, {}},
	{"settle", 2, act_settle, {}},
	{"io", 3, act_io, {EIO}},
	{"swapon", 3, act_swapon, {ENOMEM}},
	{"swapoff", 2, act_swapoff, {}},
	{"fill", 1, act_fill, {}},
	{"pageout", 1, act_pageout, {}},
	{"check", 1, act_check, {}},
	{"unmap", 1, act_unmap, {}},
};

#define ACTS (sizeof(acts) / sizeof(acts[0]))

static size_t act_find(const char *name)
{
	size_t i;

	for (i = 0; i < ACTS; i++) {
		size_t len = strlen(acts[i].name);

		if (!strncmp(name, acts[i].name, len) && (!name[len] || name[len] == ' '))
			return i;
	}
	die("'%s' is no act", name);
}

int act_may_be(const char *act, int err)
{
	const int *may_be = acts[act_find(act)].may_be;

	return err == may_be[0] || err == may_be[1];
}

int act_run(const char *act)
{
	char text[256], *word[ACT_WORDS + 1] = {}, *rest = text;
	size_t i = act_find(act);
	int n = 0;

	snprintf(text, sizeof(text), "%s", act);
	while (n < ACT_WORDS && (word[n] = strsep(&rest, " ")))
		n++;
	if (n < acts[i].words)
		die("'%s' lacks a word", act);
	return acts[i].run(word);
}
