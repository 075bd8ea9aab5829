/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* The rest of the contract: copies, time, memory size, diagnostics, publication. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fault.h"

void port_user_copy(void *dst, const void *src, size_t len)
{
	memcpy(dst, src, len);
}

u64 port_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000000ull + (u64)ts.tv_nsec;
}

size_t port_memory_pages(void)
{
	long pages = sysconf(_SC_PHYS_PAGES);
	long size = sysconf(_SC_PAGESIZE);
	size_t ours;

	if (pages <= 0 || size <= 0)
		return 1;
	ours = (size_t)pages * (size_t)size >> PORT_PAGE_SHIFT;
	return ours ? ours : 1;
}

static unsigned int pretended_cpus;

void user_pretend_cpus(unsigned int cpus)
{
	pretended_cpus = cpus;
}

unsigned int port_cpus(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	if (pretended_cpus)
		return pretended_cpus;
	return n > 0 ? (unsigned int)n : 1;
}

/* Nothing to publish a pool to; the call is there for tests to make it fail. */
int port_pool_attach(struct zs_pool *pool, const char *name, void **home)
{
	(void)pool;
	(void)name;
	*home = NULL;
	return user_fault_fails(USER_FAULT_ATTACH) ? -PORT_ENOMEM : 0;
}

void port_pool_detach(struct zs_pool *pool, void *home)
{
	(void)pool;
	(void)home;
}

void port_pool_forget(void *home)
{
	(void)home;
}

void port_pool_show_pending(void *home, size_t pages)
{
	(void)home;
	(void)pages;
}

#ifdef LETHE_DEBUG
void port_misuse(const char *pool, unsigned long handle, const char *call,
		 const char *what)
{
	fprintf(stderr, "lethe: pool %s: %s(handle %lu): %s\n", pool, call, handle, what);
	abort();
}

void port_assert_failed(const char *expr, const char *file, int line)
{
	fprintf(stderr, "lethe: %s:%d: assertion failed: %s\n", file, line, expr);
	abort();
}
#else
void port_misuse(const char *pool, unsigned long handle, const char *call,
		 const char *what)
{
	(void)pool;
	(void)handle;
	(void)call;
	(void)what;
}
#endif
