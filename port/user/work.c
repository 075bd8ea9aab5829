/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Deferred work: a thread for each port_work, asleep on a futex when there is nothing
 * to do. It has the priority of the program's other threads: a flush may wait for it,
 * and a process cannot lend it a higher one.
 *
 * port_work_schedule() is called from zs_free_deferred(), so it takes no lock that
 * the thread could hold: the whole schedule is one word, changed by compare-and-swap. It
 * holds the time at which to run (WORK_NEVER: not scheduled; 0: at once) and the number
 * of cancellations so far. So a function that schedules itself again notices that it was
 * cancelled while running.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "fault.h"

#define WORK_TIME_BITS 48 /* of microseconds: 8 years */
#define WORK_NEVER ((1ull << WORK_TIME_BITS) - 1)
#define WORK_STACK (256 * 1024)

struct user_work {
	u64 schedule; /* cancellations << WORK_TIME_BITS | time to run */
	u32 asleep; /* futex: 1 while the thread sleeps or is about to */
	u32 runs; /* futex: odd while @fn runs or is about to */
	u32 waiters; /* threads waiting for @runs to change */
	u32 stop;
	void (*fn)(void *arg);
	void *arg;
	pthread_t thread;
};

/* In a thread of a work: the work, and the cancellations when it began to run. */
static __thread struct user_work *work_current;
static __thread u64 work_current_gen;

static u64 schedule_time(u64 schedule)
{
	return schedule & WORK_NEVER;
}

static u64 schedule_gen(u64 schedule)
{
	return schedule >> WORK_TIME_BITS;
}

static u64 work_now_us(void)
{
	return port_now_ns() / 1000;
}

/* Sleep while *@word is @value, until @until_us of the monotonic clock. */
static void futex_wait(u32 *word, u32 value, u64 until_us)
{
	struct timespec ts = {.tv_sec = (time_t)(until_us / 1000000),
			      .tv_nsec = (long)(until_us % 1000000 * 1000)};

	syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, value,
		until_us == WORK_NEVER ? NULL : &ts, NULL, FUTEX_BITSET_MATCH_ANY);
}

static void futex_wake(u32 *word, int n)
{
	syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, n, NULL, NULL, 0);
}

static void work_wake(struct user_work *w)
{
	if (__atomic_load_n(&w->asleep, __ATOMIC_SEQ_CST) &&
	    __atomic_exchange_n(&w->asleep, 0, __ATOMIC_SEQ_CST))
		futex_wake(&w->asleep, 1);
}

/*
 * Sleep until scheduled, until it is time, or until told to stop.
 *
 * First say that we sleep, then look: work_wake() does the reverse. By an exchange, as
 * port_work_fini() does: QEMU on x86 lets an arm64 program's load pass its store before
 * it, though both are sequentially consistent, and the thread slept for ever.
 */
static void work_sleep(struct user_work *w)
{
	u64 time;

	__atomic_exchange_n(&w->asleep, 1, __ATOMIC_SEQ_CST);
	time = schedule_time(__atomic_load_n(&w->schedule, __ATOMIC_SEQ_CST));
	if (!__atomic_load_n(&w->stop, __ATOMIC_SEQ_CST) && time &&
	    (time == WORK_NEVER || time > work_now_us()))
		futex_wait(&w->asleep, 1, time);
	__atomic_store_n(&w->asleep, 0, __ATOMIC_SEQ_CST);
}

/* Run the work if @schedule, which is due, still stands. */
static void work_run(struct user_work *w, u64 schedule)
{
	/* Before the claim, so that a cancellation that comes too late sees us running.
	 */
	__atomic_fetch_add(&w->runs, 1, __ATOMIC_SEQ_CST);
	if (__atomic_compare_exchange_n(&w->schedule, &schedule, schedule | WORK_NEVER,
					false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
		work_current_gen = schedule_gen(schedule);
		w->fn(w->arg);
	}
	__atomic_fetch_add(&w->runs, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&w->waiters, __ATOMIC_SEQ_CST))
		futex_wake(&w->runs, INT_MAX);
}

