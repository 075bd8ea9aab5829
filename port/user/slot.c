/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * CPU slots in userspace. A thread may be preempted anywhere, so a slot cannot
 * belong to a CPU: it belongs to a thread, from its first port_cpu_get() until
 * it exits. That makes port_cpu_get() a load of a thread-local variable.
 *
 * There are SLOTS_OWNED slots to own. A thread that finds none left shares
 * SLOTS_SHARED more, one holder at a time, each taken with trylock for the length
 * of one section. So no thread waits while at most SLOTS_OWNED + SLOTS_SHARED
 * threads are inside a section; with more than that a thread yields the CPU
 * until one of the shared slots is let go. No finite number of slots can do
 * better.
 *
 * A thread whose slot was returned at exit may still free objects from a later
 * destructor: it then acquires a slot anew.
 */
#include <pthread.h>
#include <sched.h>

#include "port.h"

enum {
	SLOTS_OWNED = 112,
	SLOTS_SHARED = 16,
	SLOTS = SLOTS_OWNED + SLOTS_SHARED,
	OWNED_WORDS = (SLOTS_OWNED + 63) / 64,
};

__thread int port_user_slot __attribute__((tls_model("initial-exec"))) = -1;

/* The shared slot that this thread is in, if it owns none. */
static __thread unsigned int slot_shared;

static u64 slots_owned[OWNED_WORDS]; /* a set bit: owned by a thread */
static port_spinlock slots_shared[SLOTS_SHARED];

static pthread_once_t slot_once = PTHREAD_ONCE_INIT;
static pthread_key_t slot_key; /* value: 1 + the owned slot */
static bool slot_key_usable;

static void slot_disown(unsigned int slot)
{
	/* Release: what we left in the slot is for its next owner to see. */
	__atomic_fetch_and(&slots_owned[slot / 64], ~(1ull << (slot % 64)),
			   __ATOMIC_RELEASE);
}

static void slot_thread_exit(void *value)
{
	port_user_slot = -1;
	slot_disown((unsigned int)(uintptr_t)value - 1);
}

static void slot_init_once(void)
{
	slot_key_usable = pthread_key_create(&slot_key, slot_thread_exit) == 0;
}

/* Post: a slot's number with its bit set, or -1 if all are owned. */
static int slot_own(void)
{
	unsigned int slot;

	for (slot = 0; slot < SLOTS_OWNED; slot++) {
		u64 bit = 1ull << (slot % 64);
		u64 *word = &slots_owned[slot / 64];

		if (__atomic_load_n(word, __ATOMIC_RELAXED) & bit)
			continue;
		if (!(__atomic_fetch_or(word, bit, __ATOMIC_ACQUIRE) & bit))
			return (int)slot;
	}
	return -1;
}

static unsigned int slot_share(void)
{
	for (;;) {
		for (unsigned int i = 0; i < SLOTS_SHARED; i++) {
			if (port_spin_trylock(&slots_shared[i])) {
				slot_shared = i;
				return SLOTS_OWNED + i;
			}
		}
		sched_yield();
	}
}

PORT_NOINLINE unsigned int port_user_slot_get_slow(void)
{
	int slot;

	pthread_once(&slot_once, slot_init_once);
	slot = slot_key_usable ? slot_own() : -1;
	if (slot < 0)
		return slot_share();
	if (pthread_setspecific(slot_key, (void *)(uintptr_t)(slot + 1))) {
		/* It could not be returned at exit: do not own it. */
		slot_disown((unsigned int)slot);
		return slot_share();
	}
	port_user_slot = slot;
	return (unsigned int)slot;
}

PORT_NOINLINE void port_user_slot_put_slow(void)
{
	port_spin_unlock(&slots_shared[slot_shared]);
}

unsigned int port_cpu_slots(void)
{
	return SLOTS;
}
