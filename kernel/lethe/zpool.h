/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The zpool driver, of kernels that have zpool.
 */
#ifndef LETHE_ZPOOL_H
#define LETHE_ZPOOL_H

#ifdef CONFIG_ZPOOL

/* Context of both: process context. */
void lethe_zpool_init(void);
/* Pre: no zpool of ours is left; each has a reference to the module. */
void lethe_zpool_exit(void);

#else

static inline void lethe_zpool_init(void)
{
}

static inline void lethe_zpool_exit(void)
{
}

#endif

#endif /* LETHE_ZPOOL_H */
