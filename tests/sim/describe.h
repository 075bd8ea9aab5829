/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* Names for what the core works on, so that a schedule can be read. */
#ifndef LETHE_SIM_DESCRIBE_H
#define LETHE_SIM_DESCRIBE_H

struct zs_pool;

/* What addresses are to be named by; NULL: none. */
void describe_pool(struct zs_pool *pool);

#endif /* LETHE_SIM_DESCRIBE_H */
