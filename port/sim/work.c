/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Deferred work, time and waiting. SIM_NR_WORKERS threads run the works, each when it is
 * due or, by config.work_lag_us, later.
 */
#include <string.h>

#include "world.h"

enum { WORKS_MAX = 8, RELAX_POINTS = 16 };

struct work {
	void (*fn)(void *arg);
	void *arg;
	u64 due; /* if scheduled */
	bool in_use, scheduled, running;
	u32 cancelling; /* threads that wait for the end of the run, a bit each */
	u32 runs; /* that have ended */
	struct sim_sync order; /* what the next run comes after */
	struct sim_sync done; /* what a thread that waited for a run comes after */
};

static struct work works[WORKS_MAX];
static u32 work_waiters; /* threads that wait until none is busy, a bit each */

void work_begin(void)
{
	unsigned int i;

	for (i = 0; i < WORKS_MAX; i++)
		works[i] = (struct work){.due = SIM_NEVER};
	work_waiters = 0;
}

/* Works of a pool are run by different threads. */
static unsigned int thread_of(const struct work *w)
{
	return SIM_WORKER((unsigned int)(w - works));
}

static struct work *work_of(const port_work *work)
{
	if (!work->id || work->id > WORKS_MAX || !works[work->id - 1].in_use)
		sim_fail("a work is used that is not initialised");
	return &works[work->id - 1];
}

int port_work_init(port_work *work, void (*fn)(void *arg), void *arg)
{
	unsigned int i;

	lock_may_sleep("port_work_init");
	if (memory_fails())
		return -PORT_ENOMEM;
	for (i = 0; i < WORKS_MAX; i++) {
		if (works[i].in_use)
			continue;
		works[i] = (struct work){
			.fn = fn, .arg = arg, .in_use = true, .due = SIM_NEVER};
		work->id = i + 1;
		return 0;
	}
	sim_fail("too many works");
}

void port_work_schedule(port_work *work, unsigned int delay_ms)
{
	struct work *w = work_of(work);
	u64 due;

	sched_point(w, SIM_CHANGES);
	due = sim.now + delay_ms * 1000000ull + sim.config.work_lag_us * 1000ull;
	/* Beside a cancellation, it may have come before that as well as after. */
	if (w->cancelling && !sim_choose(2, 128)) {
		TRACE("schedule: cancelled", NULL, delay_ms, 0);
		return;
	}
	sim_sync_release(&w->order);
	if (!w->scheduled || due < w->due)
		w->due = due;
	w->scheduled = true;
	if (!(sim.alive >> thread_of(w) & 1))
		sched_start_worker(thread_of(w));
	else
		sched_wake_by(thread_of(w), w->due);
	TRACE("schedule work, ms", NULL, delay_ms, 0);
}

void port_work_cancel(port_work *work)
{
	struct work *w = work_of(work);
	u32 run;

	lock_may_sleep("port_work_cancel");
	if (SIM_WORKERS >> sim.self & 1)
		sim_fail("a work is cancelled by a worker");
	sched_point(w, SIM_CHANGES);
	w->scheduled = false;
	TRACE("cancel work", NULL, w->running, 0);
	run = w->runs;
	while (w->running && w->runs == run) {
		w->cancelling |= 1u << sim.self;
		sim.runnable &= ~(1u << sim.self);
		sched_block();
	}
	sim_sync_acquire(&w->done);
}

void port_work_fini(port_work *work)
{
	struct work *w = work_of(work);

	if (w->scheduled || w->running)
		sim_fail("a work goes away that is scheduled or running");
	w->in_use = false;
}

/* A work of the calling thread that is due, else NULL, and when the next will be. */
static struct work *work_due(u64 *next)
{
	unsigned int i;

	*next = SIM_NEVER;
	for (i = 0; i < WORKS_MAX; i++) {
		struct work *w = &works[i];

		if (!w->in_use || !w->scheduled || thread_of(w) != sim.self)
			continue;
		if (w->due <= sim.now)
			return w;
		if (w->due < *next)
			*next = w->due;
	}
	return NULL;
}

static void work_run(struct work *w)
{
	w->scheduled = false;
	w->running = true;
	sim_sync_acquire(&w->order);
	sim_note("the work begins");
	w->fn(w->arg);
	sim_note("the work ends");
	w->running = false;
	w->runs++;
	sim_sync_release(&w->done);
	sched_wake(w->cancelling);
	w->cancelling = 0;
	sched_wake(work_waiters);
	work_waiters = 0;
}

void work_thread(void *unused)
{
	(void)unused;
	for (;;) {
		u64 next;
		struct work *w = work_due(&next);

		if (w)
			work_run(w);
		else
			sched_sleep_until(next);
	}
}

