// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Pending frees yield to whoever needs the memory: the kernel's reclaim (a
 * shrinker), a process about to be killed (OOM notifier), a CPU that goes.
 *
 * One of each serves all pools, so that creating and destroying pools takes
 * none of the kernel's locks for registering them.
 *
 * Lock order: the kernel calls in with its own locks held (shrinker, OOM and
 * CPU hotplug). Nothing here allocates, or waits for anybody but the holder of
 * a spinlock: see zs_drain_deferred().
 */
#include <linux/cpuhotplug.h>
#include <linux/notifier.h>
#include <linux/oom.h>
#include <linux/shrinker.h>

#include <lethe/zsmalloc.h>

#include "compat.h"
#include "reclaim.h"
#include "registry.h"

static struct shrinker *shrinker;
static enum cpuhp_state hotplug_state;

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

/* A CPU has gone: whatever it has queued has no company to wait for. */
static int cpu_dead(unsigned int cpu)
{
	drain_all(ZS_FLUSH_HOTPLUG);
	return 0;
}

int lethe_reclaim_init(void)
{
	int ret;

	ret = shrinker_start();
	if (ret)
		return ret;
	ret = register_oom_notifier(&oom_notifier);
	if (ret)
		goto free_shrinker;
	/* A "prepare" state's teardown runs once the CPU is dead, on another one. */
	ret = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "lethe:dead", NULL,
					cpu_dead);
	if (ret < 0)
		goto unregister_oom;
	hotplug_state = ret;
	return 0;

unregister_oom:
	unregister_oom_notifier(&oom_notifier);
free_shrinker:
	compat_shrinker_free(shrinker);
	return ret;
}

void lethe_reclaim_exit(void)
{
	cpuhp_remove_state_nocalls(hotplug_state);
	unregister_oom_notifier(&oom_notifier);
	compat_shrinker_free(shrinker);
}
