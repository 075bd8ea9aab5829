// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * /sys/kernel/debug/lethe/POOL/{deferred_free,stats}
 *
 * Not below debug/zsmalloc, where the kernel's zsmalloc has other files. A zram pool is
 * named after its device, as it is there. If the name is taken, ".1", ".2" and so on is
 * added.
 *
 * Lock order: dirs_lock, then debugfs' own. Reclaim takes neither of them, so
 * memory may be allocated under it.
 */
#include <linux/debugfs.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/time64.h>

#include <lethe/zsmalloc.h>

#include "debugfs.h"

static struct dentry *root;
static LIST_HEAD(dirs);
static DEFINE_MUTEX(dirs_lock); /* guards dirs, and names being unique */

static void show(struct seq_file *m, const char *key, u64 value)
{
	seq_printf(m, "%s: %llu\n", key, value);
}

static void show_cause(struct seq_file *m, const char *key, enum zs_flush_cause cause,
		       u64 value)
{
	seq_printf(m, "%s_%s: %llu\n", key, zs_flush_cause_name(cause), value);
}

static int deferred_free_show(struct seq_file *m, void *v)
{
	struct zs_pool_stats stats;
	unsigned int cause;

	zs_pool_stats(m->private, &stats);
	show(m, "pending", stats.pending);
	show(m, "capacity", stats.capacity);
	seq_printf(m, "policy: %s\n", zs_policy_name(stats.policy));
	show(m, "threshold", stats.threshold);
	show(m, "queued", stats.queued);
	show(m, "drained", stats.drained);
	show(m, "producer_drained", stats.producer_drained);
	show(m, "fallback", stats.fallback);
	/* Round up: it is an upper bound. */
	show(m, "oldest_age_ms", DIV_ROUND_UP_ULL(stats.oldest_age_ns, NSEC_PER_MSEC));
	show(m, "kicks", stats.kicks);
	show(m, "invalid", stats.invalid);
	for (cause = 0; cause < ZS_FLUSH_NR; cause++) {
		show_cause(m, "flushed", cause, stats.flushed[cause]);
		show_cause(m, "flushes", cause, stats.flushes[cause]);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(deferred_free);

static int stats_show(struct seq_file *m, void *v)
{
	struct zs_pool_stats stats;

	zs_pool_stats(m->private, &stats);
	show(m, "page_size", stats.page_size);
	show(m, "pages", stats.pages);
	show(m, "objects", stats.objects);
	show(m, "zspages", stats.zspages);
	show(m, "meta_bytes", stats.meta_bytes);
	show(m, "pages_compacted", stats.pages_compacted);
	show(m, "pages_moved", stats.pages_moved);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static bool name_taken(const char *name)
{
	struct pool_dir *dir;

	lockdep_assert_held(&dirs_lock);
	list_for_each_entry(dir, &dirs, node) {
		if (!strcmp(dir->name, name))
			return true;
	}
	return false;
}

/* Any string will do for a pool's name, but not for a directory's. */
static void choose_name(struct pool_dir *dir, const char *name)
{
	unsigned int twin = 0;
	int len;

	strscpy(dir->name, *name ? name : "pool", sizeof(dir->name) - 12);
	strreplace(dir->name, '/', '_');
	if (dir->name[0] == '.')
		dir->name[0] = '_';
	len = (int)strlen(dir->name);
	while (name_taken(dir->name))
		snprintf(dir->name + len, sizeof(dir->name) - len, ".%u", ++twin);
}

void pool_dir_add(struct pool_dir *dir, struct zs_pool *pool, const char *name)
{
	mutex_lock(&dirs_lock);
	choose_name(dir, name);
	list_add(&dir->node, &dirs);
	/* Without debugfs these return errors, which all of them accept. */
	dir->dentry = debugfs_create_dir(dir->name, root);
	debugfs_create_file("deferred_free", 0444, dir->dentry, pool,
			    &deferred_free_fops);
	debugfs_create_file("stats", 0444, dir->dentry, pool, &stats_fops);
	mutex_unlock(&dirs_lock);
}

void pool_dir_remove(struct pool_dir *dir)
{
	mutex_lock(&dirs_lock);
	debugfs_remove(dir->dentry);
	list_del(&dir->node);
	mutex_unlock(&dirs_lock);
}

void lethe_debugfs_init(void)
{
	root = debugfs_create_dir("lethe", NULL);
}

void lethe_debugfs_exit(void)
{
	debugfs_remove(root);
}
