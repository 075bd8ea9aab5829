// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Several processes exit at once, each on a CPU of its own, and drain threads, which have
 * CPUs too, free what they push. Time is the turns that the threads take side by side, so
 * it has the waits for each other's locks in it, but no cache misses: what a step costs
 * on a real machine is left to the benchmarks. See docs/performance-drain-threads.md.
 */
#include <stdio.h>

#include "growth.h"
#include "lethe/zsmalloc.h"

enum {
	EXITS_MAX = 5,
	THREADS_MAX = 4,
	OBJECTS = 480, /* of a process */
	SIZES = 4, /* of objects, each of a class with a lock of its own */
	POINT_NS = 840, /* a share of it is a whole number, for up to eight threads */
};

struct exits {
	enum zs_defer_policy policy;
	u32 nr;
	unsigned long handle[EXITS_MAX][OBJECTS];
	/* Since the exits began: until the last ended, and until all was freed */
	u64 gone_us, back_us;
};

static const size_t sizes[SIZES] = {640, 1024, 1400, 2048};
static struct zs_pool *pool;

static void exit_run(void *handles)
{
	const unsigned long *handle = handles;
	u32 i;

	for (i = 0; i < OBJECTS; i++) {
		sim_atomic_begin();
		zs_free_deferred(pool, handle[i]);
		sim_atomic_end();
	}
}

static void machine_run(void *arg)
{
	struct exits *e = arg;
	struct zs_pool_params params = {.policy = e->policy,
					.defer_budget = (size_t)2 * EXITS_MAX * OBJECTS};
	u64 begin;
	u32 i, p;

	if (zs_create_pool("growth", &params, &pool))
		sim_fail("no pool");
	for (p = 0; p < e->nr; p++) {
		for (i = 0; i < OBJECTS; i++) {
			e->handle[p][i] = zs_malloc(pool, sizes[i % SIZES]);
			if (zs_handle_error(e->handle[p][i]))
				sim_fail("no object");
		}
	}
	begin = sim_now_us();
	for (p = 0; p < e->nr; p++)
		sim_spawn(exit_run, e->handle[p], "exit");
	sim_join();
	e->gone_us = sim_now_us() - begin;
	sim_work_wait();
	e->back_us = sim_now_us() - begin;
	if (zs_deferred_pending(pool))
		sim_fail("frees are pending at the end");
	zs_destroy_pool(pool);
}

/* @nr exits at once, on a machine of so many drain threads. */
static bool exits_run(struct exits *e, enum zs_defer_policy policy, u32 nr, u32 threads)
{
	const struct sim_config config = {
		.source = SIM_PARALLEL,
		.seed = 1,
		.cpus = SIM_THREADS,
		.machine_cpus = threads * DEFER_CPUS_PER_THREAD,
		.point_ns = POINT_NS,
		.points_most = 100 * 1000 * 1000,
	};
	struct sim_result r;

	e->policy = policy;
	e->nr = nr;
	sim_run(&config, machine_run, e, &r);
	if (r.failed)
		printf("FAILED: growth, %u exits, %u drain threads: %s\n", nr, threads,
		       r.what);
	return !r.failed;
}

/* Print the line of @nr exits, and return whether all ran to their ends. */
static bool line_run(u32 nr, struct exits e[THREADS_MAX + 1])
{
	bool good = exits_run(&e[0], ZS_DEFER_SYNC, nr, 1);
	u32 threads;

	printf("%5u %9llu", nr, e[0].back_us);
	for (threads = 1; threads <= THREADS_MAX; threads++) {
		good &= exits_run(&e[threads], ZS_DEFER_TOMBSTONE, nr, threads);
		printf("   %7llu %7llu", e[threads].gone_us, e[threads].back_us);
	}
	printf("\n");
	return good;
}

static void check(const char *what, bool good, u32 *passed, u32 *failed)
{
	if (!good)
		printf("FAILED: growth: %s\n", what);
	*passed += good;
	*failed += !good;
}

void growth_run(u32 *passed, u32 *failed)
{
	static struct exits e[EXITS_MAX + 1][THREADS_MAX + 1];
	const struct exits *one = &e[1][1], *most = e[EXITS_MAX - 1];
	u64 slowest = 0;
	bool good = true;
	u32 nr, threads;

	printf("      frees at once   for each number of drain threads, 1 to 4:\n"
	       "exits      back      gone    back ... (us)\n");
	for (nr = 1; nr <= EXITS_MAX; nr++) {
		good &= line_run(nr, e[nr]);
		for (threads = 1; threads <= THREADS_MAX; threads++) {
			if (e[nr][threads].gone_us > slowest)
				slowest = e[nr][threads].gone_us;
		}
	}
	check("every run ends", good, passed, failed);
	check("an exit takes as long beside others, and beside drain threads",
	      slowest * 10 <= one->gone_us * 11, passed, failed);
	check("with one thread, memory is back the later the more exits there are",
	      most[1].back_us >= 3 * one->back_us, passed, failed);
	check("with a thread for each exit, it is back in twice the time of one",
	      most[EXITS_MAX - 1].back_us <= 2 * one->back_us, passed, failed);
}
