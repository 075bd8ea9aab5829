// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Attributes of zram devices, chosen at random, are written and read by several tasks,
 * with values that are right, wrong, of another attribute or nothing at all, while one
 * task gives the devices sizes, resets, removes and adds them, and another does I/O, of
 * which it checks what it reads. Each answer is one that an attribute may give, a line of
 * numbers has as many as it should, and no operation takes longer than it may.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmtest.h"

#define DEVICES 4 /* zram0 to zram3 */
#define IO_DEVICES 3 /* the last is there to be written back to */
#define IO_PAGES 256 /* of a device that are written */
#define RUN_PAGES 16 /* of one write, or read */
#define MAX_TASKS 8
#define MAX_VALUES 14
#define VALUE_MOST 5000 /* bytes of one; more than fit a page of 4 KiB */

enum place { DISK, DEBUG, POOL, CONTROL, MODULE };

static const char *const directories[] = {
	[DISK] = "/sys/block/zram%u/",
	[DEBUG] = "/sys/kernel/debug/zram/zram%u/",
	[POOL] = "/sys/kernel/debug/lethe/zram%u/",
	[CONTROL] = "/sys/class/zram-control/",
	[MODULE] = "/sys/module/zram/parameters/",
};

static const struct attribute {
	const char *name;
	enum place place;
	unsigned int numbers; /* of what is read; 0: any text */
	const char *values[MAX_VALUES];
} attributes[] = {
	{"disksize", DISK, 1, {"8M", "4M", "1M", "65536", "1", "0", "1024T", "junk"}},
	{"initstate", DISK, 1, {}},
	{"reset", DISK, 0, {"1", "1", "1", "0", "2", "-1"}},
	{"comp_algorithm",
	 DISK,
	 0,
	 {"lz4", "zstd", "lzo", "lzo-rle", "lz4hc", "deflate", "842", "lz5"}},
	{"algorithm_params",
	 DISK,
	 0,
	 {"level=2", "algo=lz4 level=3", "algo=zstd level=3", "algo=zstd dict=/tmp/dict",
	  "algo=lz4 dict=/tmp/dict", "algo=lz4 dict=/nope", "algo=zstd level=999",
	  "algo=deflate level=6 deflate.winbits=-12", "priority=1 level=1", "priority=9",
	  "algo=nope level=1", "level=junk"}},
	{"recomp_algorithm",
	 DISK,
	 0,
	 {"algo=zstd", "algo=zstd priority=1", "algo=lz4hc priority=2",
	  "algo=deflate priority=3", "algo=zstd priority=0", "algo=zstd priority=4",
	  "priority=1", "algo=nope"}},
	{"recompress",
	 DISK,
	 0,
	 {"type=idle", "type=huge", "type=huge_idle", "type=idle threshold=3000",
	  "type=idle max_pages=10", "algo=zstd", "priority=1", "type=nope",
	  "threshold=9999", "max_pages=junk"}},
	{"idle", DISK, 0, {"all", "all", "0", "1", "3600", "-1", "none"}},
	{"max_comp_streams", DISK, 1, {"1", "4", "0", "-1"}},
	{"mem_limit", DISK, 0, {"0", "0", "0", "64K", "1M", "junk"}},
	{"mem_used_max", DISK, 0, {"0", "1"}},
	{"compact", DISK, 0, {"1", "junk"}},
	{"io_stat", DISK, 4, {"0"}},
	{"mm_stat", DISK, 9, {"0"}},
	{"debug_stat", DISK, 0, {"0"}},
	{"bd_stat", DISK, 3, {"0"}},
	{"stat", DISK, 0, {}},
	{"backing_dev",
	 DISK,
	 0,
	 {"/dev/loop0", "/dev/loop0", "/dev/loop1", "/dev/zram3", "none", "/dev",
	  "/dev/nope", "/corpus", "/dev/null", "/"}},
	{"writeback",
	 DISK,
	 0,
	 {"idle", "huge", "huge_idle", "incompressible", "type=idle", "type=huge",
	  "page_index=3", "page_indexes=0-200", "page_indexes=9-3", "page_index=99999999",
	  "page_index=junk", "type=nope"}},
	{"writeback_limit", DISK, 1, {"0", "1", "100", "99999", "-1"}},
	{"writeback_limit_enable", DISK, 1, {"0", "0", "1", "junk"}},
	{"writeback_batch_size", DISK, 1, {"1", "5", "32", "200", "0", "-1"}},
	{"compressed_writeback", DISK, 1, {"0", "1", "2"}},
	{"block_state", DEBUG, 0, {}},
	{"streams", DEBUG, 1, {}},
	{"stats", POOL, 0, {}},
	{"deferred_free", POOL, 0, {}},
	{"hot_add", CONTROL, 1, {}},
	{"hot_remove", CONTROL, 0, {"1", "2", "3", "9", "-1", "junk"}},
	{"policy", MODULE, 0, {"tombstone", "tombstone", "array", "sync", "none"}},
	{"budget", MODULE, 1, {"0", "0", "700", "1", "-1"}},
};

