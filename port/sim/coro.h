/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Coroutines: a stack each, switched without a system call where we know how
 * (x86-64), by ucontext elsewhere.
 */
#ifndef LETHE_SIM_CORO_H
#define LETHE_SIM_CORO_H

#include <stddef.h>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

struct coro {
#if defined(__x86_64__)
	void *sp;
#else
	ucontext_t context;
#endif
};

/* Have @c begin with @entry(), which never returns, on @stack of @size bytes. */
void coro_prepare(struct coro *c, void *stack, size_t size, void (*entry)(void));
/* Save what runs in @from, and go on with @to. */
void coro_switch(struct coro *from, struct coro *to);

#endif /* LETHE_SIM_CORO_H */
