// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * The person takes one app after another to the front and stays with each for a
 * while. An app that has been killed meanwhile is launched anew. As on a phone, the
 * app that has not been in front for the longest time is the first to be killed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "phone.h"

#define BACK_ADJ 100 /* oom_score_adj of the app that was in front before */
#define OLDER_ADJ 60 /* and more for each that is older */
#define MAX_TRIES 5
/* Of ten switches, those to an app that was in front lately, and what that means */
#define LATELY_OF_TEN 6
#define LATELY 4

static struct app *front;
static unsigned long step;

/* By when they were in front, latest first; gives how many ever were. */
static unsigned long sort_by_turn(struct app **order)
{
	unsigned long n = 0, i, at;

	for (i = 0; i < phone->apps; i++) {
		struct app *app = &phone->app[i];

		if (!app->last_turn)
			continue;
		for (at = n++; at && order[at - 1]->last_turn < app->last_turn; at--)
			order[at] = order[at - 1];
		order[at] = app;
	}
	return n;
}

/* One that dies meanwhile has no use for it. */
static void rank(const struct app *app, int adj)
{
	char path[64], text[16];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)app->pid);
	file = app->pid ? fopen(path, "we") : NULL;
	if (!file)
		return;
	snprintf(text, sizeof(text), "%d", adj);
	fputs(text, file);
	fclose(file);
}

static void rank_all(void)
{
	struct app *order[MAX_APPS];
	unsigned long n = sort_by_turn(order), i;

	for (i = 0; i < n; i++)
		rank(order[i], i ? BACK_ADJ + OLDER_ADJ * (int)(i - 1) : 0);
}

static void reap(struct app *app)
{
	int status;

	if (waitpid(app->pid, &status, 0) != app->pid || !WIFSIGNALED(status))
		die("app %lu has ended, and not by a signal", app->number);
	close(app->socket);
	close(app->pidfd);
	app->pid = 0;
}

/* The app answers when it has all it wants; false: it has died before. */
static bool wait_for(struct app *app)
{
	char answer;

	if (read(app->socket, &answer, 1) == 1)
		return true;
	reap(app);
	return false;
}

static void start(struct app *app)
{
	int end[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, end))
		die("socketpair: %s", strerror(errno));
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid) {
		close(end[0]);
		app_main(app, end[1]);
	}
	close(end[1]);
	app->socket = end[0];
	app->pid = pid;
	app->pidfd = syscall(SYS_pidfd_open, pid, 0);
	if (app->pidfd < 0)
		die("pidfd_open: %s", strerror(errno));
}

/* An app that is killed while it starts is started again: the person waits on. */
static void launch(struct app *app)
{
	uint64_t begin = now_ns();
	int tries = 0;

	do {
		if (++tries > MAX_TRIES)
			die("app %lu is killed whenever it starts", app->number);
		start(app);
		rank_all();
	} while (!wait_for(app));
	printf("launch app=%lu mib=%lu step=%lu ns=%llu tries=%d\n", app->number,
	       app->mib, step, (unsigned long long)(app->ready_ns - begin), tries);
}

static bool switch_to(struct app *app)
{
	uint64_t begin = now_ns();

	rank_all();
	if (write(app->socket, "f", 1) != 1) {
		reap(app);
		return false;
	}
	if (!wait_for(app))
		return false;
	printf("switch app=%lu mib=%lu step=%lu ns=%llu\n", app->number, app->mib, step,
	       (unsigned long long)(app->ready_ns - begin));
	return true;
}

static void bring_to_front(struct app *app)
{
	/* If it has died, that is found when the person comes back to it. */
	if (front && front->pid)
		(void)!write(front->socket, "b", 1);
	front = app;
	app->last_turn = ++step;
	if (!app->pid || !switch_to(app))
		launch(app);
}

static struct app *choose(void)
{
	struct app *order[MAX_APPS];
	unsigned long n = sort_by_turn(order), most = n;
	uint64_t chance = mix(phone->seed, step);

	if (chance % 10 < LATELY_OF_TEN && n > LATELY + 1)
		most = LATELY + 1;
	return order[1 + chance / 10 % (most - 1)];
}

void person_run(unsigned long switches, unsigned long dwell_ms)
{
	unsigned long i;

	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < phone->apps + switches; i++) {
		bring_to_front(i < phone->apps ? &phone->app[i] : choose());
		sleep_until(now_ns() + dwell_ms * NS_PER_MS);
	}
}

void person_leave(void)
{
	unsigned long i;

	for (i = 0; i < phone->apps; i++) {
		if (!phone->app[i].pid)
			continue;
		kill(phone->app[i].pid, SIGKILL);
		reap(&phone->app[i]);
	}
}
