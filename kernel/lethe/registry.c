// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * The pools that exist.
 *
 * Lock order: pools_lock is a leaf, held for a few instructions, never while reclaim
 * works on a pool. So an allocation that creates or destroys a pool may enter reclaim
 * (shrinker, OOM notifier) without a deadlock. Destruction waits for reclaim to leave
 * its pool; reclaim waits for no task.
 */
#include <linux/errno.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/vmstat.h>
#include <linux/wait.h>

#include "port.h"

#include "debugfs.h"
#include "registry.h"

struct pool_entry {
	struct list_head node;
	struct zs_pool *pool;
	unsigned int users; /* walkers at this entry, which keeps it listed */
	bool leaving; /* no further user may come */
	struct pool_dir dir;
	long shown; /* pages of pending frees in NR_KERNEL_MISC_RECLAIMABLE, */
	struct pglist_data *pgdat; /* of this node */
};

static LIST_HEAD(pools);
static DEFINE_SPINLOCK(pools_lock);
static DECLARE_WAIT_QUEUE_HEAD(pools_wait); /* for a leaving entry's users to go */

int port_pool_attach(struct zs_pool *pool, const char *name, void **home)
{
	struct pool_entry *entry = kzalloc(sizeof(*entry), GFP_NOIO);

	if (!entry)
		return -ENOMEM;
	entry->pool = pool;
	entry->pgdat = NODE_DATA(first_online_node);
	pool_dir_add(&entry->dir, pool, name);

	spin_lock(&pools_lock);
	list_add_tail(&entry->node, &pools);
	spin_unlock(&pools_lock);
	*home = entry;
	return 0;
}

static bool entry_unused(struct pool_entry *entry)
{
	bool unused;

	spin_lock(&pools_lock);
	unused = !entry->users;
	if (unused)
		list_del(&entry->node);
	spin_unlock(&pools_lock);
	return unused;
}

/*
 * MemAvailable counts NR_KERNEL_MISC_RECLAIMABLE: a killer of processes that looks
 * there does not take a second one for memory that is on its way. One node has it all:
 * which node a pending free's pages are on is not known before they are freed.
 */
void port_pool_show_pending(void *home, size_t pages)
{
	struct pool_entry *entry = home;

	/* The core calls this under a lock of its own. */
	if (entry->shown != (long)pages)
		mod_node_page_state(entry->pgdat, NR_KERNEL_MISC_RECLAIMABLE,
				    (long)pages - entry->shown);
	entry->shown = (long)pages;
}

void port_pool_detach(struct zs_pool *pool, void *home)
{
	struct pool_entry *entry = home;

	pool_dir_remove(&entry->dir);

	spin_lock(&pools_lock);
	entry->leaving = true;
	spin_unlock(&pools_lock);
	wait_event(pools_wait, entry_unused(entry));
}

void port_pool_forget(void *home)
{
	port_pool_show_pending(home, 0);
	kfree(home);
}

/* Leave @prev, NULL at first, and use the entry after it; NULL at the end. */
static struct pool_entry *next_entry(struct pool_entry *prev)
{
	struct list_head *node;
	struct pool_entry *next = NULL;

	spin_lock(&pools_lock);
	for (node = prev ? prev->node.next : pools.next; node != &pools;
	     node = node->next) {
		struct pool_entry *entry = list_entry(node, struct pool_entry, node);

		if (!entry->leaving) {
			next = entry;
			next->users++;
			break;
		}
	}
	if (prev && !--prev->users && prev->leaving)
		wake_up_all(&pools_wait);
	spin_unlock(&pools_lock);
	return next;
}

size_t registry_count(size_t (*count)(struct zs_pool *pool))
{
	struct pool_entry *entry = NULL;
	size_t sum = 0;

	while ((entry = next_entry(entry)))
		sum += count(entry->pool);
	return sum;
}

size_t registry_take(size_t (*take)(struct zs_pool *pool, size_t want), size_t want)
{
	struct pool_entry *entry = NULL;
	size_t taken = 0;

	/* To the end in any case: next_entry() leaves the entry before. */
	while ((entry = next_entry(entry))) {
		if (taken < want)
			taken += take(entry->pool, want - taken);
	}
	return taken;
}
