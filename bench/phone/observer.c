// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * The observer sees each kill by the kernel's trace of signals, those that the kernel's
 * own OOM killer sends included, and with the time at which it was sent. It is a
 * thread of real-time priority that sleeps: until there is a kill, and then for a
 * millisecond between two looks.
 *
 * A victim's memory is back when its exit is over (its pidfd says so: what was
 * resident is free then, and its swap slots are), and zram has given back what it is
 * going to. mm_stat tells how many bytes zram stores (compr_data_size, which sinks
 * as slots are freed), and how much memory it holds for them (mem_used_total, which
 * sinks as pages are given back). At the signal it holds so many bytes for each that
 * it stores, and afterwards
 *
 *	withheld = mem_used_total - compr_data_size * (held / stored at the signal)
 *
 * is what exits have left behind: frees that are pending, and holes in pages. What
 * others store or free meanwhile changes both sides alike. zram has given back so much
 * between two looks as withheld and held have both sunk by: withheld alone sinks when
 * what others store fills holes. Back is the memory at the first look after which,
 * until WATCH_NS after the exit, no more than SLACK_BYTES are given back.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "phone.h"

#define TRACE "/sys/kernel/tracing/"
#define MAX_KILLS 256
#define WATCH_NS NS_PER_S
#define GIVE_UP_NS (10 * NS_PER_S)
#define SLACK_BYTES (4UL << 20)
#define MAX_LOOKS 2048

struct usage {
	uint64_t stored, held; /* bytes */
};

/* A kill whose memory may not be back yet. */
struct watched {
	struct kill *kill;
	int pidfd;
	struct usage before;
	size_t looks; /* since its exit was over */
	struct {
		uint64_t ns, held, withheld;
	} look[MAX_LOOKS];
};

static struct {
	struct kill kill[MAX_KILLS];
	size_t kills;
	struct watched watched[MAX_APPS];
	size_t watching;
	const char *mm_stat;
	int trace, stop;
	pthread_t thread;
	char text[4096]; /* of the trace, up to an unfinished line */
	size_t length;
} o;

static struct usage device_usage(void)
{
	unsigned long long stored, held;
	char text[256];

	if (read_text(o.mm_stat, text, sizeof(text)) < 0 ||
	    sscanf(text, "%*u %llu %llu", &stored, &held) != 2)
		die("%s cannot be read", o.mm_stat);
	return (struct usage){.stored = stored, .held = held};
}

static struct app *app_of(pid_t pid)
{
	unsigned long i;

	for (i = 0; i < phone->apps; i++) {
		if (phone->app[i].pid == pid)
			return &phone->app[i];
	}
	return NULL;
}

static void kill_begins(struct app *app, uint64_t at_ns, int signal, const char *by)
{
	struct kill *kill = &o.kill[o.kills];
	struct usage before = device_usage();
	struct watched *watched;
	size_t i;

	for (i = 0; i < o.watching; i++) {
		/* SIGKILL after SIGTERM is the same kill. */
		if (o.watched[i].kill->app == app->number)
			return;
		/* What is withheld of the first is not to be a measure for the second. */
		before = o.watched[i].before;
	}
	if (o.kills == MAX_KILLS || o.watching == MAX_APPS)
		die("too many kills");
	o.kills++;
	*kill = (struct kill){.at_ns = at_ns, .app = app->number, .signal = signal};
	snprintf(kill->by, sizeof(kill->by), "%s", by);
	watched = &o.watched[o.watching++];
	watched->kill = kill;
	watched->pidfd = dup(app->pidfd);
	watched->before = before;
	watched->looks = 0;
}

static bool is_gone(int pidfd)
{
	struct pollfd fd = {.fd = pidfd, .events = POLLIN};

	return poll(&fd, 1, 0) == 1;
}

static uint64_t withheld(struct usage before, struct usage now)
{
	uint64_t due =
		before.stored ? now.stored * before.held / before.stored : now.held;

	return now.held > due ? now.held - due : 0;
}

/* Bytes given back between this look and the one before. */
static uint64_t given_back(const struct watched *watched, size_t look)
{
	uint64_t held = watched->look[look - 1].held;
	uint64_t withheld = watched->look[look - 1].withheld;

	if (held <= watched->look[look].held || withheld <= watched->look[look].withheld)
		return 0;
	held -= watched->look[look].held;
	withheld -= watched->look[look].withheld;
	return held < withheld ? held : withheld;
}

