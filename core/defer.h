/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Deferral: zs_free_deferred() makes a handle pending, a drain frees it later.
 *
 * Five words:
 *   push    a producer makes a handle pending. A pending handle is live: its object
 *           keeps its memory until a drain frees it.
 *   budget  at most so many handles are pending. A producer that finds the budget
 *           spent drains a slice itself (tombstone), or frees its handle (array).
 *   drain   one walk over what is pending, forward only, that stops when its caller
 *           has what it wants. Any number of drains may run at a time: under the class
 *           lock, the first that finds a handle pending frees it.
 *   drain thread  drains in the background, at normal priority.
 *   flush   a drain of everything that was pushed before it.
 *
 * A drain ends, whatever producers push meanwhile.  Its walk visits each leaf of the
 * table at most once (pending.h), or with array pops as many handles as the budget at
 * most. A walk by entries visits each entry once. [D1]
 *
 * A drain hides nothing.  A policy keeps hints that lead to pending handles; the truth
 * is the pending bit of the handle's entry. A drain may have taken hints, and be
 * preempted before it frees. A flush reads the entries (drain_by_entries()) and frees
 * what it finds; so does a task that cannot do without memory, after its walk. So
 * neither needs another drain to get on before it finds a pending handle. Then a flush
 * waits until the drain threads have released their pages, and zs_malloc() waits for
 * some 8 ms at most. [D2]
 *
 * Nothing stays pending for ever.  `armed` says whether a drain thread is scheduled.
 * A push that the hints did not lead to yet arms it if `armed` reads DEFER_IDLE; the
 * thread writes DEFER_IDLE before its walk. Both are full fences. So either the
 * producer reads IDLE and arms, or the walk begins after the push and finds it. A
 * drain that stops before its walk is over, or leaves new flags behind it, arms. Hence
 * a set flag, stale or not, has a walk coming, and a push that finds its flag set needs
 * no arming. [W1]
 */
#ifndef LETHE_DEFER_H
#define LETHE_DEFER_H

#include "lethe/zsmalloc.h"
#include "free.h"
#include "pending.h"
#include "port.h"

/* Uncompressed bytes that may be pending: the array's budget, the tombstone's least. */
#define DEFER_BUDGET_BYTES ((size_t)128 << 20)
#define DEFER_BUDGET_LEAST (DEFER_BUDGET_BYTES >> PORT_PAGE_SHIFT)

/*
 * Half of a budget that grows with memory would let a process exit long before
 * its frees begin. A large batch is worth waking a drain thread for.
 */
#define DEFER_EARLY_THRESHOLD FREE_LARGE_BATCH

/* A remainder below the threshold is drained after so long. */
#ifndef DEFER_TIMER_MS
#define DEFER_TIMER_MS 4
#endif

/*
 * While producers push and no CPU is idle, a drain thread leaves the CPUs to them for
 * so long at most. An exit that takes as long would have taken some four times that
 * without deferral (docs/performance.md), so its memory is back no later.
 */
#define DEFER_LATE_MS 50

/*
 * For every so many pending handles, a backlog, one more drain thread is woken. An
 * allocation works at it before it takes new pages (defer_drain_slice()). A home may have
 * less. The benchmark has none (variant "alone").
 */
#ifndef DEFER_BACKLOG
#define DEFER_BACKLOG (4 * FREE_LARGE_BATCH)
#endif

/* Entries that a task in need reads in one call. */
#ifndef DEFER_SCAN_MOST
#define DEFER_SCAN_MOST ((u64)1 << 20)
#endif

/* One drain thread for so many CPUs, and at most so many threads. */
#ifndef DEFER_CPUS_PER_THREAD
#define DEFER_CPUS_PER_THREAD 4
#endif
#define DEFER_THREADS_MAX 32

enum defer_urgency {
	DEFER_IDLE, /* no drain thread is scheduled */
	DEFER_SOON, /* one is, DEFER_TIMER_MS after it was armed */
	DEFER_NOW, /* one is, as soon as possible */
};

/* Which code freed: the columns of queued = drained + producer_drained + flushed. */
enum defer_account {
	DEFER_BY_THREAD,
	DEFER_BY_PRODUCER,
	DEFER_BY_FLUSH, /* + enum zs_flush_cause */
	DEFER_ACCOUNTS = DEFER_BY_FLUSH + ZS_FLUSH_NR
};

struct drain_thread {
	port_work work;
	struct zs_pool *pool;
	unsigned int nr;
	u64 queued_seen; /* pushes when it last looked whether producers push */
	size_t pending_seen;
	struct free_scratch scratch;
};

/* The array policy's queue. */
struct defer_array {
	port_spinlock lock; /* pushed to with trylock; a leaf */
	u32 *index; /* budget of them; a stack */
	size_t used;
	size_t in_flight; /* popped by a drain, not yet freed */
};

/* The tombstone policy's budget: see defer_tombstone.h. */
struct defer_credit {
	port_atomic left; /* budget neither pending nor held by a CPU slot */
	port_atomic lent_most; /* at most so much do the CPU slots hold */
	u32 slot_most; /* most credit a slot takes at a time */
};

