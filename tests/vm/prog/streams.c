// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* A device that several CPUs use at once: to write, and to read what is freed. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmtest.h"

#define WRITE_PAGES 16 /* of one direct write */
#define READ_PAGES 32 /* of one direct read */
#define MAX_TASKS 8

/* What the processes of one run share. */
struct run {
	unsigned int ready;
	unsigned int go;
	unsigned long pages[MAX_TASKS];
};

static struct run *run_create(void)
{
	struct run *run = mmap(NULL, sizeof(*run), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (run == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	return run;
}

static int open_direct(const char *device, int flags)
{
	int fd = open(device, flags | O_DIRECT | O_CLOEXEC);

	if (fd < 0)
		die("%s: %s", device, strerror(errno));
	return fd;
}

static pid_t start(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork: %s", strerror(errno));
	return pid;
}

/* On @cpu only, write @buffer for @ms from "go" on, over and over in its place. */
static void write_on(struct run *run, const char *device, const void *buffer,
		     unsigned int nr, unsigned long cpu, uint64_t ms)
{
	int fd = open_direct(device, O_WRONLY);
	uint64_t until;

	stay_on(cpu);
	__atomic_add_fetch(&run->ready, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&run->go, __ATOMIC_SEQ_CST))
		usleep(1000);
	for (until = now_ns() + ms * 1000000; now_ns() < until;
	     run->pages[nr] += WRITE_PAGES) {
		if (pwrite(fd, buffer, WRITE_PAGES * page_bytes,
			   nr * WRITE_PAGES * page_bytes) < 0)
			die("write: %s", strerror(errno));
	}
}

/* Prints how many pages the writers have stored, together. */
int cmd_writers(int argc, char **argv)
{
	unsigned char *buffer = map_pages(WRITE_PAGES);
	struct run *run = run_create();
	unsigned long total = 0;
	unsigned int i, nr = argc - 3;
	int status, failed = 0;

	if (argc < 4 || nr > MAX_TASKS)
		die("needs DEVICE MILLISECONDS CPU...");
	for (i = 0; i < WRITE_PAGES; i++)
		content_page(buffer + i * page_bytes, 1, i);
	for (i = 0; i < nr; i++) {
		if (start())
			continue;
		write_on(run, argv[1], buffer, i, number(argv[3 + i]), number(argv[2]));
		_exit(0);
	}
	while (__atomic_load_n(&run->ready, __ATOMIC_SEQ_CST) < nr &&
	       !waitpid(-1, &status, WNOHANG))
		usleep(1000);
	__atomic_store_n(&run->go, 1, __ATOMIC_SEQ_CST);
	while (wait(&status) > 0)
		failed |= !WIFEXITED(status) || WEXITSTATUS(status);
	for (i = 0; i < nr; i++)
		total += run->pages[i];
	printf("%lu\n", total);
	return failed;
}

/* Read the whole device for ever. What is read is nobody's: it is being freed. */
static void read_for_ever(const char *device)
{
	int fd = open_direct(device, O_RDONLY);
	void *buffer = map_pages(READ_PAGES);
	uint64_t at = 0;
	ssize_t got;

	for (;;) {
		got = pread(fd, buffer, READ_PAGES * page_bytes, at);
		if (got < 0)
			die("read: %s", strerror(errno));
		at = got < (ssize_t)(READ_PAGES * page_bytes) ? 0 : at + got;
	}
}

/* Pages that do not compress, as a reader holds on to those for the longest time. */
static void swap_and_free(size_t pages, uint64_t *random)
{
	uint64_t *mem = map_pages(pages);
	size_t i;

	for (i = 0; i < pages * page_bytes / sizeof(*mem); i++)
		mem[i] = content_random(random);
	if (madvise(mem, pages * page_bytes, MADV_PAGEOUT))
		die("MADV_PAGEOUT: %s", strerror(errno));
	if (munmap(mem, pages * page_bytes))
		die("munmap: %s", strerror(errno));
}

/*
 * Free pages of a swap device while others read the device, so that a notification
 * meets a reader now and then.
 */
int cmd_meet(int argc, char **argv)
{
	uint64_t random = 1;
	unsigned long rounds;
	pid_t readers[MAX_TASKS];
	unsigned int i, nr;
	int status, failed = 0;

	if (argc != 5 || number(argv[2]) > MAX_TASKS)
		die("needs DEVICE READERS ROUNDS PAGES");
	nr = number(argv[2]);
	for (i = 0; i < nr; i++) {
		readers[i] = start();
		if (!readers[i])
			read_for_ever(argv[1]);
	}
	for (rounds = number(argv[3]); rounds; rounds--)
		swap_and_free(number(argv[4]), &random);
	for (i = 0; i < nr; i++) {
		kill(readers[i], SIGTERM);
		if (waitpid(readers[i], &status, 0) < 0)
			die("waitpid: %s", strerror(errno));
		failed |= !WIFSIGNALED(status);
	}
	return failed;
}
