/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * What debugfs shows of each pool. Best effort: a pool works without it.
 */
#ifndef LETHE_DEBUGFS_H
#define LETHE_DEBUGFS_H

#include <linux/types.h>

struct dentry;
struct zs_pool;

/* A pool's directory. */
struct pool_dir {
	struct list_head node;
	struct dentry *dentry;
	char name[48];
};

/* Context of all: process context. */
void pool_dir_add(struct pool_dir *dir, struct zs_pool *pool, const char *name);
/* Waits for those reading the directory's files. */
void pool_dir_remove(struct pool_dir *dir);

void lethe_debugfs_init(void);
void lethe_debugfs_exit(void);

#endif /* LETHE_DEBUGFS_H */
