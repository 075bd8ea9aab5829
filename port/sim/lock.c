/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Spinlocks and CPU slots: a thread that waits is not runnable. The core nests no locks
 * (core/README.md), which is checked here, as is what may not be done inside.
 */
#include "world.h"

void lock_may_sleep(const char *call)
{
	const struct sim_thread *t = sim_me();

	if (t->locks)
		sim_fail("%s() with a spinlock held", call);
	if (t->in_slot)
		sim_fail("%s() inside a CPU slot", call);
	if (t->atomic)
		sim_fail("%s() in atomic context", call);
	if (t->no_preempt)
		sim_fail("%s() with preemption off", call);
	if (sim.frozen)
		sim_fail("%s() by an observer", call);
}

static void lock_take(port_spinlock *lock)
{
	struct sim_thread *t = sim_me();

	lock->holder = sim.self + 1;
	t->locks++;
	clock_join(&t->hb, &lock->hb);
	clock_join(&t->seen, &lock->seen);
}

static void lock_check(port_spinlock *lock)
{
	plain_check_alive(lock);
	if (lock->holder == sim.self + 1)
		sim_fail("a spinlock is taken by its holder");
	if (sim_me()->locks)
		sim_fail("two spinlocks are held at once");
	if (sim_me()->no_preempt)
		sim_fail("a spinlock is taken with preemption off");
}

void port_spin_init(port_spinlock *lock)
{
	*lock = (port_spinlock){0};
}

void port_spin_lock(port_spinlock *lock)
{
	if (sim.frozen)
		return;
	sched_point(lock, SIM_CHANGES);
	lock_check(lock);
	while (lock->holder) {
		TRACE("lock: waits", lock, lock->holder - 1, 0);
		lock->waiters |= 1u << sim.self;
		sim.runnable &= ~(1u << sim.self);
		sched_block();
		plain_check_alive(lock);
	}
	lock_take(lock);
	TRACE("lock", lock, 0, 0);
}

bool port_spin_trylock(port_spinlock *lock)
{
	sched_point(lock, SIM_CHANGES);
	lock_check(lock);
	if (lock->holder) {
		TRACE("trylock: held", lock, 0, 0);
		return false;
	}
	lock_take(lock);
	TRACE("trylock", lock, 0, 0);
	return true;
}

void port_spin_unlock(port_spinlock *lock)
{
	struct sim_thread *t = sim_me();

	if (sim.frozen)
		return;
	sched_point(lock, SIM_CHANGES);
	plain_check_alive(lock);
	if (lock->holder != sim.self + 1)
		sim_fail("a spinlock is released by a thread that does not hold it");
	lock->holder = 0;
	t->locks--;
	lock->hb = t->hb;
	lock->seen = t->seen;
	sim_tick(t);
	sched_wake(lock->waiters);
	lock->waiters = 0;
	TRACE("unlock", lock, 0, 0);
}

/* ---- CPU slots: the next thread on a CPU comes after the one before it ---- */

unsigned int port_cpus(void)
{
	return sim.config.machine_cpus;
}

unsigned int port_cpu_slots(void)
{
	return sim.config.cpus;
}

static bool slot_is_free(unsigned int cpu)
{
	return !sim.slot[cpu].held && !sim.slot[cpu].offline;
}

/* Where this thread is now: where it was, or elsewhere. cpus: nowhere. */
static unsigned int slot_find(void)
{
	unsigned int n = sim.config.cpus;
	unsigned int from = sim_me()->cpu;
	unsigned int i;

	from += sim_choose(n, sim.config.migrate_in_256);
	for (i = 0; i < n; i++) {
		if (slot_is_free((from + i) % n))
			return (from + i) % n;
	}
	return n;
}

unsigned int port_cpu_get(void)
{
	struct sim_thread *t = sim_me();
	unsigned int cpu;

	if (sim.frozen)
		sim_fail("an observer takes a CPU slot");
	if (t->in_slot)
		sim_fail("port_cpu_get() inside a CPU slot");
	if (t->no_preempt)
		sim_fail("port_cpu_get() with preemption off");
	sched_point(&sim.slot[t->cpu], SIM_CHANGES);
	while ((cpu = slot_find()) == sim.config.cpus) {
		sim.slot_waiters |= 1u << sim.self;
		sim.runnable &= ~(1u << sim.self);
		sched_block();
	}
	t->cpu = cpu;
	t->in_slot = true;
	sim.slot[cpu].held = true;
	clock_join(&t->hb, &sim.slot[cpu].hb);
	clock_join(&t->seen, &sim.slot[cpu].seen);
	TRACE("on CPU", NULL, cpu, 0);
	return cpu;
}

void port_cpu_put(void)
{
	struct sim_thread *t = sim_me();
	struct sim_slot *slot = &sim.slot[t->cpu];

	if (!t->in_slot)
		sim_fail("port_cpu_put() outside of a CPU slot");
	t->in_slot = false;
	slot->held = false;
	slot->hb = t->hb;
	slot->seen = t->seen;
	sim_tick(t);
	sched_wake(sim.slot_waiters);
	sim.slot_waiters = 0;
}

/* Each thread has a CPU here: only what may be done with preemption off is checked. */
void port_preempt_off(void)
{
	sim_me()->no_preempt++;
}

void port_preempt_on(void)
{
	struct sim_thread *t = sim_me();

	if (!t->no_preempt)
		sim_fail("port_preempt_on() without port_preempt_off()");
	t->no_preempt--;
}

static unsigned int cpus_online(void)
{
	unsigned int i, online = 0;

	for (i = 0; i < sim.config.cpus; i++)
		online += !sim.slot[i].offline;
	return online;
}

bool sim_cpu_offline(unsigned int cpu)
{
	/* The thread on it cannot be preempted there. */
	while (sim.slot[cpu].held) {
		sim.slot_waiters |= 1u << sim.self;
		sim.runnable &= ~(1u << sim.self);
		sched_block();
	}
	if (cpus_online() < 2 || sim.slot[cpu].offline)
		return false;
	sim.slot[cpu].offline = true;
	return true;
}

void sim_cpu_online(unsigned int cpu)
{
	sim.slot[cpu].offline = false;
	sched_wake(sim.slot_waiters);
	sim.slot_waiters = 0;
}

/* ---- contexts and the model's own order ---- */

void sim_atomic_begin(void)
{
	sim_me()->atomic++;
}

void sim_atomic_end(void)
{
	sim_me()->atomic--;
}

void sim_freeze(void)
{
	sim.frozen = true;
}

void sim_thaw(void)
{
	sim.frozen = false;
}

void sim_sync_acquire(const struct sim_sync *s)
{
	clock_join(&sim_me()->hb, &s->hb);
	clock_join(&sim_me()->seen, &s->seen);
}

void sim_sync_release(struct sim_sync *s)
{
	struct sim_thread *t = sim_me();

	clock_join(&s->hb, &t->hb);
	clock_join(&s->seen, &t->seen);
	sim_tick(t);
}
