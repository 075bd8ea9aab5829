/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The memory model of the atomics: what C11 allows, less loads that see stores
 * which have not been executed yet.
 *
 * The stores of an atomic are kept, newest first. A load may see any of them
 * that is not older than one its thread knows of: by its own doing, by what it
 * has acquired, by full fences, or because one of those it knows of has read it.
 * A release store carries the clocks of its thread, a relaxed one what they were
 * at the last fence; an acquiring load joins them, a relaxed load leaves them to
 * the next fence. A read-modify-write sees the newest and carries on what that
 * carried. Full fences are ordered among themselves: each joins what those before
 * it knew (sim.fence), as far as `seen` goes.
 */
#include "world.h"

struct store {
	u64 value;
	u32 older; /* record, 0: none */
	u32 time; /* of the thread that stored */
	u32 thread;
	struct sim_clock hb, seen; /* what it carries */
	struct sim_clock read_at; /* times of the threads that read it first; 0: never */
};

enum {
	STORES_MAX = 1 << 17,
	STALE_TIMES_MAX = 3, /* in a row, of one atomic: stores do arrive */
	STALE_TOTAL_MAX = 300, /* of a thread */
	CANDIDATES_MAX = 8,
};

static struct store stores[STORES_MAX];

void atomic_begin(void)
{
	sim.stores = 0;
}

static bool store_is_known(const struct store *s, const struct sim_thread *t)
{
	unsigned int i;

	if (t->seen.of[s->thread] >= s->time)
		return true;
	for (i = 0; i < SIM_THREADS; i++) {
		if (s->read_at.of[i] && t->seen.of[i] >= s->read_at.of[i])
			return true;
	}
	return false;
}

/* The record that a load by this thread sees; 0: what was there from the start. */
static u32 store_choose(const port_atomic *a, struct sim_thread *t)
{
	u32 may[CANDIDATES_MAX];
	u32 n = 0;
	u32 i = a->store;
	u32 pick;

	for (;;) {
		may[n++] = i;
		if (!i || n == CANDIDATES_MAX || store_is_known(&stores[i], t))
			break;
		i = stores[i].older;
	}
	if (n == 1)
		return may[0];
	if (t->stale_at != a) {
		t->stale_at = a;
		t->stale_times = 0;
	}
	if (t->stale_times >= STALE_TIMES_MAX || t->stale_total >= STALE_TOTAL_MAX)
		return may[0];
	pick = sched_choose_store(n);
	if (pick) {
		t->stale_times++;
		t->stale_total++;
	}
	return may[pick];
}

static u64 atomic_load(port_atomic *a, bool acquire, const char *what)
{
	struct sim_thread *t;
	struct store *s;
	u64 value = a->newest;
	u32 i;

	sched_point(a, SIM_LOADS);
	if (sim_quiet())
		return value;
	plain_check_alive(a);
	value = a->newest;
	if (!a->store) {
		TRACE(what, a, value, 0);
		return value;
	}
	t = sim_me();
	i = store_choose(a, t);
	if (!i) {
		/* Before the first store that was recorded: see store_add(). */
		sim_fail("the simulator lost a store");
	}
	s = &stores[i];
	if (!s->read_at.of[sim.self])
		s->read_at.of[sim.self] = t->hb.of[sim.self];
	clock_join(acquire ? &t->hb : &t->loaded_hb, &s->hb);
	clock_join(acquire ? &t->seen : &t->loaded_seen, &s->seen);
	TRACE(i == a->store ? what : "load an old value", a, s->value, 0);
	return s->value;
}

static struct store *store_record(u64 value, u32 thread, u32 time, u32 older)
{
	struct store *s;

	if (++sim.stores == STORES_MAX)
		sim_fail("livelock: too many stores");
	s = &stores[sim.stores];
	s->value = value;
	s->older = older;
	s->time = time;
	s->thread = thread;
	s->read_at = (struct sim_clock){0};
	return s;
}

/* What was there from the start becomes a record, known to all. */
static void store_first(port_atomic *a)
{
	struct store *s = store_record(a->newest, 0, 0, 0);

	s->hb = s->seen = (struct sim_clock){0};
	a->store = sim.stores;
}

/* Add a store of @value that carries on what @from carries, if that is not 0. */
static void store_add(port_atomic *a, u64 value, bool release, u32 from)
{
	struct sim_thread *t = sim_me();
	struct store *s;

	if (!a->store)
		store_first(a);
	s = store_record(value, sim.self, t->hb.of[sim.self], a->store);
	s->hb = release ? t->hb : t->fenced_hb;
	s->seen = release ? t->seen : t->fenced_seen;
	if (from) {
		clock_join(&s->hb, &stores[from].hb);
		clock_join(&s->seen, &stores[from].seen);
	}
	a->newest = value;
	a->store = sim.stores;
	if (release)
		sim_tick(t);
}

/* Where there is only one thread: store, and forget the history. */
static bool modify_simply(port_atomic *a, u64 value)
{
	if (!sim_quiet())
		return false;
	if (sim.frozen)
		sim_fail("an observer stores");
	sched_point(a, SIM_CHANGES); /* to note the use */
	a->newest = value;
	a->store = 0;
	return true;
}

static void atomic_store(port_atomic *a, u64 value, bool release, const char *what)
{
	if (modify_simply(a, value))
		return;
	sched_point(a, SIM_CHANGES);
	plain_check_alive(a);
	store_add(a, value, release, 0);
	TRACE(what, a, value, 0);
}

