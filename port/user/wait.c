/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Waiting for another thread. That thread may have been preempted, so after a short spin
 * the waiting thread offers it the CPU, and in the end gives the CPU up for a while.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <time.h>

#include "port.h"

enum {
	WAIT_SPINS = 100, /* pauses between two yields */
	WAIT_YIELDS = 64, /* yields before each sleep */
	WAIT_SLEEP_NS = 50 * 1000,
};

#ifdef PORT_USER_TSAN
u64 port_user_fence_word;
#endif

static void wait_pause(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield" ::: "memory");
#else
	__asm__ volatile("" ::: "memory");
#endif
}

/* One round of waiting; @round counts them. */
static void wait_round(unsigned int round)
{
	static const struct timespec nap = {.tv_nsec = WAIT_SLEEP_NS};

	if (round % WAIT_SPINS)
		wait_pause();
	else if (round / WAIT_SPINS % WAIT_YIELDS)
		sched_yield();
	else
		nanosleep(&nap, NULL);
}

PORT_NOINLINE void port_user_spin_wait(port_spinlock *lock)
{
	unsigned int round = 0;

	/* That this thread waits is left in the lock: port_user_lock_waited(). */
	while (__atomic_exchange_n(&lock->locked, PORT_USER_WAITED, __ATOMIC_ACQUIRE)) {
		while (__atomic_load_n(&lock->locked, __ATOMIC_RELAXED))
			wait_round(++round);
	}
}

void port_cpu_relax(void)
{
	static __thread unsigned int round;

	wait_round(++round);
}

/* The system takes the CPU away by itself, also in the middle of a slice. */
void port_yield(void)
{
}

void port_nap(void)
{
	const struct timespec some = {.tv_nsec = 1000 * 1000};

	nanosleep(&some, NULL);
}
