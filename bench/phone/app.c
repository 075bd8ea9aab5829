// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * An app fills its memory when it is launched, and touches a part of it each time
 * it comes to the front. As long as it is in front, one of its threads needs a new
 * page now and then, as a program does that draws: how long is it kept waiting?
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "phone.h"

/* Content is taken from files in runs, and what is touched comes in runs. */
#define RUN_PAGES 16UL
/* Of sixteen runs, those touched each time, and those touched this time only */
#define HOT_RUNS 4
#define CHANCE_RUNS 1

#define DRAW_NS (4 * NS_PER_MS)
#define DRAW_PAGES 512UL

static struct {
	struct app *app;
	unsigned char *mem;
	size_t pages;
	unsigned char *drawn; /* DRAW_PAGES of them, given back when all are used */
	pthread_t drawing;
	atomic_bool in_front;
	unsigned long turns;
} me;

static unsigned char *map_memory(size_t pages)
{
	unsigned char *mem = mmap(NULL, pages * PAGE_BYTES, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		die("mmap of %zu pages: %s", pages, strerror(errno));
	return mem;
}

static void record(uint64_t due, uint64_t end)
{
	unsigned long n = atomic_fetch_add(&phone->faults, 1);

	if (n < MAX_FAULTS)
		phone->fault[n] = (struct fault){.at_ns = due, .ns = end - due};
}

/*
 * A page is due each DRAW_NS. One that is due while the one before is waited for is
 * there when that is: so a fault of 40 ms is one of 40, one of 36 and so on, and in a
 * window of time there are as many faults however slow they are. That the thread
 * wakes up late is not the fault's doing and does not count.
 */
static void *draw(void *unused)
{
	uint64_t due, end;
	unsigned long page = 0;

	(void)unused;
	while (atomic_load(&me.in_front)) {
		due = now_ns();
		*(volatile unsigned char *)(me.drawn + page * PAGE_BYTES) = 1;
		end = now_ns();
		do {
			record(due, end);
			due += DRAW_NS;
		} while (due < end);
		sleep_until(due);
		if (++page == DRAW_PAGES) {
			madvise(me.drawn, DRAW_PAGES * PAGE_BYTES, MADV_DONTNEED);
			page = 0;
		}
	}
	return NULL;
}

static void come_to_front(void)
{
	atomic_store(&me.in_front, true);
	if (pthread_create(&me.drawing, NULL, draw, NULL))
		die("no thread");
}

static void go_to_back(void)
{
	atomic_store(&me.in_front, false);
	pthread_join(me.drawing, NULL);
	madvise(me.drawn, DRAW_PAGES * PAGE_BYTES, MADV_DONTNEED);
}

/* A number in each page makes all pages of all apps different. */
static void fill(void)
{
	uint64_t seed = mix(phone->seed, me.app->number), number;
	size_t page, from, i;

	for (page = 0; page < me.pages; page += RUN_PAGES) {
		unsigned char *run = me.mem + page * PAGE_BYTES;

		from = mix(seed, page) % (phone->corpus_pages - RUN_PAGES);
		if (pread(phone->corpus, run, RUN_PAGES * PAGE_BYTES,
			  from * PAGE_BYTES) != (ssize_t)(RUN_PAGES * PAGE_BYTES))
			die("the corpus cannot be read");
		for (i = 0; i < RUN_PAGES; i++) {
			number = mix(seed, page + i);
			memcpy(run + i * PAGE_BYTES, &number, sizeof(number));
		}
	}
}

static bool is_touched(size_t run)
{
	uint64_t hot = mix(me.app->number, run) % 16;
	uint64_t chance = mix(mix(me.app->number, me.turns), run) % 16;

	return hot < HOT_RUNS || chance < CHANCE_RUNS;
}

/* One page of four is written to, the others are read. */
static void touch(void)
{
	size_t page;

	for (page = 0; page < me.pages; page++) {
		volatile unsigned char *byte = me.mem + page * PAGE_BYTES + 64;

		if (!is_touched(page / RUN_PAGES))
			continue;
		if (page % 4)
			(void)*byte;
		else
			*byte += 1;
	}
	me.turns++;
}

/* The process that launches apps is exempt from killers, apps are not. */
static void become_an_app(void)
{
	char name[16];

	write_text("/proc/self/oom_score_adj", "0");
	snprintf(name, sizeof(name), "app-%02lu", me.app->number);
	prctl(PR_SET_NAME, name);
}

void app_main(struct app *app, int socket)
{
	char turn;

	me.app = app;
	become_an_app();
	me.pages = app->mib << 8;
	me.mem = map_memory(me.pages);
	me.drawn = map_memory(DRAW_PAGES);
	come_to_front();
	fill();
	touch();
	for (;;) {
		atomic_store(&app->ready_ns, now_ns());
		/* 'r': all that was wanted is there. 'b': to the back; 'f': to the front.
		 */
		if (write(socket, "r", 1) != 1 || read(socket, &turn, 1) != 1)
			break;
		go_to_back();
		if (read(socket, &turn, 1) != 1)
			break;
		come_to_front();
		touch();
	}
	_exit(0);
}