static void fence(void)
{
	struct sim_thread *t = sim_me();

	clock_join(&t->hb, &t->loaded_hb);
	clock_join(&t->seen, &t->loaded_seen);
	clock_join(&t->seen, &sim.fence);
	sim.fence = t->seen;
	t->fenced_hb = t->hb;
	t->fenced_seen = t->seen;
	sim_tick(t);
}

enum order { ORDER_RELAXED, ORDER_ACQUIRE, ORDER_RELEASE, ORDER_FULL };

/* Read the newest, to modify it by store_modified(). Post: the value. */
static u64 load_to_modify(port_atomic *a, enum sim_use use)
{
	sched_point(a, use);
	plain_check_alive(a);
	return a->newest;
}

static void join_newest(port_atomic *a, bool acquire)
{
	struct sim_thread *t = sim_me();
	struct store *s = &stores[a->store];

	if (!a->store)
		return;
	if (!s->read_at.of[sim.self])
		s->read_at.of[sim.self] = t->hb.of[sim.self];
	clock_join(acquire ? &t->hb : &t->loaded_hb, &s->hb);
	clock_join(acquire ? &t->seen : &t->loaded_seen, &s->seen);
}

static void store_modified(port_atomic *a, u64 value, enum order order)
{
	if (order == ORDER_FULL)
		fence();
	join_newest(a, order == ORDER_ACQUIRE || order == ORDER_FULL);
	store_add(a, value, order == ORDER_RELEASE || order == ORDER_FULL, a->store);
	if (order == ORDER_FULL)
		fence();
}

static bool atomic_cmpxchg(port_atomic *a, u64 *old, u64 value, enum order order,
			   const char *what)
{
	u64 found;

	if (sim_quiet()) {
		found = a->newest;
		if (found == *old)
			return modify_simply(a, value);
		*old = found;
		return false;
	}
	found = load_to_modify(a, SIM_CHANGES);
	if (found != *old) {
		join_newest(a, false);
		TRACE("compare: another", a, found, *old);
		*old = found;
		return false;
	}
	store_modified(a, value, order);
	TRACE(what, a, found, value);
	return true;
}

/* ---- the port ---- */

/* Reading leaves a trace in the records only; the contract's const is kept. */
static port_atomic *not_const(const port_atomic *a)
{
	union {
		const port_atomic *in;
		port_atomic *out;
	} u = {.in = a};

	return u.out;
}

u64 port_atomic_load(const port_atomic *a)
{
	return atomic_load(not_const(a), false, "load");
}

u64 port_atomic_load_acquire(const port_atomic *a)
{
	return atomic_load(not_const(a), true, "load acquire");
}

/* Taken for an acquire: what depends on the value is not told from the rest. */
u64 port_atomic_load_consume(const port_atomic *a)
{
	return atomic_load(not_const(a), true, "load consume");
}

void port_atomic_store(port_atomic *a, u64 v)
{
	atomic_store(a, v, false, "store");
}

void port_atomic_store_release(port_atomic *a, u64 v)
{
	atomic_store(a, v, true, "store release");
}

void port_atomic_add(port_atomic *a, u64 v)
{
	u64 old;

	if (modify_simply(a, a->newest + v))
		return;
	old = load_to_modify(a, SIM_ADDS);
	store_modified(a, old + v, ORDER_RELAXED);
	TRACE("add", a, old, old + v);
}

u64 port_atomic_sub_return_release(port_atomic *a, u64 v)
{
	u64 old;

	if (modify_simply(a, a->newest - v))
		return a->newest;
	old = load_to_modify(a, SIM_CHANGES);
	store_modified(a, old - v, ORDER_RELEASE);
	TRACE("subtract release", a, old, old - v);
	return old - v;
}

u64 port_atomic_xchg(port_atomic *a, u64 v)
{
	u64 old = a->newest;

	if (modify_simply(a, v))
		return old;
	old = load_to_modify(a, SIM_CHANGES);
	store_modified(a, v, ORDER_FULL);
	TRACE("exchange", a, old, v);
	return old;
}

void port_atomic_or(port_atomic *a, u64 bits)
{
	u64 old;

	if (modify_simply(a, a->newest | bits))
		return;
	old = load_to_modify(a, SIM_CHANGES);
	store_modified(a, old | bits, ORDER_FULL);
	TRACE("or", a, old, old | bits);
}

void port_atomic_and(port_atomic *a, u64 bits)
{
	u64 old;

	if (modify_simply(a, a->newest & bits))
		return;
	old = load_to_modify(a, SIM_CHANGES);
	store_modified(a, old & bits, ORDER_FULL);
	TRACE("and", a, old, old & bits);
}

bool port_atomic_test_and_set_bit(port_atomic *a, unsigned int bit)
{
	u64 mask = 1ull << bit;
	u64 old = a->newest;

	if (modify_simply(a, old | mask))
		return old & mask;
	old = load_to_modify(a, SIM_CHANGES);
	store_modified(a, old | mask, ORDER_FULL);
	TRACE("set bit", a, old, old | mask);
	return old & mask;
}

bool port_atomic_cmpxchg_acquire(port_atomic *a, u64 *old, u64 new_value)
{
	return atomic_cmpxchg(a, old, new_value, ORDER_ACQUIRE, "swap acquire");
}

bool port_atomic_cmpxchg(port_atomic *a, u64 *old, u64 new_value)
{
	return atomic_cmpxchg(a, old, new_value, ORDER_FULL, "swap");
}

void port_atomic_fence(void)
{
	if (sim_quiet())
		return;
	sched_point(&sim.fence, SIM_CHANGES);
	fence();
	TRACE("fence", NULL, 0, 0);
}

void port_counter_add(port_atomic *a, u64 v)
{
	port_atomic_store(a, port_atomic_load(a) + v);
}
