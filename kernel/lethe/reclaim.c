// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Pending frees make way when memory is short: the kernel's reclaim asks for them
 * (a shrinker), and so does the OOM killer before it kills (a notifier).
 *
 * A CPU that goes offline needs nothing from us: what its tasks pushed is in the
 * table that all CPUs share, and the drain thread moves to another CPU.
 *
 * One of each serves all pools, so that creating and destroying pools takes
 * none of the kernel's locks for registering them.
 *
 * Lock order: the kernel calls in with its own locks held (shrinker, OOM).
 * Nothing here allocates, or waits for anybody but the holder of a spinlock: see
 * zs_drain_deferred().
 */
#include <linux/notifier.h>
#include <linux/oom.h>
#include <linux/shrinker.h>

#include <lethe/zsmalloc.h>

#include "compat.h"
#include "reclaim.h"
#include "registry.h"

static struct shrinker *shrinker;

static size_t pool_pending(struct zs_pool *pool, void *arg)
{
	return zs_deferred_pending(pool);
}

static size_t pool_pages(struct zs_pool *pool, void *arg)
{
	return zs_get_total_pages(pool);
}

static size_t pool_drain(struct zs_pool *pool, void *arg)
{
	return zs_drain_deferred(pool, *(enum zs_flush_cause *)arg);
}

static size_t drain_all(enum zs_flush_cause cause)
{
	return registry_for_each_pool(pool_drain, &cause);
}

static unsigned long shrinker_count(struct shrinker *s, struct shrink_control *sc)
{
	return registry_for_each_pool(pool_pending, NULL) ?: SHRINK_EMPTY;
}

/* What is pending is of no use to anybody: all of it goes, however few are asked for. */
static unsigned long shrinker_scan(struct shrinker *s, struct shrink_control *sc)
{
	sc->nr_scanned = drain_all(ZS_FLUSH_SHRINKER);
	return sc->nr_scanned ?: SHRINK_STOP;
}

static int shrinker_start(void)
{
	static const char name[] = "lethe-deferred-free";
	int err;

	shrinker = compat_shrinker_alloc(name);
	if (!shrinker)
		return -ENOMEM;
	shrinker->count_objects = shrinker_count;
	shrinker->scan_objects = shrinker_scan;
	shrinker->seeks = 0; /* freeing them costs nobody any I/O later */
	shrinker->batch = 1; /* do not wait for many to gather */
	err = compat_shrinker_register(shrinker, name);
	if (err)
		compat_shrinker_free(shrinker);
	return err;
}

/* If this frees pages, the kernel tries its allocation again and kills nobody. */
static int oom_notify(struct notifier_block *nb, unsigned long unused, void *freed)
{
	size_t before = registry_for_each_pool(pool_pages, NULL);
	size_t after;

	drain_all(ZS_FLUSH_OOM);
	after = registry_for_each_pool(pool_pages, NULL);
	if (after < before)
		*(unsigned long *)freed += before - after;
	return NOTIFY_OK;
}

static struct notifier_block oom_notifier = {
	.notifier_call = oom_notify,
};

int lethe_reclaim_init(void)
{
	int err;

	err = shrinker_start();
	if (err)
		return err;
	err = register_oom_notifier(&oom_notifier);
	if (err)
		compat_shrinker_free(shrinker);
	return err;
}

void lethe_reclaim_exit(void)
{
	unregister_oom_notifier(&oom_notifier);
	compat_shrinker_free(shrinker);
}
