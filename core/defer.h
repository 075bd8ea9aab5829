/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * What deferral means, and the one small interface that its policies share.
 *
 * Common to all policies: a pending handle is live (its object keeps its
 * memory) until a drain frees it; at most `budget` are pending; at `threshold`
 * the worker is kicked; a remainder is drained by a timer. Every drain is a
 * pass over what is pending, taken a slice at a time, and may run at the same
 * time as others: each pending handle is taken at least once, and freed by the
 * one who finds it pending under its class lock.
 *
 * What may a flush rely on? Whoever takes handles is registered in `holders`
 * from before the first is taken until the last is freed. A flush makes a pass
 * of its own, then waits for all who were registered by its end: what its pass
 * did not find was taken before, by one of them. Registration is on one of two
 * sides, chosen by the low bit of `epoch`, so that those who come later cannot
 * keep the flush waiting: it turns the epoch, waits for the side that was in
 * use, and does so once more for those who read the epoch early and registered
 * late (as sleepable RCU does). It does all of this twice, as its pass may go
 * by a leaf that another is about to take from, and leaves unfinished. One
 * flush at a time; while it is at work the worker leaves its pass at the end of
 * its slice, rather than have the flush wait for a thread of low priority to do
 * everything. Nor does a producer past the budget help meanwhile: with what it has
 * popped and is about to put back, one after the other could hide what is old.
 *
 * The worker may have to wait for its CPU in the middle of a pass. It does so
 * unregistered and with nothing in its hands: those who need memory find all that is
 * pending, and do not wait for it.
 *
 * Where much is pending the worker calls an aide, which makes a pass beside the
 * worker's on another CPU, if one has nothing else to do, and goes as soon as
 * somebody wants that CPU. What it leaves the worker may have passed over, so it
 * arms the worker when it goes.
 *
 * When is the worker scheduled? `armed` says how urgently (enum defer_urgency).
 * Whoever makes pending work visible arms the timer if armed is DEFER_IDLE;
 * the worker sets it to DEFER_IDLE before it begins its pass. Both are full
 * fences, so either the pusher sees IDLE and arms, or the worker's pass begins
 * after the push and sees it: nothing sits for ever.
 */
#ifndef LETHE_DEFER_H
#define LETHE_DEFER_H

#include "lethe/zsmalloc.h"
#include "free.h"
#include "itable.h"
#include "port.h"

/* Uncompressed bytes that may be pending: the array's budget, all others' least. */
#define DEFER_BUDGET_BYTES ((size_t)128 << 20)
#define DEFER_BUDGET_LEAST (DEFER_BUDGET_BYTES >> PORT_PAGE_SHIFT)

/*
 * Half of a budget that grows with memory would let a process exit long before
 * its frees begin. A large batch is worth waking the worker for: it finds an idle
 * CPU, or waits until there is one (port_work_yield()).
 */
#define DEFER_EARLY_THRESHOLD FREE_LARGE_BATCH

/*
 * When the worker has freed so many and as many are left, the aide is called: so
 * seldom that it does not matter if there is no CPU for it. A home may have less,
 * and the benchmark has it never (variant "alone").
 */
#ifndef DEFER_BACKLOG
#define DEFER_BACKLOG (4 * FREE_LARGE_BATCH)
#endif

/* A remainder below the threshold waits this long for company. */
#define DEFER_TIMER_MS 4

/* How often a drain on behalf of somebody in need waits for other drains. */
#define DEFER_MAX_NAPS 50

enum defer_urgency {
	DEFER_IDLE, /* the worker is not scheduled */
	DEFER_SOON, /* it is, DEFER_TIMER_MS after it was armed */
	DEFER_NOW, /* it is, as soon as possible */
};

/* Who frees: the columns of the account queued = drained + helped + flushed. */
enum defer_account {
	DEFER_BY_WORKER,
	DEFER_BY_AIDE, /* as the worker */
	DEFER_BY_HELP,
	DEFER_BY_FLUSH, /* + enum zs_flush_cause */
	DEFER_ACCOUNTS = DEFER_BY_FLUSH + ZS_FLUSH_NR
};

/* The array policy's queue. */
struct defer_array {
	port_spinlock lock; /* pushed to with trylock; a leaf */
	u32 *index; /* budget of them; a stack */
	size_t used;
	size_t in_flight; /* popped by a drain, not yet freed */
};

/*
 * With its head a block is 1 KiB, so that a budget of a few MiB is met closely. A
 * home may have less.
 */
#ifndef PERCPU_HANDLES
#define PERCPU_HANDLES 253
#endif

struct percpu_block {
	port_atomic next; /* in a list: number of the next block, or 0 */
	u32 used;
	u32 index[PERCPU_HANDLES];
};

/* Values of a slot's `block`, beside the number of a block, which is never 0. */
#define PERCPU_NONE 0
#define PERCPU_OPEN (~(u64)0) /* a push is at work on it */

/* The percpu policy's queue. */
struct defer_percpu {
	struct percpu_block *blocks;
	port_atomic full; /* lists of blocks: see defer_percpu.c */
	port_atomic spare PORT_CACHE_ALIGNED;
};

