/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * One large write, and a task of real-time priority that wants the same CPU each
 * millisecond: how late does it run at worst? Where the kernel is not preempted, as late
 * as the next point at which the write lets others go first.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vmtest.h"

#define MS 1000000ULL
#define BYTES ((size_t)1 << 20)

static void *read_all(const char *file)
{
	unsigned char *mem = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	int fd = open(file, O_RDONLY);

	if (mem == MAP_FAILED || fd < 0 || read(fd, mem, BYTES) != (ssize_t)BYTES)
		die("%s: %s", file, strerror(errno));
	close(fd);
	return mem;
}

/* late DEVICE FILE CPU: prints milliseconds, of the delay and of the write */
int cmd_late(int argc, char **argv)
{
	const struct sched_param first = {.sched_priority = 1};
	const struct timespec nap = {.tv_nsec = MS};
	uint64_t begin, worst = 0, late;
	pid_t writer;
	void *mem;
	int fd, status;

	if (argc != 4)
		die("needs DEVICE FILE CPU");
	mem = read_all(argv[2]);
	fd = open(argv[1], O_WRONLY | O_DIRECT);
	if (fd < 0)
		die("%s: %s", argv[1], strerror(errno));
	stay_on(number(argv[3]));
	begin = now_ns();
	writer = fork();
	if (writer < 0)
		die("fork: %s", strerror(errno));
	if (!writer)
		_exit(pwrite(fd, mem, BYTES, 0) != (ssize_t)BYTES);
	if (sched_setscheduler(0, SCHED_FIFO, &first))
		die("sched_setscheduler: %s", strerror(errno));
	while (!waitpid(writer, &status, WNOHANG)) {
		late = now_ns();
		nanosleep(&nap, NULL);
		late = now_ns() - late - MS;
		if (late > worst)
			worst = late;
	}
	if (status)
		die("the write has failed");
	printf("%lu %lu\n", (unsigned long)(worst / MS),
	       (unsigned long)((now_ns() - begin) / MS));
	return 0;
}