static void judge(struct watched *watched)
{
	uint64_t later = 0;
	size_t look;

	if (!watched->looks)
		return;
	for (look = watched->looks - 1; look; look--) {
		later += given_back(watched, look);
		if (later > SLACK_BYTES)
			break;
	}
	watched->kill->back_ns = watched->look[look].ns;
	watched->kill->left = watched->look[look].withheld;
}

/* Gives whether it has been watched for long enough. */
static bool look_at(struct watched *watched, struct usage usage)
{
	struct kill *kill = watched->kill;
	uint64_t now = now_ns();

	if (!kill->gone_ns && is_gone(watched->pidfd))
		kill->gone_ns = now;
	if (!kill->gone_ns)
		return now - kill->at_ns > GIVE_UP_NS;
	if (watched->looks < MAX_LOOKS) {
		watched->look[watched->looks].ns = now;
		watched->look[watched->looks].held = usage.held;
		watched->look[watched->looks].withheld = withheld(watched->before, usage);
		watched->looks++;
	}
	return now - kill->gone_ns > WATCH_NS;
}

static void stop_watching(struct watched *watched)
{
	judge(watched);
	close(watched->pidfd);
	*watched = o.watched[--o.watching];
}

static void look(void)
{
	struct usage usage = device_usage();
	size_t i = 0;

	while (i < o.watching) {
		if (look_at(&o.watched[i], usage))
			stop_watching(&o.watched[i]);
		else
			i++;
	}
}

/* "  earlyoom-99 [000] d..2. 12.345678: signal_generate: sig=15 ... pid=123 ..." */
static void read_line(const char *line)
{
	const char *event = strstr(line, ": signal_generate: sig="), *pid, *at;
	struct app *app;
	char by[32] = "";
	double seconds;

	if (!event || !(pid = strstr(event, " pid=")))
		return;
	for (at = event; at > line && at[-1] != ' '; at--)
		;
	seconds = strtod(at, NULL);
	sscanf(line, " %31[^-[]", by);
	app = app_of(atoi(pid + strlen(" pid=")));
	if (app)
		kill_begins(app, seconds * 1e9,
			    atoi(event + strlen(": signal_generate: sig=")), by);
}

static void read_trace(void)
{
	ssize_t n = read(o.trace, o.text + o.length, sizeof(o.text) - o.length - 1);
	char *line = o.text, *end;

	if (n <= 0)
		return;
	o.length += n;
	o.text[o.length] = '\0';
	while ((end = strchr(line, '\n'))) {
		*end = '\0';
		read_line(line);
		line = end + 1;
	}
	o.length -= line - o.text;
	memmove(o.text, line, o.length);
}

static void *observe(void *unused)
{
	struct pollfd fd[2] = {{.fd = o.trace, .events = POLLIN},
			       {.fd = o.stop, .events = POLLIN}};

	(void)unused;
	while (poll(fd, 2, o.watching ? 1 : -1) >= 0 && !fd[1].revents) {
		if (fd[0].revents)
			read_trace();
		if (o.watching)
			look();
	}
	return NULL;
}

static void trace_start(void)
{
	write_text(TRACE "trace_clock", "mono");
	write_text(TRACE "buffer_size_kb", "64");
	write_text(TRACE "buffer_percent", "0"); /* the first line wakes the reader */
	write_text(TRACE "trace", "");
	write_text(TRACE "events/signal/signal_generate/filter", "sig==9||sig==15");
	write_text(TRACE "events/signal/signal_generate/enable", "1");
	o.trace = open(TRACE "trace_pipe", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (o.trace < 0)
		die("trace_pipe: %s", strerror(errno));
}

void observer_start(const char *mm_stat)
{
	struct sched_param priority = {.sched_priority = 50};
	pthread_attr_t attr;

	o.mm_stat = mm_stat;
	o.stop = eventfd(0, EFD_CLOEXEC);
	trace_start();
	pthread_attr_init(&attr);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	pthread_attr_setschedparam(&attr, &priority);
	if (o.stop < 0 || pthread_create(&o.thread, &attr, observe, NULL))
		die("no observer");
}

const struct kill *observer_stop(size_t *kills)
{
	eventfd_write(o.stop, 1);
	pthread_join(o.thread, NULL);
	while (o.watching)
		stop_watching(&o.watched[0]);
	write_text(TRACE "events/signal/signal_generate/enable", "0");
	close(o.trace);
	*kills = o.kills;
	return o.kill;
}
