/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * For tests: make a chosen allocation of the userspace home fail, and ask what
 * is still allocated. One injection at a time, for the whole process.
 */
#ifndef LETHE_USER_FAULT_H
#define LETHE_USER_FAULT_H

#include "port.h"

/* What can be made to fail; values are bits. */
enum user_fault_site {
	USER_FAULT_PAGES = 1, /* port_pages_alloc() */
	USER_FAULT_META = 2, /* port_meta_alloc() */
	USER_FAULT_WORK = 4, /* port_work_init() */
	USER_FAULT_ATTACH = 8, /* port_pool_attach() */
	USER_FAULT_ANY = 15, /* of the above */
	USER_FAULT_CPU = 16, /* port_cpu_contended(), which says yes then */
	USER_FAULT_WAITS = 32, /* an allocation with PORT_ALLOC_WAIT, of either kind */
	USER_FAULT_RESERVES = 64, /* the same with PORT_ALLOC_RESERVES */
};

/* For pools created from now on, the machine has @cpus CPUs; 0: as it is. */
void user_pretend_cpus(unsigned int cpus);

/*
 * user_fault_arm() - from now on fail calls of @sites: the @nth, counted
 * from 1, and the @count - 1 after it. Arming again starts a new count.
 */
void user_fault_arm(unsigned int sites, u64 nth, u64 count);

/* Calls of the armed sites since then, failed or not. */
u64 user_fault_seen(void);

/* Stop failing and counting. Post: how many allocations were made to fail. */
u64 user_fault_disarm(void);

/* Bytes of port_meta_alloc(), and pages of port_pages_alloc(), not yet freed. */
size_t user_meta_outstanding(void);
size_t user_pages_outstanding(void);

/* Free pages that the home keeps for reuse. */
size_t user_pages_retained(void);

/* ---- for the home itself ---- */

extern bool user_fault_armed;
bool user_fault_fails_slow(unsigned int sites);

/* Post: whether the caller, a call of any of @sites, must fail. */
static inline bool user_fault_fails(unsigned int sites)
{
	return unlikely(__atomic_load_n(&user_fault_armed, __ATOMIC_RELAXED)) &&
	       user_fault_fails_slow(sites);
}

/* The same of an allocation. */
static inline bool user_fault_fails_alloc(enum user_fault_site site, enum port_alloc how)
{
	unsigned int sites = site;

	if (how == PORT_ALLOC_WAIT)
		sites |= USER_FAULT_WAITS;
	else if (how == PORT_ALLOC_RESERVES)
		sites |= USER_FAULT_RESERVES;
	return user_fault_fails(sites);
}

#endif /* LETHE_USER_FAULT_H */
