/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Pending frees and fragmentation are given back when memory is short.
 */
#ifndef LETHE_RECLAIM_H
#define LETHE_RECLAIM_H

/* Context of both: process context. lethe_reclaim_init(): 0 or a negative errno. */
int lethe_reclaim_init(void);
void lethe_reclaim_exit(void);

#endif /* LETHE_RECLAIM_H */
