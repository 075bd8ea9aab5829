// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * The lock of each CPU's slot.
 *
 * Lock order: a slot's lock is taken with no lock of the core held; a spinlock of
 * the core may be taken in it.
 */
#include "port.h"

DEFINE_PER_CPU(struct port_cpu, port_cpu) = {
	.lock = INIT_LOCAL_LOCK(lock),
};