#define ATTRIBUTES (sizeof(attributes) / sizeof(attributes[0]))

/* What an attribute may answer, besides that all is well. */
static const int refusals[] = {
	E2BIG,	EACCES, EAGAIN, EBUSY,	 EINVAL,  EIO,	 EISDIR,    ENAMETOOLONG, ENODEV,
	ENOENT, ENOMEM, ENOSPC, ENOTBLK, ENOTDIR, ENXIO, EOVERFLOW, ERANGE,
};

/* Of one task, to be seen by the first. */
struct task {
	pid_t pid;
	uint64_t random;
	uint64_t since; /* when what it does has begun, or 0 */
	char doing[256];
	uint64_t longest; /* ns of an operation */
	char longest_was[256];
	unsigned long pages; /* that were read and compared */
	struct {
		unsigned long read, written, refused;
	} count[ATTRIBUTES];
};
static struct task *tasks; /* shared */

static uint64_t most_ns; /* of one operation */

static size_t below(struct task *t, size_t n)
{
	return content_random(&t->random) % n;
}

static void begin(struct task *t, const char *verb, const char *file, const char *value)
{
	snprintf(t->doing, sizeof(t->doing), "%s %s %.100s", verb, file, value);
	t->since = now_ns();
}

static void end(struct task *t)
{
	uint64_t took = now_ns() - t->since;

	if (took > most_ns)
		die("%s: took %.1f s", t->doing, took / 1e9);
	if (took > t->longest) {
		t->longest = took;
		memcpy(t->longest_was, t->doing, sizeof(t->doing));
	}
	t->since = 0;
}

static void path_of(const struct attribute *a, unsigned int device, char *path)
{
	size_t n = sprintf(path, directories[a->place], device);

	strcpy(path + n, a->name);
}

/* ---- an attribute ---- */

static void refused(struct task *t, const struct attribute *a)
{
	size_t i;

	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (errno == refusals[i]) {
			t->count[a - attributes].refused++;
			return;
		}
	}
	die("%s: %s", t->doing, strerror(errno));
}

/* @numbers and nothing else */
static int is_line_of(const char *text, unsigned int numbers)
{
	for (; numbers; numbers--) {
		text += strspn(text, " ");
		if (!strspn(text, "0123456789"))
			return 0;
		text += strspn(text, "0123456789");
	}
	return !strcmp(text, "\n");
}

/* Return: bytes that were read into @text, or -1. */
static ssize_t attribute_read(struct task *t, const struct attribute *a,
			      unsigned int device, char *text, size_t size)
{
	char path[100];
	ssize_t n = -1;
	int fd;

	path_of(a, device, path);
	begin(t, "read", path, "");
	fd = open(path, O_RDONLY);
	if (fd >= 0)
		n = read(fd, text, size - 1);
	if (n < 0) {
		refused(t, a);
	} else {
		text[n] = '\0';
		if (a->numbers && !is_line_of(text, a->numbers))
			die("%s: '%s'", path, text);
		t->count[a - attributes].read++;
	}
	if (fd >= 0)
		close(fd);
	end(t);
	return n;
}

