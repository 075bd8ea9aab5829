// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Misuse of the API. A kernel does not stop for it: the core has refused the
 * call already, so a debug build warns with a stack trace and goes on.
 */
#define pr_fmt(fmt) "lethe: " fmt

#include <linux/bug.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>

#include "port.h"

void port_misuse(const char *pool, unsigned long handle, const char *call,
		 const char *what)
{
#ifdef LETHE_DEBUG
	WARN(1, "lethe: pool %s, handle %#lx, %s(): %s\n", pool, handle, call, what);
#else
	pr_err_ratelimited("pool %s, handle %#lx, %s(): %s\n", pool, handle, call, what);
#endif
}

#ifdef LETHE_DEBUG
void port_assert_failed(const char *expr, const char *file, int line)
{
	WARN(1, "lethe: %s:%d: assertion failed: %s\n", file, line, expr);
}
#endif