static void *work_thread(void *arg)
{
	struct user_work *w = arg;

	work_current = w;
	pthread_setname_np(pthread_self(), "lethe-drain");
	while (!__atomic_load_n(&w->stop, __ATOMIC_ACQUIRE)) {
		u64 schedule = __atomic_load_n(&w->schedule, __ATOMIC_ACQUIRE);
		u64 time = schedule_time(schedule);

		if (time != WORK_NEVER && (!time || time <= work_now_us()))
			work_run(w, schedule);
		else
			work_sleep(w);
	}
	return NULL;
}

/* Signals are for the program's own threads: block them in ours. */
static int work_start_thread(struct user_work *w)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int err;

	if (pthread_attr_init(&attr))
		return ENOMEM;
	pthread_attr_setstacksize(&attr, WORK_STACK);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&w->thread, &attr, work_thread, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return err;
}

int port_work_init(port_work *work, void (*fn)(void *arg), void *arg)
{
	struct user_work *w;

	if (user_fault_fails(USER_FAULT_WORK))
		return -PORT_ENOMEM;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -PORT_ENOMEM;
	w->schedule = WORK_NEVER;
	w->fn = fn;
	w->arg = arg;
	if (work_start_thread(w)) {
		free(w);
		return -PORT_ENOMEM;
	}
	work->impl = w;
	return 0;
}

void port_work_schedule(port_work *work, unsigned int delay_ms)
{
	struct user_work *w = work->impl;
	u64 old = __atomic_load_n(&w->schedule, __ATOMIC_RELAXED);
	u64 time = delay_ms ? work_now_us() + delay_ms * 1000ull : 0;
	u64 new;

	/*
	 * Swap even if the earlier time stands: the run that it causes must see
	 * what the caller did before.
	 */
	do {
		if (work_current == w && schedule_gen(old) != work_current_gen)
			return;
		new = time < schedule_time(old) ? (old & ~WORK_NEVER) | time : old;
	} while (!__atomic_compare_exchange_n(&w->schedule, &old, new, true,
					      __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	if (new != old)
		work_wake(w);
}

bool port_work_cancelled(const port_work *work)
{
	u64 schedule = __atomic_load_n(&work->impl->schedule, __ATOMIC_SEQ_CST);

	return schedule_gen(schedule) != work_current_gen;
}

/* A process cannot tell: its threads are left to the scheduler. A test may say so. */
bool port_cpu_contended(void)
{
	return user_fault_fails(USER_FAULT_CPU);
}

/* Wait for the run that is under way, if any, but for no later one. */
static void work_wait_run(struct user_work *w)
{
	u32 run = __atomic_load_n(&w->runs, __ATOMIC_SEQ_CST);

	if (!(run & 1))
		return;
	__atomic_fetch_add(&w->waiters, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&w->runs, __ATOMIC_SEQ_CST) == run)
		futex_wait(&w->runs, run, WORK_NEVER);
	__atomic_fetch_sub(&w->waiters, 1, __ATOMIC_SEQ_CST);
}

void port_work_cancel(port_work *work)
{
	struct user_work *w = work->impl;
	u64 old = __atomic_load_n(&w->schedule, __ATOMIC_RELAXED);

	/* The number of cancellations may wrap around: a run is compared with one. */
	while (!__atomic_compare_exchange_n(&w->schedule, &old,
					    (old + WORK_NEVER + 1) | WORK_NEVER, true,
					    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		continue;
	work_wait_run(w);
}

void port_work_fini(port_work *work)
{
	struct user_work *w = work->impl;

	__atomic_exchange_n(&w->stop, 1, __ATOMIC_SEQ_CST);
	work_wake(w);
	pthread_join(w->thread, NULL);
	free(w);
	work->impl = NULL;
}
