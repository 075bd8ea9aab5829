/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The simulator from within: the state of a schedule, shared by its parts.
 */
#ifndef LETHE_SIM_WORLD_H
#define LETHE_SIM_WORLD_H

#include <setjmp.h>

#include "clock.h"
#include "coro.h"
#include "sim.h"

#define SIM_USERS 4096
#define SIM_NEVER (~0ull)
/* They run works in turn: the last thread the first, fifth and so on. */
#define SIM_NR_WORKERS 4u
#define SIM_WORKER(n) (SIM_THREADS - 1 - (n) % SIM_NR_WORKERS)
#define SIM_WORKERS (((1u << SIM_NR_WORKERS) - 1) << (SIM_THREADS - SIM_NR_WORKERS))
#define SIM_EPOCH_BITS 28 /* of a time, in the shadow memory */

struct sim_thread {
	struct coro coro;
	/* See clock.h. */
	struct sim_clock hb, seen;
	/* Of the stores that relaxed loads have seen: joined by the next fence. */
	struct sim_clock loaded_hb, loaded_seen;
	/* As of the last fence: what a relaxed store carries. */
	struct sim_clock fenced_hb, fenced_seen;
	void (*fn)(void *arg);
	void *arg;
	const char *name;
	u64 points;
	void (*on_yield)(void); /* sim_on_yield()'s */
	u64 pages_given; /* back, */
	u64 pages_at_yield[2]; /* by its last two calls of port_yield() */
	u64 wake; /* SIM_NEVER, or when it is runnable again */
	u32 priority;
	unsigned int cpu;
	unsigned int locks; /* spinlocks held */
	unsigned int atomic; /* depth of sim_atomic_begin() */
	unsigned int no_preempt; /* depth of port_preempt_off() */
	bool in_slot;
	const void *stale_at; /* the atomic of which it saw an old value last, */
	unsigned int stale_times; /* so many times in a row */
	unsigned int stale_total;
};

struct sim_slot {
	bool held, offline;
	struct sim_clock hb, seen;
};

struct sim_world {
	struct sim_config config;
	struct sim_result *result;
	struct sim_thread thread[SIM_THREADS];
	unsigned int self;
	u32 alive, runnable; /* threads, a bit each */
	u32 slot_waiters;
	u32 join_waiters;
	u64 now;
	u64 wake_first; /* no thread is to be woken before */
	u32 at; /* decisions taken */
	u8 users[SIM_USERS]; /* threads that have used an object, by a hash */
	u32 seldom; /* points at which threads did not meet */
	u32 countdown; /* points until the next switch (SIM_RANDOM) */
	u32 urgency_low; /* the next lowest priority (SIM_PRIORITIES) */
	size_t next_decision; /* of config.decisions */
	bool running;
	bool alone; /* no other thread was started yet, or is left */
	bool frozen;
	bool watched; /* plain accesses are judged */
	bool reschedule;
	struct sim_clock fence; /* what full fences have made visible */
	u32 base; /* time at which this schedule began; never goes back */
	u64 random;
	u64 plain_accesses;
	struct sim_slot slot[SIM_THREADS];
	u32 stores; /* records in use */
	struct coro host;
	sigjmp_buf crash;
};

extern struct sim_world sim;

static inline struct sim_thread *sim_me(void)
{
	return &sim.thread[sim.self];
}

static inline bool sim_quiet(void)
{
	return sim.alone || sim.frozen;
}

static inline u64 sim_random(void)
{
	sim.random ^= sim.random << 13;
	sim.random ^= sim.random >> 7;
	sim.random ^= sim.random << 17;
	return sim.random * 0x2545f4914f6cdd1dull >> 16;
}

/* The own time goes on, so that what follows is not taken for what was released. */
static inline void sim_tick(struct sim_thread *t)
{
	t->hb.of[sim.self]++;
	t->seen.of[sim.self]++;
}

/* ---- sched.c ---- */

/* What an operation does to its object: additions do not disturb each other. */
enum sim_use { SIM_LOADS, SIM_ADDS, SIM_CHANGES };

/* Before each operation on @object: another thread may run. */
void sched_point(const void *object, enum sim_use use);
/* The calling thread is not runnable: run other threads until it is. */
void sched_block(void);
void sched_sleep_until(u64 time);
void sched_wake(u32 threads);
/* Have @thread, if asleep, wake at @time if that is earlier. */
void sched_wake_by(unsigned int thread, u64 time);
/* A SIM_WORKER(), which is not there yet. */
void sched_start_worker(unsigned int thread);
/* Which of @n stores a load sees; 0: the newest. */
u32 sched_choose_store(u32 n);

/* ---- explore.c ---- */

/* What bound a choice other than 0 counts against. */
enum explore_kind { EXPLORE_FREE, EXPLORE_PREEMPTION, EXPLORE_STALE, EXPLORE_ODD };

/* The next of @n choices. */
u32 explore_choose(u32 n, enum explore_kind kind);
/* Do several threads use @object? If not, no other need run before its uses. */
bool explore_is_shared(const void *object);
/* The calling thread uses @object. */
void explore_use(const void *object, enum sim_use use);

/* ---- memory.c, plain.c ---- */

void memory_begin(void);
/* Must this allocation fail? */
bool memory_fails(void);
/* Fails if there is memory that was freed at @p, or none. */
void memory_check(const void *p, const char *how);
/* A block begins to be, or is no more, or is the gap between two. */
void plain_allocated(const void *p, size_t size, bool reused);
void plain_freed(const void *p, size_t size);
void plain_gap(const void *p, size_t size);
void plain_begin(void);
/* Atomics and locks are not plain, but may lie in memory that is gone, too. */
void plain_check_alive(const void *p);

#define MEMORY_SIZE ((size_t)16 << 20)
extern char *memory_arena;

static inline bool memory_has(const void *p)
{
	return (size_t)((const char *)p - memory_arena) < MEMORY_SIZE;
}

/* ---- atomic.c, work.c, trace.c ---- */

void atomic_begin(void);
/* Fails if the calling thread must not sleep. */
void lock_may_sleep(const char *call);
void work_begin(void);
void work_thread(void *unused);
void trace_begin(void);
void trace_step(const char *what, const void *object, u64 a, u64 b);

/* What the current thread did, once it is done. */
#define TRACE(what, object, a, b)                                                        \
	do {                                                                             \
		if (unlikely(sim.config.trace) && !sim_quiet())                          \
			trace_step(what, object, a, b);                                  \
	} while (0)

#endif /* LETHE_SIM_WORLD_H */
