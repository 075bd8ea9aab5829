/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Threads are coroutines; this decides at each point which of them runs on. Time is
 * virtual; it passes a little at each point, and jumps when all are asleep.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "world.h"

struct sim_world sim;

static void decision_record(u32 value)
{
	struct sim_result *r = sim.result;

	if (!value)
		return;
	if (r->nr_decisions == SIM_DECISIONS_MAX) {
		r->too_many = true;
		return;
	}
	r->decisions[r->nr_decisions++] =
		(struct sim_decision){.at = sim.at, .value = value};
}

/* The decision that is to be replayed here. */
static u32 decision_given(void)
{
	const struct sim_config *c = &sim.config;

	while (sim.next_decision < c->nr_decisions &&
	       c->decisions[sim.next_decision].at < sim.at)
		sim.next_decision++;
	if (sim.next_decision < c->nr_decisions &&
	    c->decisions[sim.next_decision].at == sim.at)
		return c->decisions[sim.next_decision].value;
	return 0;
}

static u32 choose(u32 n, u32 in_256, bool stale)
{
	u32 value = 0;

	if (n < 2 || sim_quiet())
		return 0;
	sim.at++;
	if (sim.config.source == SIM_REPLAY)
		value = decision_given() % n;
	else if (sim.config.source == SIM_EXPLORE)
		value = stale || in_256
				? explore_choose(n, stale ? EXPLORE_STALE : EXPLORE_ODD)
				: 0;
	else if (sim.config.source != SIM_PARALLEL && (sim_random() & 255) < in_256)
		value = 1 + (u32)(sim_random() % (n - 1));
	decision_record(value);
	return value;
}

u32 sim_choose(u32 n, u32 in_256)
{
	return choose(n, in_256, false);
}

u32 sched_choose_store(u32 n)
{
	return choose(n, sim.config.stale_in_256, true);
}

/* ---- the next thread: 0 is the calling one, k the k-th runnable after it ---- */

static unsigned int thread_after(u32 k)
{
	unsigned int t = sim.self;

	while (k) {
		t = (t + 1) % SIM_THREADS;
		if (sim.runnable >> t & 1)
			k--;
	}
	return t;
}

static u32 others(void)
{
	return (u32)__builtin_popcount(sim.runnable & ~(1u << sim.self));
}

static u32 distance_to(unsigned int thread)
{
	u32 k = 0;
	unsigned int t = sim.self;

	while (t != thread) {
		t = (t + 1) % SIM_THREADS;
		k += sim.runnable >> t & 1;
	}
	return k;
}

static u32 most_urgent(void)
{
	unsigned int best = SIM_THREADS;
	u32 set;

	for (set = sim.runnable; set; set &= set - 1) {
		unsigned int t = port_ctz64(set);

		if (best == SIM_THREADS ||
		    sim.thread[t].priority > sim.thread[best].priority)
			best = t;
	}
	return distance_to(best);
}

static u32 points_to_next(void)
{
	u32 mean = sim.config.source == SIM_RANDOM
			   ? sim.config.switch_every
			   : sim.config.length / (sim.config.changes + 1) + 1;

	return 1 + (u32)(sim_random() % (2 * mean));
}

/*
 * Has another thread used @object, too, in this schedule? Where threads do not meet
 * there is little to be gained by a switch; it happens a few times more rarely.
 */
static bool is_met(const void *object, u32 *seldom)
{
	u8 *users = &sim.users[(uintptr_t)object * 2654435761u >> 16 & (SIM_USERS - 1)];

	*users |= (u8)(1u << sim.self);
	if (object && *users & (*users - 1))
		return true;
	return !(++*seldom % 8);
}

static u32 next_by_seed(bool forced, u32 n, const void *object)
{
	bool due = is_met(object, &sim.seldom) && !--sim.countdown;

	if (due)
		sim.countdown = points_to_next();
	if (sim.config.source == SIM_RANDOM) {
		if (!forced && (!due || !n))
			return 0;
		return 1 + (u32)(sim_random() % n);
	}
	if (due)
		sim_me()->priority = --sim.urgency_low;
	if (!due && !forced && !sim.reschedule)
		return 0;
	sim.reschedule = false;
	return most_urgent();
}

