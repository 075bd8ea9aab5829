/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* What the system is told about memory: bring it in, take it back. */
#ifndef LETHE_USER_ADVISE_H
#define LETHE_USER_ADVISE_H

#include "port.h"

struct iovec;

/*
 * Give the memory of @n pieces back to the system; it reads as zero afterwards.
 * Where advise_takes_many(), with one system call for all of them.
 */
void advise_discard(const struct iovec *piece, unsigned int n);

/*
 * Does one call discard many pieces? With another thread running, a call costs
 * 18 us in a virtual machine, whatever its size, as that thread's CPU is told:
 * one for each page would cost more than all else that freeing does.
 */
bool advise_takes_many(void);

/* Make @size bytes at @p resident. Post: whether they are; if not, do not ask again. */
bool advise_populate(void *p, size_t size);

#endif /* LETHE_USER_ADVISE_H */
