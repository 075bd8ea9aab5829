/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/**
 * @file zsmalloc.h
 * Allocator for compressed pages, with deferred freeing. One header for every
 * home of the core: the kernel, as a module or in its own tree, and liblethe in
 * userspace.
 *
 * Error convention
 *   Functions that return int give 0 or a negative errno (-ENOMEM, -EINVAL).
 *   zs_malloc() gives a handle; a failed call gives the negative errno as an
 *   unsigned long. Test with zs_handle_error(). A handle is never 0, and a
 *   good one always fits in 32 bits. void functions cannot fail.
 *
 * Ownership
 *   A handle belongs to the caller of zs_malloc() until it is passed to
 *   zs_free(), zs_free_batch() or zs_free_deferred(). The caller must not use a handle
 *   concurrently with, or after, giving it back. Any number of threads may read an object
 *   at a time; while one writes it, no other may read or write it.
 *
 * Threads (userspace)
 *   Apart from that, any thread may make any call at any time, with no lock of its own.
 *   Only zs_destroy_pool() must be the last call on its pool, with no other running.
 *   No call may be made from a signal handler, nor left by longjmp() or pthread_cancel().
 *   From zs_create_pool() to zs_destroy_pool() a pool has threads of its own, named
 *   "lethe-drain": one for every four CPUs, at most 32 (array: one; sync: none). They
 *   sleep while nothing is pending, and take no signals. Threads of the program may end
 *   at any time; what they have allocated stays.
 *
 * fork() (userspace)
 *   Pools stay with the parent, which goes on as before. In the child they have no drain
 *   threads, and perhaps locks that no thread will release. So the child makes no call of
 *   this library, not even zs_create_pool() or zs_destroy_pool(); it may call exec*(),
 *   _exit() or exit(). A program whose children are to have pools of their own forks
 *   while it has none: before its first, or after it has destroyed its last.
 *
 * Context (kernel)
 *   The "Context" of each function is for callers in the kernel; in userspace every
 *   thread is process context.
 *   "Process context" means the call may sleep and no spinlock is held.
 *   "Any context" means process or atomic context (under a spinlock, with
 *   preemption off), but not interrupt context: the class locks are taken
 *   without disabling interrupts. In a kernel with PREEMPT_RT spinlocks sleep:
 *   there it is neither with preemption off nor under a raw spinlock.
 */
#ifndef LETHE_ZSMALLOC_H
#define LETHE_ZSMALLOC_H

#ifdef __KERNEL__
#include <linux/types.h>
#include "symbol_prefix.h"
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The version of this header. Programs go on working with a later library of the same
 * major version, whose file is liblethe.so.MAJOR.
 */
#define LETHE_VERSION_MAJOR 0
#define LETHE_VERSION_MINOR 1
#define LETHE_VERSION_PATCH 0
/** Version 1.2.3 is 10203. */
#define LETHE_VERSION_NUMBER                                                             \
	(LETHE_VERSION_MAJOR * 10000 + LETHE_VERSION_MINOR * 100 + LETHE_VERSION_PATCH)

struct zs_pool;

/** Largest errno that zs_malloc() can encode; also the kernel's bound. */
#define ZS_MAX_ERRNO 4095UL

/**
 * zs_handle_error() - tell a failed zs_malloc() from a good handle
 * @handle: what zs_malloc() returned
 *
 * Return: the negative errno if @handle encodes one, else 0. The null handle
 * is not an error value: 0 is returned for it.
 */
static inline int zs_handle_error(unsigned long handle)
{
	return handle >= -ZS_MAX_ERRNO ? (int)(long)handle : 0;
}

/** How zs_free_deferred() defers. Numbers are stable: they are stored by users. */
enum zs_defer_policy {
	ZS_DEFER_DEFAULT, /**< the one that measures best: tombstone */
	ZS_DEFER_SYNC, /**< no deferral: freed in the caller */
	ZS_DEFER_ARRAY, /**< one array behind a trylock, the reference policy */
	ZS_DEFER_TOMBSTONE, /**< one bit per handle, in its entry of the table */
	ZS_DEFER_NR
};

