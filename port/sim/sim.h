/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The simulator, as its user sees it: run a function and the threads that it
 * starts under a schedule, which is a sequence of decisions. A decision says
 * which thread runs on at a point of the port, which of several stores a load sees,
 * whether an allocation fails. 0 is always the decision in which nothing unusual happens.
 */
#ifndef LETHE_SIM_H
#define LETHE_SIM_H

#include "port.h"

/* What decides. */
enum sim_source {
	SIM_RANDOM, /* the seed: now and then another thread runs */
	SIM_PRIORITIES, /* the seed: the most urgent thread runs; urgency changes */
	SIM_REPLAY, /* given decisions; 0 where none is given */
	SIM_EXPLORE, /* each in turn: see explore.c */
	SIM_PARALLEL, /* each thread has a CPU: all that can run take turns, point by
			 point */
};

/* The decision @value, not 0, was taken as the @at-th. */
struct sim_decision {
	u32 at;
	u32 value;
};

enum { SIM_DECISIONS_MAX = 65536 };

/* The world of a schedule. */
struct sim_config {
	enum sim_source source;
	u64 seed;
	u32 switch_every; /* points between two switches, on average (SIM_RANDOM) */
	u32 changes; /* of urgency, in a schedule (SIM_PRIORITIES) */
	u32 length; /* points that a schedule is expected to have (the same) */
	u32 cpus; /* port_cpu_slots() */
	u32 machine_cpus; /* port_cpus(): there are as many drain threads as for these */
	u32 stale_in_256; /* how often a load that may be stale is */
	u32 fail_in_256; /* how often an allocation fails */
	u32 fail_nth; /* this one alone fails, counted from 1; 0: none */
	u32 migrate_in_256; /* how often a thread is on another CPU when it asks */
	u32 pages_most; /* there are no more pages than this; 0: no bound */
	u32 point_ns; /* time that passes at each point; of SIM_PARALLEL, in each turn */
	u32 work_lag_us; /* how late works run */
	bool reuse; /* freed memory is given out again at once */
	bool trace; /* keep what happens, for sim_trace_print() */
	u64 points_most; /* more than this is a livelock */
	/* SIM_REPLAY: */
	const struct sim_decision *decisions;
	size_t nr_decisions;
};

/* What came of it. */
struct sim_result {
	bool failed;
	char what[512]; /* the first failure */
	u64 points;
	u64 switches;
	/* All decisions that were not 0; fit for SIM_REPLAY unless too many. */
	struct sim_decision *decisions;
	size_t nr_decisions;
	bool too_many;
};

/* Run @main_thread(@arg) to its end, or to the first failure. */
void sim_run(const struct sim_config *config, void (*main_thread)(void *arg), void *arg,
	     struct sim_result *result);

/* ---- from within ---- */

/* Start a thread; returns its number. From the main thread only. */
unsigned int sim_spawn(void (*fn)(void *arg), void *arg, const char *name);
/* Wait for all that were started. */
void sim_join(void);
unsigned int sim_self(void);
/* Points that the calling thread has passed. */
u64 sim_own_points(void);
/* Pages that the calling thread has given back; and by its last but one port_yield(). */
u64 sim_own_pages(void);
u64 sim_own_pages_before(void);

/* End this schedule as a failure. */
void sim_fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* From here on the caller is in atomic context: the port checks what it calls. */
void sim_atomic_begin(void);
void sim_atomic_end(void);

/*
 * Look without being there: no time passes, no thread runs, loads see the newest,
 * locks are not taken. Only for what changes nothing.
 */
void sim_freeze(void);
void sim_thaw(void);

/* A lock's order without a lock: for what the model keeps apart by itself. */
struct sim_sync {
	struct sim_clock hb, seen;
};
void sim_sync_acquire(const struct sim_sync *s);
void sim_sync_release(struct sim_sync *s);

/*
 * Have @fn run at each port_yield() of the calling thread, as if another thread had got
 * the CPU there: what it does is not counted as the caller's own. NULL: no more.
 */
void sim_on_yield(void (*fn)(void));

/* A decision among 0 to @n - 1; not 0 in about @in_256 of 256 cases. */
u32 sim_choose(u32 n, u32 in_256);
/* A point at which another thread may run; for what is not a call of the port. */
void sim_point(const char *what, const void *object);
void sim_sleep_us(u64 us);

/*
 * As the home's reclaim does: the calling thread may use the pool from a true answer
 * until it leaves, and destruction waits for that.
 */
bool sim_home_enter(void);
void sim_home_leave(void);
/* Pages that the home shows as pending. */
size_t sim_home_shown(void);

/*
 * As the home does that wants the memory of a page: move the @which-th of those that have
 * an owner to another. False: there is none, or it cannot be moved now.
 */
bool sim_move_page(u32 which);

bool sim_work_running(void);
bool sim_work_busy(void); /* that, or scheduled */
void sim_work_wait(void); /* until it is not */
u64 sim_now_us(void);
size_t sim_meta_outstanding(void);
size_t sim_pages_outstanding(void);
/* May an allocation fail from here on, by decision or for want of pages? */
bool sim_may_fail(void);

/* CPU @cpu goes: no thread runs there until it is back. False: it is the last. */
bool sim_cpu_offline(unsigned int cpu);
void sim_cpu_online(unsigned int cpu);

/* ---- what happened ---- */

/* Note a step that is not one of the port. */
void sim_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/*
 * Names for addresses. Into @text, of @size bytes, put what @p is. False: unknown.
 * Called when the trace is kept.
 */
extern bool (*sim_describe)(const void *p, char *text, size_t size);
/*
 * The schedule as a table: the last @rows steps on what threads share, and notes; 0:
 * all steps.
 */
void sim_trace_print(size_t rows);

#endif /* LETHE_SIM_H */