static void attribute_write(struct task *t, const struct attribute *a,
			    unsigned int device, const char *value, size_t bytes)
{
	char path[100];
	ssize_t n = -1;
	int fd;

	path_of(a, device, path);
	begin(t, "write", path, value);
	fd = open(path, O_WRONLY);
	if (fd >= 0)
		n = write(fd, value, bytes);
	if (n < 0)
		refused(t, a);
	else
		t->count[a - attributes].written++;
	if (fd >= 0)
		close(fd);
	end(t);
}

static const struct attribute *attribute_of(const char *name)
{
	size_t i;

	for (i = 0; i < ATTRIBUTES; i++)
		if (!strcmp(attributes[i].name, name))
			return &attributes[i];
	die("there is no attribute '%s'", name);
}

static void put(struct task *t, const char *name, unsigned int device, const char *value)
{
	attribute_write(t, attribute_of(name), device, value, strlen(value));
}

/* Adds a device, of those that there may be. */
static void hot_add(struct task *t)
{
	char text[100];
	ssize_t n = attribute_read(t, attribute_of("hot_add"), 0, text, sizeof(text));

	if (n > 0 && number(strtok(text, "\n")) >= DEVICES)
		put(t, "hot_remove", 0, text);
}

/* ---- tasks that write and read attributes ---- */

static const char *pick_value(struct task *t, const struct attribute *a)
{
	size_t n = 0;

	while (n < MAX_VALUES && a->values[n])
		n++;
	return n ? a->values[below(t, n)] : "1";
}

/* Return: its bytes. It may hold NULs, and ends with one. */
static size_t pick_bytes(struct task *t, const struct attribute *a, char *value)
{
	const struct attribute *other = &attributes[below(t, ATTRIBUTES)];
	size_t i, n;

	switch (below(t, 16)) {
	case 0: /* anything */
		n = 1 + below(t, 64);
		for (i = 0; i < n; i++)
			value[i] = (char)below(t, 256);
		break;
	case 1: /* the same, over and over */
		n = 1 + below(t, VALUE_MOST - 1);
		memset(value, " x=,\n/"[below(t, 6)], n);
		break;
	case 2: /* of another attribute */
		n = sprintf(value, "%s", pick_value(t, other));
		break;
	case 3: /* with a byte changed, but no size of hundreds of GiB */
		n = sprintf(value, "%s", pick_value(t, a));
		if (n && *value > '9')
			value[below(t, n)] = (char)below(t, 256);
		break;
	default:
		n = sprintf(value, "%s%s", pick_value(t, a), below(t, 2) ? "\n" : "");
	}
	value[n] = '\0';
	return n;
}

static void ask(struct task *t)
{
	const struct attribute *a = &attributes[below(t, ATTRIBUTES)];
	unsigned int device = below(t, DEVICES);
	char text[4096];
	char value[VALUE_MOST + 1];
	size_t n;
	/* What cannot be written is refused whatever it is. */
	int writes = a->values[0] ? below(t, 3) != 0 : below(t, 8) == 0;

	if (writes) {
		n = pick_bytes(t, a, value);
		attribute_write(t, a, device, value, n);
	} else if (strcmp(a->name, "hot_add")) {
		attribute_read(t, a, device, text, sizeof(text));
	} else if (!below(t, 4)) {
		hot_add(t);
	}
}

/* ---- the task that has devices come and go ---- */