/** Why pending frees were drained outside the drain threads. */
enum zs_flush_cause {
	ZS_FLUSH_CALLER, /**< zs_free_deferred_flush() */
	ZS_FLUSH_NOMEM, /**< zs_malloc() could not get memory */
	ZS_FLUSH_LIMIT, /**< a limit, the pool's or its user's, was about to refuse */
	ZS_FLUSH_COMPACT, /**< zs_compact() */
	ZS_FLUSH_SHRINKER, /**< the kernel asked for memory */
	ZS_FLUSH_OOM, /**< the kernel was about to kill a process */
	ZS_FLUSH_REUSE, /**< zs_malloc() was to take new pages while much is pending */
	ZS_FLUSH_DESTROY, /**< zs_destroy_pool() */
	ZS_FLUSH_NR
};

/** Room for causes to come in struct zs_pool_stats. */
#define ZS_FLUSH_MAX 16

/*
 * The two structures below grow at their ends, and nothing in them moves. A program
 * that was built with an earlier header goes on working: the calls that take one of
 * them pass its size.
 */

/** Creation-time choices of a pool. All-zero means: every default. */
struct zs_pool_params {
	enum zs_defer_policy policy; /**< see enum zs_defer_policy */
	size_t defer_budget; /**< most handles pending; 0: the policy's default */
	size_t mem_limit; /**< see zs_create_pool(); 0: none */
};

/** A snapshot of a pool, not taken at one instant; counters are since creation. */
struct zs_pool_stats {
	size_t page_size; /**< bytes in a page */
	size_t pages; /**< pages held for objects, pending ones included */
	size_t objects; /**< objects not yet freed, pending ones included */
	size_t zspages; /**< chains of pages held */
	size_t meta_bytes; /**< memory of handle table and descriptors, bytes */
	size_t pages_compacted; /**< pages that compaction gave back */

	enum zs_defer_policy policy; /**< the policy in force, never DEFAULT */
	size_t pending; /**< handles queued and not yet freed */
	size_t capacity; /**< budget: pending never exceeds it */
	size_t threshold; /**< pending handles at which a drain thread is woken */
	uint64_t oldest_age_ns; /**< of the oldest pending; less after a flush */
	uint64_t queued; /**< deferred frees that were queued */
	uint64_t drained; /**< freed by the drain threads */
	uint64_t producer_drained; /**< queued, freed by a producer past the budget */
	uint64_t fallback; /**< not queued: freed at once by the caller */
	uint64_t flushed[ZS_FLUSH_MAX]; /**< queued, then freed by a drain for a cause */
	uint64_t flushes[ZS_FLUSH_MAX]; /**< such drains that were run, by cause */
	uint64_t kicks; /**< times a drain thread was asked to run */
	uint64_t invalid; /**< calls refused: the handle not live, pending, or in use */
	size_t mem_limit; /**< the limit in force, in whole pages; bytes. 0: none */
	uint64_t pages_moved; /**< pages that the kernel has moved elsewhere */
};

/**
 * zs_create_pool_sized() - zs_create_pool() for a caller with another header
 * @name: as there
 * @params: as there
 * @size: bytes in *@params. Fewer than the library knows: the rest are 0. More: what the
 * library does not know must be 0.
 * @poolp: as there
 *
 * C and C++ call zs_create_pool(); a binding of another language calls this. By the name
 * zs_create_pool the library takes the first two members of *@params.
 *
 * Context: process context, may sleep.
 * Return: as zs_create_pool(); -EINVAL also for a choice that the library does not know.
 */
int zs_create_pool_sized(const char *name, const struct zs_pool_params *params,
			 size_t size, struct zs_pool **poolp);

/**
 * zs_create_pool() - create an allocator for compressed pages
 * @name: for messages and debugfs; copied, at most 31 bytes are kept
 * @params: choices, or NULL for the defaults
 * @poolp: where the pool is stored; untouched on failure
 *
 * Everything that deferral needs later is allocated here.
 *
 * zs_pool_params.mem_limit is the most memory, in bytes, that the pool may hold for
 * objects, pending ones included: the pool never has more whole pages than fit in it.
 * The handle table and descriptors come on top (zs_pool_stats.meta_bytes). At its limit
 * zs_malloc() first drains what is pending, as zram does at its mem_limit, and fails with
 * -ENOSPC if that does not do. The caller may then free objects, or zs_compact_pages(),
 * and try again. Objects of a size share runs of up to eight pages, so what one
 * zs_free() gives back may not be room for an object of another size.
 *
 * Context: process context, may sleep.
 * Return: 0; -EINVAL for an unknown policy, a NULL name, a limit of less than a page, or
 * a budget that the policy cannot hold (array: more than UINT32_MAX); -ENOMEM.
 */
