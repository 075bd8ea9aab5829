/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* Fault injection: see fault.h. Always compiled in: one load an allocation. */
#include "fault.h"

bool user_fault_armed;

static port_spinlock fault_lock; /* innermost: guards what follows */
static unsigned int fault_sites;
static u64 fault_first; /* first and last call to fail, counted from 1 */
static u64 fault_last;
static u64 fault_seen;
static u64 fault_failed;

void user_fault_arm(unsigned int sites, u64 nth, u64 count)
{
	port_spin_lock(&fault_lock);
	fault_sites = sites;
	fault_first = nth;
	/* Saturate: a huge count means "for ever". */
	fault_last = count > ~0ull - nth ? ~0ull : nth + count - 1;
	fault_seen = 0;
	fault_failed = 0;
	__atomic_store_n(&user_fault_armed, true, __ATOMIC_RELAXED);
	port_spin_unlock(&fault_lock);
}

u64 user_fault_seen(void)
{
	u64 seen;

	port_spin_lock(&fault_lock);
	seen = fault_seen;
	port_spin_unlock(&fault_lock);
	return seen;
}

u64 user_fault_disarm(void)
{
	u64 failed;

	port_spin_lock(&fault_lock);
	__atomic_store_n(&user_fault_armed, false, __ATOMIC_RELAXED);
	fault_sites = 0;
	failed = fault_failed;
	port_spin_unlock(&fault_lock);
	return failed;
}

PORT_NOINLINE bool user_fault_fails_slow(unsigned int sites)
{
	bool fails = false;

	port_spin_lock(&fault_lock);
	if (fault_sites & sites) {
		fault_seen++;
		fails = fault_seen >= fault_first && fault_seen <= fault_last;
		fault_failed += fails;
	}
	port_spin_unlock(&fault_lock);
	return fails;
}
