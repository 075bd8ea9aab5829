// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "crew.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "clock.h"

struct member {
	pthread_t thread;
	unsigned int number;
	uint64_t began;
	uint64_t ended;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned int threads;
	unsigned int started; /* of threads, besides the caller's */
	unsigned int phase; /* a new number: there is a job */
	unsigned int done; /* members, in this phase */
	bool over;
	void (*job)(void *arg, unsigned int member);
	void *arg;
	atomic_uint arrived; /* in all phases together */
	struct member member[CREW_MAX];
} crew = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* Being woken takes longer than some jobs: begin only when all are awake. */
static void await_others(unsigned int phase)
{
	atomic_fetch_add(&crew.arrived, 1);
	while (atomic_load(&crew.arrived) < phase * crew.threads)
		sched_yield();
}

static void do_job(struct member *m, unsigned int phase)
{
	await_others(phase);
	m->began = clock_ns(CLOCK_MONOTONIC);
	crew.job(crew.arg, m->number);
	m->ended = clock_ns(CLOCK_MONOTONIC);
}

/* Wait for phase @phase. False: there will be none. */
static bool await_phase(unsigned int phase)
{
	bool over;

	pthread_mutex_lock(&crew.lock);
	while (crew.phase < phase && !crew.over)
		pthread_cond_wait(&crew.changed, &crew.lock);
	over = crew.over;
	pthread_mutex_unlock(&crew.lock);
	return !over;
}

static void *member_main(void *arg)
{
	struct member *m = arg;

	for (unsigned int phase = 1; await_phase(phase); phase++) {
		do_job(m, phase);
		pthread_mutex_lock(&crew.lock);
		crew.done++;
		pthread_cond_broadcast(&crew.changed);
		pthread_mutex_unlock(&crew.lock);
	}
	return NULL;
}

enum outcome crew_start(unsigned int threads)
{
	crew.threads = threads;
	for (unsigned int i = 1; i < threads; i++) {
		int error;

		crew.member[i].number = i;
		error = pthread_create(&crew.member[i].thread, NULL, member_main,
				       &crew.member[i]);
		if (error) {
			crew_end();
			return fail("cannot start %u threads: %s", threads,
				    strerror(error));
		}
		crew.started = i;
	}
	return OK;
}

static struct crew_cost crew_account(void)
{
	struct crew_cost cost = {0};
	uint64_t began = UINT64_MAX;
	uint64_t ended = 0;

	for (unsigned int i = 0; i < crew.threads; i++) {
		const struct member *m = &crew.member[i];

		cost.busy_ns += m->ended - m->began;
		began = m->began < began ? m->began : began;
		ended = m->ended > ended ? m->ended : ended;
	}
	cost.wall_ns = ended - began;
	return cost;
}

struct crew_cost crew_run(void (*job)(void *arg, unsigned int member), void *arg)
{
	pthread_mutex_lock(&crew.lock);
	crew.job = job;
	crew.arg = arg;
	crew.done = 0;
	crew.phase++;
	pthread_cond_broadcast(&crew.changed);
	pthread_mutex_unlock(&crew.lock);
	do_job(&crew.member[0], crew.phase);
	pthread_mutex_lock(&crew.lock);
	while (crew.done < crew.threads - 1)
		pthread_cond_wait(&crew.changed, &crew.lock);
	pthread_mutex_unlock(&crew.lock);
	return crew_account();
}

void crew_end(void)
{
	pthread_mutex_lock(&crew.lock);
	crew.over = true;
	pthread_cond_broadcast(&crew.changed);
	pthread_mutex_unlock(&crew.lock);
	for (; crew.started; crew.started--)
		pthread_join(crew.member[crew.started].thread, NULL);
}