static inline int zs_create_pool(const char *name, const struct zs_pool_params *params,
				 struct zs_pool **poolp)
{
	return zs_create_pool_sized(name, params, sizeof(*params), poolp);
}

/**
 * zs_destroy_pool() - flush pending frees and release everything
 * @pool: from zs_create_pool(), or NULL, which does nothing
 *
 * Objects never freed are released with the pool. No other call on the pool
 * may be running or follow.
 *
 * Context: process context, may sleep.
 */
void zs_destroy_pool(struct zs_pool *pool);

/**
 * zs_malloc() - allocate an object
 * @pool: the pool
 * @size: bytes, 1 to the page size
 *
 * The content is undefined until zs_obj_write(). When memory cannot be had, or the
 * pool is at its limit, pending deferred frees are drained and the request is tried
 * again.
 *
 * Context: process context, may sleep; safe during reclaim (does no I/O).
 * Return: a handle, 1 to UINT32_MAX; -EINVAL for a bad size, -ENOMEM when the system has
 * no memory, -ENOSPC when the pool is full: it is at its limit, or has 2^27 objects. Each
 * cast to unsigned long.
 */
unsigned long zs_malloc(struct zs_pool *pool, size_t size);

/** How far zs_malloc_node() may go to get memory. */
enum zs_alloc {
	ZS_ALLOC_NOWAIT, /**< take what is free at once, or fail */
	ZS_ALLOC_WAIT, /**< drain pending frees, reclaim memory, wait for it */
	ZS_ALLOC_RESERVES, /**< as NOWAIT, but a task that reclaims may use reserves */
};

/** For zs_malloc_node(): memory of any node will do. */
#define ZS_NO_NODE (-1)

/**
 * zs_malloc_node() - allocate an object, and say how and where from
 * @pool: the pool
 * @size: bytes, 1 to the page size
 * @how: how far the call may go to get memory
 * @node: the NUMA node that new pages should come from, or ZS_NO_NODE. Pages of
 * another node are taken if it has none, and an object may be put into pages that the
 * pool holds already, whatever their node. Ignored in userspace.
 *
 * ZS_ALLOC_NOWAIT neither reclaims memory nor waits for it, and of what is pending it
 * frees a small slice at most. So its caller may hold something that reclaim or a page
 * fault waits for. When it fails, the caller lets go of that and calls again with
 * ZS_ALLOC_WAIT. zs_malloc() is zs_malloc_node(pool, size, ZS_ALLOC_WAIT, ZS_NO_NODE).
 *
 * ZS_ALLOC_RESERVES is for a caller that cannot call again: where nothing is free, it
 * frees a small slice of what is pending, and then takes what the kernel keeps for tasks
 * that reclaim memory, if its task is one. In userspace there are no reserves.
 *
 * Context: ZS_ALLOC_NOWAIT, ZS_ALLOC_RESERVES: any context; with PREEMPT_RT that may be
 * under a local lock, but not with preemption off. ZS_ALLOC_WAIT: process context, may
 * sleep; safe during reclaim (does no I/O). Return: as zs_malloc().
 */
unsigned long zs_malloc_node(struct zs_pool *pool, size_t size, enum zs_alloc how,
			     int node);

/**
 * zs_free() - free an object now
 * @pool: the pool
 * @handle: the object; null and error values are ignored
 *
 * A handle that is not live, is pending, or is being read, is refused and counted
 * (zs_pool_stats.invalid); debug builds say so and stop.
 *
 * Context: any context; takes one class lock.
 */
void zs_free(struct zs_pool *pool, unsigned long handle);

/**
 * zs_free_batch() - free many objects now, at less cost than one by one
 * @pool: the pool
 * @handles: the objects, null and error values ignored; not modified
 * @n: how many
 *
 * Groups the objects by size class and zspage: a class lock is held for up to 64
 * objects, and pages are given back in bulk outside the locks. Ascending order of
 * handles groups best.
 *
 * Context: any context; takes class locks, one at a time.
 */