static void live(struct task *t)
{
	static const char *const algorithms[] = {"lz4", "zstd"};
	static const char *const disks[] = {"/dev/loop0", "/dev/loop1", "/dev/zram3"};
	unsigned int device = below(t, DEVICES);
	char number_of[16];

	switch (below(t, 8)) {
	case 0:
		put(t, "reset", device, "1");
		break;
	case 1:
		sprintf(number_of, "%u", device);
		put(t, "hot_remove", 0, number_of);
		if (!below(t, 4))
			break;
		__attribute__((fallthrough));
	case 2:
		hot_add(t);
		break;
	default:
		put(t, "reset", device, "1");
		put(t, "comp_algorithm", device, algorithms[below(t, 2)]);
		put(t, "recomp_algorithm", device, "algo=zstd priority=1");
		put(t, "backing_dev", device, disks[below(t, 3)]);
		put(t, "disksize", device, below(t, 2) ? "8M" : "4M");
		put(t, "idle", device, "all");
		put(t, "recompress", device, "type=idle");
		put(t, "writeback", device, "idle");
	}
	usleep(below(t, 20000));
}

/* ---- the task that does I/O ---- */

struct disk {
	int fd;
	size_t pages;
	uint64_t seed[IO_PAGES]; /* of what a page holds; 0: that is not known */
	unsigned char *buffer; /* RUN_PAGES */
};

static void run_write(struct task *t, struct disk *d, size_t first, size_t n)
{
	uint64_t seed = content_random(&t->random) >> 8 | 1;
	ssize_t done;
	size_t i;

	for (i = 0; i < n; i++)
		content_page(d->buffer + i * page_bytes, seed, first + i);
	done = pwrite(d->fd, d->buffer, n * page_bytes, (off_t)(first * page_bytes));
	/* There may be a limit. A write that fails may have written some. */
	if (done < 0 && errno != EIO && errno != ENOMEM && errno != ENOSPC)
		die("%s: %s", t->doing, strerror(errno));
	for (i = 0; i < n; i++)
		d->seed[first + i] = done == (ssize_t)(n * page_bytes) ? seed : 0;
}

static void run_read(struct task *t, struct disk *d, size_t first, size_t n)
{
	size_t i;

	if (pread(d->fd, d->buffer, n * page_bytes, (off_t)(first * page_bytes)) !=
	    (ssize_t)(n * page_bytes))
		die("%s: read of %zu pages at %zu: %s", t->doing, n, first,
		    strerror(errno));
	for (i = 0; i < n; i++) {
		if (!d->seed[first + i])
			continue;
		if (content_check(d->buffer + i * page_bytes, d->seed[first + i],
				  first + i))
			die("%s: page %zu is wrong", t->doing, first + i);
		t->pages++;
	}
}

static void runs(struct task *t, struct disk *d)
{
	size_t steps, n, first;

	for (steps = 1 + below(t, 40); steps; steps--) {
		n = 1 + below(t, d->pages < RUN_PAGES ? d->pages : RUN_PAGES);
		first = below(t, d->pages - n + 1);
		if (below(t, 2))
			run_write(t, d, first, n);
		else
			run_read(t, d, first, n);
		if (!below(t, 8))
			usleep(below(t, 10000));
	}
	for (first = 0; first < d->pages; first++)
		run_read(t, d, first, 1);
}

static void do_io(struct task *t)
{
	static struct disk d;
	uint64_t bytes, range[2] = {};
	char path[32];

	if (!d.buffer)
		d.buffer = map_pages(RUN_PAGES);
	memset(d.seed, 0, sizeof(d.seed));
	sprintf(path, "/dev/zram%zu", below(t, IO_DEVICES));
	/* Not if it is the backing device of another. */
	d.fd = open(path, O_RDWR | O_DIRECT | O_EXCL);
	if (d.fd < 0 && errno != ENOENT && errno != EBUSY && errno != ENXIO &&
	    errno != ENODEV)
		die("%s: %s", path, strerror(errno));
	if (d.fd < 0 || ioctl(d.fd, BLKGETSIZE64, &bytes) || bytes < page_bytes) {
		if (d.fd >= 0)
			close(d.fd);
		usleep(below(t, 5000));
		return;
	}
	begin(t, "I/O of", path, "");
	d.pages = bytes / page_bytes < IO_PAGES ? bytes / page_bytes : IO_PAGES;
	runs(t, &d);
	range[1] = bytes;
	if (!below(t, 2) && ioctl(d.fd, BLKDISCARD, range))
		die("%s: discard: %s", path, strerror(errno));
	close(d.fd);
	end(t);
	/* Otherwise it would be open most of the time, and not be reset. */
	usleep(below(t, 100000));
}

