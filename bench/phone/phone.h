/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * A person who switches between the apps of a phone that is short of memory. Four
 * rooms: an app (app.c), the person (person.c), the observer of kills (observer.c),
 * and the run that puts them together (main.c). common.c has what they share.
 */
#ifndef BENCH_PHONE_H
#define BENCH_PHONE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PAGE_BYTES 4096UL
#define NS_PER_MS 1000000ULL
#define NS_PER_S 1000000000ULL
#define MAX_APPS 32
#define MAX_FAULTS (1UL << 18)

/* One page fault of the app in front. */
struct fault {
	uint64_t at_ns; /* when the page was due to be touched, by CLOCK_MONOTONIC */
	uint64_t ns; /* from then until the app had it */
};

struct app {
	unsigned long number;
	unsigned long mib;
	_Atomic pid_t pid; /* 0: does not run, and has been reaped */
	int pidfd;
	int socket; /* the person's end: a byte each way for each turn in front */
	unsigned long last_turn; /* the person's last step with this app in front */
	_Atomic uint64_t ready_ns; /* when the app last had all that it wanted */
};

/* In memory that all processes share and that is never swapped out. */
struct phone {
	struct app app[MAX_APPS];
	unsigned long apps;
	uint64_t seed;
	int corpus; /* open: page content of real files */
	size_t corpus_pages;
	atomic_ulong faults;
	struct fault fault[MAX_FAULTS];
};

extern struct phone *phone;

/* ---- common.c ---- */

__attribute__((noreturn, format(printf, 1, 2))) void die(const char *fmt, ...);

/* By CLOCK_MONOTONIC, which is also the clock of the kernel's trace. */
uint64_t now_ns(void);
void sleep_until(uint64_t ns);

/* A number that depends on both, evenly spread. */
uint64_t mix(uint64_t a, uint64_t b);

/* The text of a small file with a NUL at its end, or -1. */
ssize_t read_text(const char *path, char *text, size_t room);
void write_text(const char *path, const char *text);

/* ---- app.c ---- */

/* The life of an app, from fork until it is killed. It never returns. */
__attribute__((noreturn)) void app_main(struct app *app, int socket);

/* ---- person.c ---- */

/* Each app once, in turn, and then so many switches. Prints a line for each. */
void person_run(unsigned long switches, unsigned long dwell_ms);

/* End all apps that run. */
void person_leave(void);

/* ---- observer.c ---- */

struct kill {
	uint64_t at_ns; /* the signal, by the kernel's trace */
	uint64_t gone_ns; /* the victim's exit is over; 0: not seen */
	uint64_t back_ns; /* its memory can be had by others; 0: not seen */
	uint64_t left; /* bytes that zram held beyond its share then, in holes */
	unsigned long app;
	int signal;
	char by[32]; /* who sent it */
};

/* Watch for kills from now on. @mm_stat is the file of the zram device. */
void observer_start(const char *mm_stat);

/* Stop watching, and give all kills seen. */
const struct kill *observer_stop(size_t *kills);

#endif /* BENCH_PHONE_H */