void sim_work_wait(void)
{
	while (sim_work_busy()) {
		work_waiters |= 1u << sim.self;
		sim.runnable &= ~(1u << sim.self);
		sched_block();
	}
}

bool sim_work_running(void)
{
	unsigned int i;

	for (i = 0; i < WORKS_MAX; i++) {
		if (works[i].in_use && works[i].running)
			return true;
	}
	return false;
}

bool sim_work_busy(void)
{
	unsigned int i;

	for (i = 0; i < WORKS_MAX; i++) {
		if (works[i].in_use && (works[i].scheduled || works[i].running))
			return true;
	}
	return false;
}

/* ---- time and waiting ---- */

u64 port_now_ns(void)
{
	return sim.now;
}

u64 sim_now_us(void)
{
	return sim.now / 1000;
}

void sim_sleep_us(u64 us)
{
	sched_sleep_until(sim.now + us * 1000);
}

void sim_on_yield(void (*fn)(void))
{
	sim_me()->on_yield = fn;
}

static void run_on_yield(struct sim_thread *me)
{
	void (*fn)(void) = me->on_yield;
	u64 points = me->points, pages = me->pages_given;
	u64 before = me->pages_at_yield[0], at = me->pages_at_yield[1];

	me->on_yield = NULL;
	fn();
	me->on_yield = fn;
	me->points = points;
	me->pages_given = pages;
	me->pages_at_yield[0] = before;
	me->pages_at_yield[1] = at;
}

void port_yield(void)
{
	struct sim_thread *me = sim_me();

	lock_may_sleep("port_yield");
	if (me->on_yield)
		run_on_yield(me);
	me->pages_at_yield[0] = me->pages_at_yield[1];
	me->pages_at_yield[1] = me->pages_given;
	sched_point(NULL, SIM_LOADS);
}

bool port_work_cancelled(const port_work *work)
{
	struct work *w = work_of(work);

	sched_point(w, SIM_LOADS);
	return w->cancelling;
}

bool port_cpu_contended(void)
{
	return sim_choose(2, 128);
}

void port_nap(void)
{
	lock_may_sleep("port_nap");
	TRACE("nap", NULL, 0, 0);
	sim_sleep_us(1000);
}

void port_cpu_relax(void)
{
	if (sim_quiet())
		sim_fail("livelock: a thread waits, and no other runs");
	/*
	 * Only schedules in which the thread that is waited for gets on: two that wait
	 * for a third could take turns without end.
	 */
	sched_sleep_until(sim.now + (sim.config.source == SIM_EXPLORE
					     ? RELAX_POINTS * sim.config.point_ns
					     : 1000));
}

/* ---- the pool and its home ---- */

/* Of the pool, as a kernel has it: a list of walkers, and what is shown as pending. */
static struct {
	bool listed;
	u32 walkers;
	u32 waiter; /* that waits for them to go, a bit */
	size_t shown;
	struct sim_sync left; /* by the walkers that went */
} home;

int port_pool_attach(struct zs_pool *pool, const char *name, void **homep)
{
	(void)pool;
	(void)name;
	*homep = &home;
	if (memory_fails())
		return -PORT_ENOMEM;
	memset(&home, 0, sizeof(home));
	home.listed = true;
	return 0;
}

bool sim_home_enter(void)
{
	sched_point(&home, SIM_CHANGES);
	home.walkers += home.listed;
	return home.listed;
}

void sim_home_leave(void)
{
	sched_point(&home, SIM_CHANGES);
	sim_sync_release(&home.left);
	if (!--home.walkers) {
		sched_wake(home.waiter);
		home.waiter = 0;
	}
}

void port_pool_detach(struct zs_pool *pool, void *unused)
{
	(void)pool;
	(void)unused;
	lock_may_sleep("port_pool_detach");
	sched_point(&home, SIM_CHANGES);
	home.listed = false;
	while (home.walkers) {
		home.waiter = 1u << sim.self;
		sim.runnable &= ~(1u << sim.self);
		sched_block();
	}
	sim_sync_acquire(&home.left);
}

void port_pool_forget(void *unused)
{
	(void)unused;
	sched_point(&home, SIM_CHANGES);
	home.shown = 0;
}

void port_pool_show_pending(void *unused, size_t pages)
{
	(void)unused;
	sched_point(&home, SIM_CHANGES);
	home.shown = pages;
}

size_t sim_home_shown(void)
{
	return home.shown;
}

void port_misuse(const char *pool, unsigned long handle, const char *call,
		 const char *what)
{
	(void)pool;
	sim_fail("misuse: %s(handle %lu): %s", call, handle, what);
}

void port_assert_failed(const char *expr, const char *file, int line);
void port_assert_failed(const char *expr, const char *file, int line)
{
	sim_fail("assertion: %s (%s:%d)", expr, file, line);
}