/* The budget, of policies whose producers share no cache line: defer_credit.h. */
struct defer_credit {
	port_atomic left; /* budget not pending and not in a slot's hands */
	u32 stock; /* most credit a slot takes at a time */
};

struct defer {
	enum zs_defer_policy policy;
	size_t budget;
	size_t threshold;
	union {
		struct defer_array array;
		struct defer_percpu percpu;
	} PORT_CACHE_ALIGNED;
	struct defer_credit credit PORT_CACHE_ALIGNED;
	port_atomic armed PORT_CACHE_ALIGNED; /* enum defer_urgency */
	port_atomic armed_at_ns;
	port_atomic pass_since_ns; /* the armed_at_ns that a pass took over */
	port_atomic flushing; /* 1: a flush is at work */
	port_atomic epoch;
	port_atomic holders[2]; /* passes that may hold handles not yet freed */
	port_atomic freed[DEFER_ACCOUNTS];
	port_atomic flushes[ZS_FLUSH_NR];
	port_atomic kicks;
	port_work work;
	port_work aide;
};

/* How far a pass has come; zero-initialised to begin. */
struct defer_pass {
	size_t taken; /* handles, so far */
	size_t freed; /* of these, by this pass */
	size_t called; /* what was taken when the aide was last called */
	struct itable_walk walk; /* tombstone: of the handle table */
	u32 step; /* percpu: to go on with */
	u32 chain; /* percpu: blocks taken, to be drained */
	unsigned int side; /* that it is registered on */
};

/* A policy. "sync" has none. All calls are made with at least a budget of 1. */
struct defer_policy_ops {
	/* The budget when the user asks for none. */
	size_t (*default_budget)(void);
	/* The threshold is half the budget, but at most this; 0: no matter. */
	size_t threshold_most;
	/* Allocate what pushing needs. 0 or -PORT_ENOMEM. Context: process. */
	int (*init)(struct zs_pool *pool);
	/* Undo init(). Pre: nothing pending. */
	void (*fini)(struct zs_pool *pool);
	/* Bytes that init() has allocated. Context: any. */
	size_t (*queue_bytes)(const struct zs_pool *pool);
	/*
	 * Take up to @max pending handles into @index. 0: the pass is over. With
	 * others at it, a handle may be taken twice. @max is at least
	 * FREE_SMALL_BATCH. Context: any.
	 */
	size_t (*take)(struct zs_pool *pool, struct defer_pass *pass, u32 *index,
		       size_t max);
	/*
	 * Take up to @max without a pass, for a producer who has no room for
	 * handle @near. NULL: with this policy, producers do not help.
	 */
	size_t (*take_some)(struct zs_pool *pool, u32 near, u32 *index, size_t max);
	/*
	 * Let go of what @pass has and take() has not given yet; may be NULL. The
	 * pass may go on afterwards, and finds that as well.
	 */
	void (*end)(struct zs_pool *pool, struct defer_pass *pass);
	/*
	 * Of @taken handles that take() gave, @freed have been freed, the others
	 * by somebody else. Context: any.
	 */
	void (*freed)(struct zs_pool *pool, size_t taken, size_t freed);
};

extern const struct defer_policy_ops defer_array_ops;
extern const struct defer_policy_ops defer_percpu_ops;
extern const struct defer_policy_ops defer_tombstone_ops;

enum defer_push_result {
	DEFER_PUSHED,
	DEFER_CANNOT, /* the caller must free it */
	DEFER_MISUSE, /* not live, or pending already: nothing done */
	DEFER_NOT_THERE, /* the table has no such handle */
};

struct pool_slot;
struct handle_place;

/*
 * A policy's push queues a handle. Pre: the caller holds @slot, which the push lets
 * go. Context: any; never waits, never allocates. Called directly rather than
 * through the ops: an indirect call costs a kernel with retpolines more than the
 * push itself. The default policy's is inlined, see defer_tombstone.h.
 */
enum defer_push_result defer_array_push(struct zs_pool *pool, struct pool_slot *slot,
					const struct handle_place *at);
enum defer_push_result defer_percpu_push(struct zs_pool *pool, struct pool_slot *slot,
					 const struct handle_place *at);

/* ---- for the pool ---- */

/* 0, -PORT_EINVAL or -PORT_ENOMEM. Context: process. */
int defer_init(struct zs_pool *pool, const struct zs_pool_params *params);
/* Pre: flushed, and no push can follow. */
void defer_fini(struct zs_pool *pool);
/* Memory that the policy has for itself, bytes. Context: any. */
size_t defer_queue_bytes(const struct zs_pool *pool);
/* As zs_free_deferred_flush(), counted under @cause. Context: process. */
void defer_flush(struct zs_pool *pool, enum zs_flush_cause cause);

/* ---- for the policies ---- */

/* A share of the machine's pages, but no less than the least budget. Context: any. */
size_t defer_budget_of_memory(unsigned int divisor);
/* See to it that the worker runs, and by when. Context: any. */
void defer_arm(struct zs_pool *pool, enum defer_urgency urgency);
/* Count @n handles as freed by @who. Context: any. */
void defer_account(struct zs_pool *pool, enum defer_account who, size_t n);

#endif /* LETHE_DEFER_H */