struct defer {
	enum zs_defer_policy policy;
	size_t budget;
	size_t threshold;
	unsigned int nr_threads;
	struct drain_thread *threads;
	struct defer_array array PORT_CACHE_ALIGNED;
	struct defer_credit credit PORT_CACHE_ALIGNED;
	port_atomic armed PORT_CACHE_ALIGNED; /* enum defer_urgency */
	port_atomic armed_at_ns; /* 0: not said yet */
	port_atomic drain_since_ns; /* the armed_at_ns that the first thread took */
	port_atomic at_work; /* drain threads that run */
	port_atomic
		share; /* of a page, in 1/256, that the mean object has; 0: not known */
	port_spinlock show_lock; /* a leaf: what the home shows as pending */
	port_atomic scan_from; /* the entry at which drain_some_entries() goes on */
	port_atomic slice_from; /* where the next defer_drain_slice() begins */
	port_atomic closed; /* 1: the pool is being destroyed, no work may be scheduled */
	port_atomic freed[DEFER_ACCOUNTS];
	port_atomic flushes[ZS_FLUSH_NR];
	port_atomic kicks;
};

/* A drain: how far it has come, and when it stops. */
struct drain {
	struct zs_pool *pool;
	enum defer_account account;
	size_t want_handles; /* it stops when so many are freed, */
	size_t want_pages; /* or so many pages are back */
	size_t freed;
	size_t pages;
	size_t taken; /* array: handles popped */
	struct pending_walk walk; /* tombstone: of the pending map */
	u64 at, end; /* by entries: the next index, and where it ends */
};

/* A policy; "sync" has none. */
struct defer_policy_ops {
	/* The budget when the user asks for none. */
	size_t (*default_budget)(void);
	/* The threshold is half the budget, but at most this; 0: no such limit. */
	size_t threshold_most;
	/* Allocate what pushing needs. 0, -PORT_EINVAL or -PORT_ENOMEM. Context: process.
	 */
	int (*init)(struct zs_pool *pool);
	/* Undo init(). Pre: nothing pending. */
	void (*fini)(struct zs_pool *pool);
	/* Bytes that init() has allocated. Context: any. */
	size_t (*queue_bytes)(const struct zs_pool *pool);
	/*
	 * Take up to @max handles into @index by the policy's hints, and set
	 * d->walk.over if the walk is. Pre: @max >= FREE_SMALL_BATCH. Context: any.
	 */
	size_t (*take)(struct drain *d, u32 *index, size_t max);
	/* Of @taken handles, this drain freed @freed, and other drains the rest.
	 * Context: any. */
	void (*freed)(struct zs_pool *pool, size_t taken, size_t freed);
};

extern const struct defer_policy_ops defer_array_ops;
extern const struct defer_policy_ops defer_tombstone_ops;

enum defer_push_result {
	DEFER_PUSHED,
	DEFER_CANNOT, /* the budget is spent, or the array's lock is held */
	DEFER_MISUSE, /* not live, or pending already: nothing done */
};

struct pool_slot;
struct handle_place;

/* Pre: the caller holds @slot, which the push lets go. Context: any; never waits. */
enum defer_push_result defer_array_push(struct zs_pool *pool, struct pool_slot *slot,
					const struct handle_place *at);

/* 0, -PORT_EINVAL or -PORT_ENOMEM. Context: process. */
int defer_init(struct zs_pool *pool, const struct zs_pool_params *params);
/* End the drain threads. Pre: no push can follow. Context: process. */
void defer_stop(struct zs_pool *pool);
/* Pre: flushed and stopped, and no drain can follow. Context: process. */
void defer_fini(struct zs_pool *pool);
/* As zs_deferred_pending(), but exact: it reads every CPU slot. Context: any. */
size_t defer_pending(struct zs_pool *pool);
/* Handles ever freed that had been pushed, and given back to the table. Context: any. */
u64 defer_freed(const struct zs_pool *pool);
/* Memory that deferral has for itself: queue and drain threads, bytes. Context: any. */
size_t defer_bytes(const struct zs_pool *pool);
/* As zs_free_deferred_flush(), counted under @cause. Context: process. */
void defer_flush(struct zs_pool *pool, enum zs_flush_cause cause);
/*
 * Free what is pending until @handles are freed or @pages are back: see
 * zs_drain_deferred(). Returns how many it has freed. Context: process.
 */
size_t defer_drain(struct zs_pool *pool, enum zs_flush_cause cause, size_t handles,
		   size_t pages);
/*
 * tombstone: so many handles are pending, or some more. One cache line is read; the CPU
 * slots, which may hold credit, are not. Context: any.
 */
static inline size_t credit_pending(const struct defer *d)
{
	u64 spare = port_atomic_load(&d->credit.left) +
		    port_atomic_load(&d->credit.lent_most);

	return spare < d->budget ? (size_t)(d->budget - spare) : 0;
}
/*
 * More is pending than a drain thread lets gather: producers allocate and free faster
 * than it drains. Then an allocation that would take new pages frees a small slice
 * first. So pending frees, and with them the time that a flush takes, stay bounded
 * without a task in need. Context: any, lock-free.
 */
static inline bool defer_is_behind(const struct defer *d)
{
	return d->policy == ZS_DEFER_TOMBSTONE &&
	       credit_pending(d) > (size_t)DEFER_BACKLOG;
}
/* Free that slice, for @cause. Whether it has freed any. Context: any; never waits. */
bool defer_drain_slice(struct zs_pool *pool, enum zs_flush_cause cause);
/* Show to the home that about @pending frees are, if no other does. Context: any. */
void defer_try_show_pending(struct zs_pool *pool, size_t pending);
/* Have a drain thread run, and by when. Context: any. */
void defer_arm(struct zs_pool *pool, enum defer_urgency urgency);
/* Drain threads for a machine of @cpus CPUs. */
unsigned int defer_threads_for(unsigned int cpus);

#endif /* LETHE_DEFER_H */