void zs_free_batch(struct zs_pool *pool, const unsigned long *handles, size_t n);

/**
 * zs_free_deferred() - give an object back, to be freed soon
 * @pool: the pool
 * @handle: the object; null and error values are ignored
 *
 * Queues the handle and returns. When the queue cannot take it, the caller
 * frees synchronously instead (array), or frees a slice of what is pending
 * (tombstone), so the bound on pending frees holds. A handle that is not
 * live, is pending already or is being read is refused as by zs_free().
 *
 * Context: any context. Never sleeps or allocates. tombstone: takes no lock unless
 * the budget is spent; array: waits for none unless its queue's lock is held by
 * another or the budget is spent; sync: as zs_free().
 */
void zs_free_deferred(struct zs_pool *pool, unsigned long handle);

/**
 * zs_free_deferred_flush() - free everything that is pending
 * @pool: the pool
 *
 * On return every handle whose zs_free_deferred() returned before this call
 * has been freed. What another call frees at the same time, that call may count, and
 * give its pages back, a moment later.
 *
 * It ends however much other tasks push meanwhile: it visits each handle of the table
 * twice at most, and waits for the drain threads to finish a slice of work.
 *
 * Context: process context only.
 */
void zs_free_deferred_flush(struct zs_pool *pool);

/**
 * zs_drain_deferred() - free what is pending until the caller has what it wants
 * @pool: the pool
 * @cause: what to count it under
 * @want: pages for NOMEM, LIMIT and OOM, handles for the other causes: the call
 *        returns soon after so many are back; 0: all
 *
 * Visits each handle of the table once at most. If the caller cannot do without the
 * memory (NOMEM, LIMIT, OOM), has not got it by then, and another drain may hold some,
 * it looks at up to 2^20 handles once more. So it ends, however much other tasks push
 * meanwhile. It waits for no other thread.
 *
 * Context: process context, may sleep; yields between slices of work. Safe in reclaim.
 * Return: handles freed by this call.
 */
size_t zs_drain_deferred(struct zs_pool *pool, enum zs_flush_cause cause, size_t want);

/**
 * zs_deferred_pending() - how many frees are pending
 * @pool: the pool
 *
 * May miss handles that a drain is just freeing; zs_pool_stats() does not.
 *
 * Context: any context, lock-free.
 * Return: handles queued and not yet freed; never more than the budget.
 */
size_t zs_deferred_pending(struct zs_pool *pool);

/**
 * zs_obj_read_begin() - begin to read an object's content
 * @pool: the pool
 * @handle: a live object
 * @len: bytes wanted, 1 to zs_obj_size()
 * @buf: room for @len bytes, used only if the object crosses a page boundary
 *
 * The object is pinned: compaction leaves it alone until
 * zs_obj_read_end(). Readers of one object do not exclude each other.
 *
 * Context: any context. At most 62 readers of one object at a time; a
 * further one waits.
 * Return: the content, either in place or in @buf; NULL if @handle is not
 * live, or is pending, or @len does not fit the object.
 */
const void *zs_obj_read_begin(struct zs_pool *pool, unsigned long handle, size_t len,
			      void *buf);

/**
 * zs_obj_read_end() - end what zs_obj_read_begin() began
 * @pool: the pool
 * @handle: the same object
 *
 * Context: any context.
 */
void zs_obj_read_end(struct zs_pool *pool, unsigned long handle);

/**
 * zs_obj_write() - set an object's content
 * @pool: the pool
 * @handle: a live object
 * @src: the bytes
 * @len: how many, 1 to zs_obj_size()
 *
 * Writes from the object's first byte on. The caller keeps writers and readers of one
 * object apart.
 *
 * Context: any context.
 * Return: 0; -EINVAL if @handle is not live, or is pending, or @len does not fit.
 */
int zs_obj_write(struct zs_pool *pool, unsigned long handle, const void *src, size_t len);

