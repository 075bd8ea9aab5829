// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Lethe gives memory back when the kernel asks: pending frees from one shrinker,
 * fragmentation from another, and both before a process is killed (OOM notifier).
 *
 * One of each serves all pools, so that creating and destroying pools takes
 * none of the kernel's locks for registering them.
 *
 * Lock order: the kernel calls in with its own locks held. Nothing here allocates, or
 * waits but for the holder of a spinlock; each call stops when it has what it wants.
 * So nothing here flushes, which waits for the drain threads. [X2]
 */
#include <linux/notifier.h>
#include <linux/oom.h>
#include <linux/shrinker.h>
#include <linux/swap.h>

#include <lethe/zsmalloc.h>

#include "compat.h"
#include "reclaim.h"
#include "registry.h"

/*
 * Pages that the OOM notifier wants: 1 MiB, or with large pages as many as it takes.
 * SWAP_CLUSTER_MAX keep the kernel from killing in this round, and it asks again when
 * that was not enough.
 */
#define OOM_WANTS max_t(size_t, SZ_1M >> PAGE_SHIFT, SWAP_CLUSTER_MAX)

/*
 * With no seeks, which nothing here costs, the kernel scans half of what is counted in
 * one call, SCAN_BATCH at a time. A direct reclaimer wants some 32 pages, and is not to
 * become the drain thread: so it frees half of SCAN_COUNTS handles, some 0.1 ms; at most
 * twice SCAN_COUNTS, if others have not scanned what they counted. [suite pressure]
 */
#define SCAN_BATCH 256
#define SCAN_COUNTS (8 * SCAN_BATCH)

static struct shrinker *pending_shrinker, *compact_shrinker;

static unsigned long pending_count(struct shrinker *s, struct shrink_control *sc)
{
	unsigned long pending = registry_count(zs_deferred_pending);

	return pending ? min_t(unsigned long, pending, SCAN_COUNTS) : SHRINK_EMPTY;
}

static size_t pool_drain(struct zs_pool *pool, size_t want)
{
	return zs_drain_deferred(pool, ZS_FLUSH_SHRINKER, want);
}

static unsigned long pending_scan(struct shrinker *s, struct shrink_control *sc)
{
	sc->nr_scanned = registry_take(pool_drain, sc->nr_to_scan);
	return sc->nr_scanned ?: SHRINK_STOP;
}

static unsigned long compact_count(struct shrinker *s, struct shrink_control *sc)
{
	return registry_count(zs_compactable_pages) ?: SHRINK_EMPTY;
}

static unsigned long compact_scan(struct shrinker *s, struct shrink_control *sc)
{
	sc->nr_scanned = registry_take(zs_compact_pages, sc->nr_to_scan);
	return sc->nr_scanned ?: SHRINK_STOP;
}

/* An unregistered shrinker of the given calls, then registered; NULL if it cannot be. */
static struct shrinker *
shrinker_start(const char *name, int seeks, long batch,
	       unsigned long (*count)(struct shrinker *, struct shrink_control *),
	       unsigned long (*scan)(struct shrinker *, struct shrink_control *))
{
	struct shrinker *s = compat_shrinker_alloc(name);

	if (!s)
		return NULL;
	s->count_objects = count;
	s->scan_objects = scan;
	s->seeks = seeks;
	s->batch = batch;
	if (compat_shrinker_register(s, name)) {
		compat_shrinker_free(s);
		return NULL;
	}
	return s;
}

/* In pages. Another task may allocate meanwhile: then what is returned is too little. */
static size_t pool_give_back(struct zs_pool *pool, size_t want)
{
	size_t before = zs_get_total_pages(pool), after;
	size_t pages;

	zs_drain_deferred(pool, ZS_FLUSH_OOM, want);
	after = zs_get_total_pages(pool);
	pages = after < before ? before - after : 0;
	if (pages < want)
		pages += zs_compact_pages(pool, want - pages);
	return pages;
}

/* If this frees pages, the kernel tries its allocation again and kills no process. */
static int oom_notify(struct notifier_block *nb, unsigned long unused, void *freed)
{
	size_t pages = registry_take(pool_give_back, OOM_WANTS);

	/*
	 * Fewer keep no process alive, and reporting them would put off the kill for
	 * ever.
	 */
	if (pages >= SWAP_CLUSTER_MAX)
		*(unsigned long *)freed += pages;
	return NOTIFY_OK;
}

static struct notifier_block oom_notifier = {
	.notifier_call = oom_notify,
};

int lethe_reclaim_init(void)
{
	int err = -ENOMEM;

	pending_shrinker = shrinker_start("lethe-deferred-free", 0, SCAN_BATCH,
					  pending_count, pending_scan);
	if (!pending_shrinker)
		return err;
	compact_shrinker = shrinker_start("lethe-compact", DEFAULT_SEEKS, 0,
					  compact_count, compact_scan);
	if (!compact_shrinker)
		goto free_pending;
	err = register_oom_notifier(&oom_notifier);
	if (err)
		goto free_compact;
	return 0;

free_compact:
	compat_shrinker_free(compact_shrinker);
free_pending:
	compat_shrinker_free(pending_shrinker);
	return err;
}

void lethe_reclaim_exit(void)
{
	unregister_oom_notifier(&oom_notifier);
	compat_shrinker_free(compact_shrinker);
	compat_shrinker_free(pending_shrinker);
}