/* @forced: the calling thread cannot go on. */
static u32 choose_thread(bool forced, const void *object)
{
	u32 n = others();
	u32 k;

	sim.at++;
	switch (sim.config.source) {
	case SIM_REPLAY:
		k = decision_given();
		if (k > n)
			k = 0;
		break;
	case SIM_EXPLORE:
		k = 0;
		if (forced)
			k = 1 + explore_choose(n, EXPLORE_FREE);
		else if (n && explore_is_shared(object))
			k = explore_choose(n + 1, EXPLORE_PREEMPTION);
		break;
	case SIM_PARALLEL:
		k = n ? 1 : 0;
		break;
	default:
		k = next_by_seed(forced, n, object);
	}
	/* Where it must not be 0, 1 is the unremarkable one. */
	if (!forced) {
		decision_record(k);
		return k;
	}
	if (!k)
		k = 1;
	decision_record(k > 1 ? k : 0);
	return k;
}

static void switch_to(unsigned int next)
{
	struct sim_thread *from = sim_me();

	if (next == sim.self)
		return;
	sim.result->switches++;
	sim.self = next;
	coro_switch(&from->coro, &sim.thread[next].coro);
}

/* ---- time ---- */

static void wake_sleepers(void)
{
	u64 first = SIM_NEVER;
	u32 set;

	for (set = sim.alive; set; set &= set - 1) {
		unsigned int t = port_ctz64(set);

		if (sim.thread[t].wake <= sim.now) {
			sim.thread[t].wake = SIM_NEVER;
			sched_wake(1u << t);
		} else if (sim.thread[t].wake < first) {
			first = sim.thread[t].wake;
		}
	}
	sim.wake_first = first;
}

void sched_wake(u32 threads)
{
	sim.runnable |= threads;
	sim.reschedule = true;
}

void sched_wake_by(unsigned int thread, u64 time)
{
	struct sim_thread *t = &sim.thread[thread];

	if (sim.runnable >> thread & 1 || time >= t->wake)
		return;
	t->wake = time;
	if (time < sim.wake_first)
		sim.wake_first = time;
}

void sched_sleep_until(u64 time)
{
	struct sim_thread *me = sim_me();

	me->wake = time;
	if (time < sim.wake_first)
		sim.wake_first = time;
	sim.runnable &= ~(1u << sim.self);
	sched_block();
}

static void time_passes(void)
{
	if (++sim.result->points > sim.config.points_most)
		sim_fail("livelock: more than %llu steps", sim.config.points_most);
	if (sim.config.source == SIM_PARALLEL && sim.runnable)
		sim.now += sim.config.point_ns / (u32)__builtin_popcount(sim.runnable);
	else
		sim.now += sim.config.point_ns;
	if (unlikely(sim.wake_first <= sim.now))
		wake_sleepers();
}

void sched_point(const void *object, enum sim_use use)
{
	u32 k;

	if (sim_quiet()) {
		if (!sim.frozen)
			is_met(object, &sim.seldom);
		return;
	}
	time_passes();
	sim_me()->points++;
	explore_use(object, use);
	k = choose_thread(false, object);
	if (k)
		switch_to(thread_after(k));
}

static void fail_deadlock(void)
{
	char who[256] = "";
	u32 set;

	for (set = sim.alive & ~SIM_WORKERS; set; set &= set - 1) {
		size_t n = strlen(who);

		snprintf(who + n, sizeof(who) - n, " %s",
			 sim.thread[port_ctz64(set)].name);
	}
	sim_fail("deadlock: no thread can go on, of%s", who);
}

void sched_block(void)
{
	if (sim.frozen)
		sim_fail("an observer would have to wait");
	while (!sim.runnable) {
		if (sim.wake_first == SIM_NEVER)
			fail_deadlock();
		if (sim.now < sim.wake_first)
			sim.now = sim.wake_first;
		time_passes();
		wake_sleepers();
	}
	if (sim.runnable >> sim.self & 1 && !others())
		return;
	switch_to(thread_after(choose_thread(true, NULL)));
}

/* ---- beginning and end ---- */

static void thread_entry(void)
{
	struct sim_thread *me = sim_me();

	me->fn(me->arg);
	if (sim.self == 0) {
		coro_switch(&me->coro, &sim.host);
		__builtin_unreachable();
	}
	/* What it did happens before sim_join() returns. */
	clock_join(&sim.thread[0].hb, &me->hb);
	clock_join(&sim.thread[0].seen, &me->seen);
	sim.alive &= ~(1u << sim.self);
	sim.runnable &= ~(1u << sim.self);
	if (!(sim.alive & ~SIM_WORKERS & ~1u)) {
		sched_wake(sim.join_waiters);
		sim.join_waiters = 0;
	}
	sched_block();
	__builtin_unreachable();
}

enum { STACK_SIZE = 128 << 10 };
static char stacks[SIM_THREADS][STACK_SIZE] __attribute__((aligned(64)));