/* ---- all of them ---- */

static void task_start(struct task *t, void (*step)(struct task *), uint64_t until)
{
	t->pid = fork();
	if (t->pid < 0)
		die("fork: %s", strerror(errno));
	if (t->pid)
		return;
	while (now_ns() < until)
		step(t);
	_exit(0);
}

/* Return: whether all of them end well, and before @until. */
static int tasks_end(size_t nr, uint64_t until)
{
	size_t i, left = nr;
	int status, good = 1;
	pid_t pid;

	while (left && now_ns() < until) {
		pid = waitpid(-1, &status, WNOHANG);
		if (pid <= 0) {
			usleep(10000);
			continue;
		}
		left--;
		good &= WIFEXITED(status) && !WEXITSTATUS(status);
		for (i = 0; i < nr; i++)
			if (tasks[i].pid == pid)
				tasks[i].pid = 0;
	}
	for (i = 0; i < nr; i++) {
		if (!tasks[i].pid)
			continue;
		printf("task %zu does not end: %s\n", i, tasks[i].doing);
		kill(tasks[i].pid, SIGKILL);
		good = 0;
	}
	return good;
}

/* Return: whether it was read, and written, if it is there to be. */
static int report(const struct attribute *a, size_t nr, mode_t mode)
{
	size_t i, index = a - attributes;
	unsigned long read = 0, written = 0, refused = 0;

	for (i = 0; i < nr; i++) {
		read += tasks[i].count[index].read;
		written += tasks[i].count[index].written;
		refused += tasks[i].count[index].refused;
	}
	if (mode)
		printf("%s: read %lu, written %lu, refused %lu\n", a->name, read, written,
		       refused);
	if ((mode & 0400 && !read) || (mode & 0200 && !written)) {
		printf("%s was not read, or not written\n", a->name);
		return 0;
	}
	return 1;
}

int cmd_attributes(int argc, char **argv)
{
	mode_t modes[ATTRIBUTES] = {};
	char path[100];
	struct stat st;
	uint64_t until, seed;
	size_t i, nr, slowest = 0;
	int good;

	if (argc != 5)
		die("needs SECONDS SEED TASKS MOST");
	until = now_ns() + number(argv[1]) * 1000000000ULL;
	seed = number(argv[2]);
	nr = number(argv[3]) + 2;
	most_ns = number(argv[4]) * 1000000000ULL;
	if (nr > MAX_TASKS)
		die("so many tasks will not do");
	tasks = mmap(NULL, nr * sizeof(*tasks), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tasks == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	for (i = 0; i < ATTRIBUTES; i++) {
		path_of(&attributes[i], 0, path);
		/* A pool is there with a device that has a size, and can be read. */
		if (!stat(path, &st))
			modes[i] = st.st_mode;
	}
	for (i = 0; i < nr; i++) {
		tasks[i].random = content_random(&seed);
		task_start(&tasks[i], i == 0 ? live : i == 1 ? do_io : ask, until);
	}
	good = tasks_end(nr, until + most_ns);
	for (i = 0; i < ATTRIBUTES; i++)
		good &= report(&attributes[i], nr, modes[i]);
	for (i = 0; i < nr; i++)
		if (tasks[i].longest > tasks[slowest].longest)
			slowest = i;
	printf("pages compared: %lu\n", tasks[1].pages);
	printf("the longest: %.3f s, %s\n", tasks[slowest].longest / 1e9,
	       tasks[slowest].longest_was);
	return !good || !tasks[1].pages;
}
