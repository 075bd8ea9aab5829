// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Processes that swap, and go: unmapped in part and as a whole, ended and killed,
 * several at once, all the time. While they live they check what they have.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmtest.h"

static size_t chunk_pages; /* in a MiB, of which a process has the same to say */

struct proc {
	pid_t pid;
	unsigned char swapped; /* says the process itself: it has memory in swap */
	unsigned char killed; /* by us */
};
static struct proc *procs; /* shared */
static size_t nr_procs;

struct chunk {
	unsigned char *mem; /* NULL: not mapped */
	uint64_t seed;
};

static void chunk_fill(struct chunk *c, uint64_t *random)
{
	size_t i;

	if (!c->mem)
		c->mem = map_pages(chunk_pages);
	c->seed = content_random(random);
	for (i = 0; i < chunk_pages; i++)
		content_page(c->mem + i * page_bytes, c->seed, i);
}

/* Some of it, as all of it would be read back too often. */
static void chunk_check(const struct chunk *c, uint64_t *random)
{
	size_t i;

	for (i = content_random(random) % 8; c->mem && i < chunk_pages; i += 8) {
		if (content_check(c->mem + i * page_bytes, c->seed, i))
			die("memory does not hold what was written to it");
	}
}

static void chunk_unmap(struct chunk *c)
{
	if (c->mem && munmap(c->mem, chunk_pages * page_bytes))
		die("munmap: %s", strerror(errno));
	c->mem = NULL;
}

static void chunk_pageout(const struct chunk *c)
{
	if (c->mem)
		madvise(c->mem, chunk_pages * page_bytes, MADV_PAGEOUT);
}

/* Until the parent kills it, or it has had enough; then all of it goes at once. */
static void storm_process(struct proc *me, size_t chunks, uint64_t random)
{
	struct chunk *all = calloc(chunks, sizeof(*all));
	size_t i, steps = chunks * (1 + content_random(&random) % 4);

	if (!all)
		die("no memory");
	for (i = 0; i < chunks; i++) {
		chunk_fill(&all[i], &random);
		chunk_pageout(&all[i]);
		__atomic_store_n(&me->swapped, 1, __ATOMIC_RELAXED);
	}
	while (steps--) {
		struct chunk *c = &all[content_random(&random) % chunks];

		switch (content_random(&random) % 4) {
		case 0:
			chunk_unmap(c);
			break;
		case 1:
			chunk_fill(c, &random);
			break;
		default:
			chunk_check(c, &random);
		}
		chunk_pageout(&all[content_random(&random) % chunks]);
	}
	for (i = 0; i < chunks; i++)
		chunk_pageout(&all[i]);
	_exit(0);
}

static void storm_start(struct proc *p, size_t chunks, uint64_t *random)
{
	size_t some = 1 + content_random(random) % chunks;
	uint64_t seed = content_random(random);
	pid_t pid;

	p->swapped = p->killed = 0;
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid)
		storm_process(p, some, seed);
	p->pid = pid;
}

/* Kill some of them, or in one case of four all at once. */
static void storm_kill(uint64_t *random)
{
	uint64_t who = content_random(random) % 4 ? content_random(random) : ~0ULL;
	size_t i;

	for (i = 0; i < nr_procs; i++) {
		if (who >> i & 1 &&
		    __atomic_load_n(&procs[i].swapped, __ATOMIC_RELAXED)) {
			procs[i].killed = 1;
			kill(procs[i].pid, SIGKILL);
		}
	}
}

/* What has become of processes: on their own, killed by us, by the OOM killer. */
static unsigned long ended, by_us, by_oom;

/* @options: of waitpid(), which waits for one unless they say otherwise */
static struct proc *storm_reap(int options)
{
	int status;
	pid_t pid = waitpid(-1, &status, options);
	size_t i;

	if (pid <= 0)
		return NULL;
	for (i = 0; i < nr_procs && procs[i].pid != pid; i++)
		;
	if (i == nr_procs)
		die("a process that is not ours");
	if (WIFEXITED(status) && WEXITSTATUS(status))
		die("a process has failed");
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		die("a process has ended by signal %d", WTERMSIG(status));
	if (WIFEXITED(status))
		ended++;
	else if (procs[i].killed)
		by_us++;
	else
		by_oom++;
	return &procs[i];
}

int cmd_storm(int argc, char **argv)
{
	uint64_t until, random;
	struct proc *p;
	size_t chunks, i;

	if (argc != 5)
		die("needs SECONDS SEED PROCESSES MIB");
	until = now_ns() + number(argv[1]) * 1000000000ULL;
	random = number(argv[2]);
	nr_procs = number(argv[3]);
	chunk_pages = (1 << 20) / page_bytes;
	chunks = number(argv[4]);
	if (nr_procs > 64 || !nr_procs || !chunks)
		die("so many processes, or so little memory, will not do");
	procs = mmap(NULL, nr_procs * sizeof(*procs), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (procs == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	for (i = 0; i < nr_procs; i++)
		storm_start(&procs[i], chunks, &random);
	while (now_ns() < until) {
		usleep(content_random(&random) % 500000);
		storm_kill(&random);
		while ((p = storm_reap(WNOHANG)))
			storm_start(p, chunks, &random);
	}
	for (i = 0; i < nr_procs; i++) {
		procs[i].killed = 1;
		kill(procs[i].pid, SIGKILL);
	}
	while (storm_reap(0))
		;
	printf("%lu ended, %lu were killed, %lu by the OOM killer\n", ended, by_us,
	       by_oom);
	return 0;
}