static void thread_prepare(unsigned int i, void (*fn)(void *), void *arg,
			   const char *name)
{
	struct sim_thread *t = &sim.thread[i];
	struct sim_clock hb = sim_me()->hb, seen = sim_me()->seen;

	*t = (struct sim_thread){.fn = fn, .arg = arg, .name = name, .wake = SIM_NEVER};
	t->hb = hb;
	t->seen = seen;
	t->hb.of[i]++;
	t->seen.of[i]++;
	t->loaded_hb = t->loaded_seen = t->fenced_hb = t->fenced_seen = t->hb;
	t->cpu = i % sim.config.cpus;
	t->priority = 1000 + (u32)(sim_random() % 1000);
	coro_prepare(&t->coro, stacks[i], STACK_SIZE, thread_entry);
	sim.alive |= 1u << i;
	sched_wake(1u << i);
}

void sched_start_worker(unsigned int thread)
{
	static const char *const names[SIM_NR_WORKERS] = {"worker 4", "worker 3",
							  "worker 2", "worker"};

	thread_prepare(thread, work_thread, NULL,
		       names[thread - (SIM_THREADS - SIM_NR_WORKERS)]);
}

unsigned int sim_spawn(void (*fn)(void *arg), void *arg, const char *name)
{
	unsigned int i = 1;

	if (sim.alone) {
		sim.alone = false;
		sim.watched = true;
		sched_start_worker(SIM_WORKER(0));
	}
	while (sim.alive >> i & 1)
		i++;
	if (SIM_WORKERS >> i & 1)
		sim_fail("too many threads");
	thread_prepare(i, fn, arg, name);
	sim_tick(sim_me());
	return i;
}

void sim_join(void)
{
	while (sim.alive & ~SIM_WORKERS & ~1u) {
		sim.join_waiters = 1;
		sim.runnable &= ~1u;
		sched_block();
	}
}

u64 sim_own_points(void)
{
	return sim_me()->points;
}

unsigned int sim_self(void)
{
	return sim.self;
}

static void world_begin(const struct sim_config *config, struct sim_result *result)
{
	static u32 base;
	static struct sim_decision decisions[SIM_DECISIONS_MAX];
	unsigned int i;

	/* Later than all that the last schedule has left. */
	for (i = 0; i < SIM_THREADS; i++) {
		if (sim.thread[i].hb.of[i] > base)
			base = sim.thread[i].hb.of[i];
	}
	base += 2;
	if (base >> (SIM_EPOCH_BITS - 1)) {
		plain_begin();
		base = 1;
	}
	memset(&sim, 0, offsetof(struct sim_world, host));
	sim.config = *config;
	sim.result = result;
	*result = (struct sim_result){.decisions = decisions};
	sim.base = base;
	sim.random = config->seed * 2654435769u + 88172645463325252ull;
	for (i = 0; i < 4; i++)
		sim_random();
	sim.now = 1000000;
	sim.wake_first = SIM_NEVER;
	sim.alone = true;
	sim.urgency_low = 1000;
	sim.countdown = points_to_next();
	for (i = 0; i < SIM_THREADS; i++) {
		sim.thread[0].hb.of[i] = base;
		sim.thread[0].seen.of[i] = base;
		sim.thread[i].wake = SIM_NEVER;
	}
	sim.fence = sim.thread[0].hb;
}

/* The core has gone where there is no memory. */
static void crashed(int signal, siginfo_t *info, void *context)
{
	(void)context;
	if (!sim.running)
		__builtin_trap();
	snprintf(sim.result->what, sizeof(sim.result->what),
		 "crash: signal %d in %s, address %p", signal, sim_me()->name,
		 info->si_addr);
	sim.result->failed = true;
	sim_note("FAILS: %s", sim.result->what);
	siglongjmp(sim.crash, 1);
}

static void crashes_catch(void)
{
	static char stack[STACK_SIZE];
	const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction action = {.sa_sigaction = crashed,
				   .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
	static bool done;

	if (done)
		return;
	done = true;
	sigaltstack(&alternate, NULL);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGFPE, &action, NULL);
}

void sim_run(const struct sim_config *config, void (*main_thread)(void *arg), void *arg,
	     struct sim_result *result)
{
	world_begin(config, result);
	memory_begin();
	atomic_begin();
	work_begin();
	trace_begin();
	thread_prepare(0, main_thread, arg, "main");
	crashes_catch();
	sim.running = true;
	if (!sigsetjmp(sim.crash, 0))
		coro_switch(&sim.host, &sim.thread[0].coro);
	sim.running = false;
}