/**
 * zs_obj_size() - how many bytes an object has
 * @pool: the pool
 * @handle: a live object
 *
 * The size given to zs_malloc(), rounded up to that of its class: all of it may be
 * written and read, as with malloc_usable_size(). The pool does not keep the size that
 * was asked for; a caller that needs it stores it beside the handle, or in the object.
 * It does not change while the object lives.
 *
 * Context: any context, lock-free.
 * Return: bytes; 0 if @handle is not live, or is pending.
 */
size_t zs_obj_size(struct zs_pool *pool, unsigned long handle);

/**
 * zs_compact() - move objects together and give emptied pages back
 * @pool: the pool
 *
 * Pending frees are drained first. Objects being read are left in place. The handle table
 * gives back what no handle needs, 512 at a time, which is not counted.
 *
 * Context: process context; yields between slices of work.
 * Return: pages given back by moving objects.
 */
size_t zs_compact(struct zs_pool *pool);

/**
 * zs_compact_pages() - as zs_compact(), but only until some pages are back
 * @pool: the pool
 * @want: pages that the caller wants
 *
 * Drains nothing. Visits each zspage once at most, so it ends, and holds a class lock
 * for one zspage at a time. Another call goes on where the last one stopped. Of the
 * handle table a part gives back what no handle needs.
 *
 * Context: process context; yields between slices of work. Safe in reclaim: neither
 * allocates nor waits but for spinlocks.
 * Return: pages given back.
 */
size_t zs_compact_pages(struct zs_pool *pool, size_t want);

/**
 * zs_compactable_pages() - what compaction would give back
 * @pool: the pool
 *
 * Context: any context, lock-free.
 * Return: pages, about: objects being read may keep some.
 */
size_t zs_compactable_pages(struct zs_pool *pool);

/**
 * zs_get_total_pages() - pages held for objects, pending ones included
 * @pool: the pool
 *
 * Context: any context, lock-free.
 */
size_t zs_get_total_pages(struct zs_pool *pool);

/**
 * zs_pool_stats_sized() - zs_pool_stats() for a caller with another header
 * @pool: the pool
 * @stats: filled in
 * @size: bytes in *@stats. Fewer than the library knows: the rest are left out. More:
 * what the library does not know is 0.
 *
 * C and C++ call zs_pool_stats(); a binding of another language calls this.
 *
 * Context: any context, lock-free.
 */
void zs_pool_stats_sized(struct zs_pool *pool, struct zs_pool_stats *stats, size_t size);

/**
 * zs_pool_stats() - fill in a snapshot of a pool's counters
 * @pool: the pool
 * @stats: filled in
 *
 * Context: any context, lock-free.
 */
static inline void zs_pool_stats(struct zs_pool *pool, struct zs_pool_stats *stats)
{
	zs_pool_stats_sized(pool, stats, sizeof(*stats));
}

/**
 * zs_huge_class_size() - the size from which storing compressed is pointless
 * @pool: the pool
 *
 * Context: any context.
 * Return: bytes; an object of this size or more occupies as much as a page.
 */
size_t zs_huge_class_size(struct zs_pool *pool);

/**
 * zs_policy_name() - the name of a deferral policy
 * @policy: the policy
 *
 * Context: any context.
 * Return: "sync", "array" or "tombstone" (also for ZS_DEFER_DEFAULT); NULL for a
 * value that is none.
 */
const char *zs_policy_name(enum zs_defer_policy policy);

/**
 * zs_policy_by_name() - the deferral policy of a name
 * @name: a NUL-terminated name, or "default"
 *
 * Context: any context.
 * Return: the policy; -EINVAL if there is none of that name.
 */
int zs_policy_by_name(const char *name);

/**
 * zs_flush_cause_name() - a flush cause in one word, for statistics
 * @cause: the cause
 *
 * Context: any context.
 * Return: a word; NULL for a value that is none.
 */
const char *zs_flush_cause_name(enum zs_flush_cause cause);

#ifndef __KERNEL__
/**
 * zs_version_number() - the version of the library
 *
 * May be later than LETHE_VERSION_NUMBER, the version of the header that the program was
 * built with.
 *
 * Return: its LETHE_VERSION_NUMBER.
 */
unsigned int zs_version_number(void);
#endif

#ifdef __cplusplus
}
#endif

#endif /* LETHE_ZSMALLOC_H */
