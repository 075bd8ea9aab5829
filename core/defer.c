/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Deferral: the push, the worker, the flushes. See defer.h for the rules.
 *
 * Lock order: none is held here; policies and frees take theirs one at a time.
 */
#include "defer_tombstone.h"

static const char *const policy_names[ZS_DEFER_NR] = {
	[ZS_DEFER_DEFAULT] = "tombstone", [ZS_DEFER_SYNC] = "sync",
	[ZS_DEFER_ARRAY] = "array",	  [ZS_DEFER_TOMBSTONE] = "tombstone",
	[ZS_DEFER_PERCPU] = "percpu",
};

static const struct defer_policy_ops *const policy_ops[ZS_DEFER_NR] = {
	[ZS_DEFER_ARRAY] = &defer_array_ops,
	[ZS_DEFER_TOMBSTONE] = &defer_tombstone_ops,
	[ZS_DEFER_PERCPU] = &defer_percpu_ops,
};

static void defer_not_pushed(struct zs_pool *pool, unsigned long handle,
			     enum defer_push_result result);

/*
 * With another policy than the default. Takes @at by value: if the address of that
 * of zs_free_deferred() got about, it would live in memory, and the pushed entry's
 * address would be stored and loaded on every push.
 */
static PORT_NOINLINE enum defer_push_result
defer_push_other(struct zs_pool *pool, struct pool_slot *slot, struct handle_place at)
{
	if (pool->defer.policy == ZS_DEFER_PERCPU)
		return defer_percpu_push(pool, slot, &at);
	if (pool->defer.policy == ZS_DEFER_ARRAY)
		return defer_array_push(pool, slot, &at);
	free_fallback(pool, slot, &at);
	return DEFER_PUSHED;
}

void zs_free_deferred(struct zs_pool *pool, unsigned long handle)
{
	struct pool_slot *slot = &pool->slots[port_cpu_get()];
	enum defer_push_result result = DEFER_NOT_THERE;
	struct handle_place at;

	if (unlikely(!slot_find(pool, slot, handle, &at)))
		port_cpu_put();
	else if (likely(pool->defer.policy == ZS_DEFER_TOMBSTONE))
		result = defer_tombstone_push(pool, slot, &at);
	else
		result = defer_push_other(pool, slot, at);
	if (unlikely(result != DEFER_PUSHED))
		defer_not_pushed(pool, handle, result);
}

void defer_account(struct zs_pool *pool, enum defer_account who, size_t n)
{
	port_atomic_add(&pool->defer.freed[who], n);
}

/*
 * Register, before taking pending handles, and say so when they are freed.
 * defer_enter() returns the side to leave. Context: any.
 */
static unsigned int defer_enter(struct zs_pool *pool)
{
	struct defer *d = &pool->defer;
	unsigned int side = port_atomic_load(&d->epoch) & 1;

	port_atomic_add(&d->holders[side], 1);
	/* Before anything is taken, so that a flush which misses it sees us. */
	port_atomic_fence();
	return side;
}

static void defer_leave(struct zs_pool *pool, unsigned int side)
{
	/* Release: what was freed is freed, for whoever sees us gone. */
	port_atomic_sub_return_release(&pool->defer.holders[side], 1);
}

/*
 * The budget is spent: batch-free a slice of what is pending, near @index if
 * there is any, so that the producer pays for what it adds. But not while a flush is
 * at work, which what a helper has in its hands would be hidden from. Context: any.
 * Returns whether there is room for a push now.
 */
static PORT_NOINLINE bool defer_help(struct zs_pool *pool, u32 index)
{
	const struct defer_policy_ops *ops = policy_ops[pool->defer.policy];
	u32 pending[FREE_SMALL_BATCH];
	u16 next[FREE_SMALL_BATCH];
	unsigned int side;
	size_t n = 0;

	if (!ops->take_some)
		return false;
	side = defer_enter(pool);
	/* After the fence: who sees no flush is seen by it, before its first wait. */
	if (!port_atomic_load(&pool->defer.flushing))
		n = ops->take_some(pool, index, pending, FREE_SMALL_BATCH);
	if (n) {
		n = free_indices(pool, pending, next, n, FREE_PENDING, "deferred free");
		defer_account(pool, DEFER_BY_HELP, n);
		defer_credit_reward(pool, n);
	}
	defer_leave(pool, side);
	/* The worker may have passed over a leaf while it seemed to be empty to us. */
	defer_arm(pool, DEFER_SOON);
	return n > 0;
}

/* The budget is spent: help and try again, or free it now. Or it is misuse. */
static PORT_NOINLINE void defer_not_pushed(struct zs_pool *pool, unsigned long handle,
					   enum defer_push_result result)
{
	struct pool_slot *slot;
	struct handle_place at;

	if (result == DEFER_NOT_THERE) {
		if (!handle_is_void(handle))
			pool_misuse(pool, handle, "zs_free_deferred", "not allocated");
		return;
	}
	if (result == DEFER_CANNOT && defer_help(pool, index_of_handle(handle))) {
		slot = &pool->slots[port_cpu_get()];
		slot_find(pool, slot, handle, &at);
		result = pool->defer.policy == ZS_DEFER_TOMBSTONE
				 ? defer_tombstone_push(pool, slot, &at)
				 : defer_push_other(pool, slot, at);
	}
	if (result == DEFER_PUSHED)
		return;
	slot = &pool->slots[port_cpu_get()];
	slot_find(pool, slot, handle, &at);
	if (result == DEFER_CANNOT) {
		free_fallback(pool, slot, &at);
		return;
	}
	port_cpu_put();
	pool_misuse(pool, handle, "zs_free_deferred",
		    free_misuse(port_atomic_load(at.entry)));
}

void defer_arm(struct zs_pool *pool, enum defer_urgency urgency)
{
	struct defer *d = &pool->defer;
	u64 armed = port_atomic_load(&d->armed);

	/* Fails only if somebody else armed, or the worker began: look again. */
	do {
		if (armed >= urgency)
			return;
	} while (!port_atomic_cmpxchg_acquire(&d->armed, &armed, urgency));
	if (armed == DEFER_IDLE)
		port_atomic_store(&d->armed_at_ns, port_now_ns());
	port_atomic_add(&d->kicks, 1);
	port_work_schedule(&d->work, urgency == DEFER_NOW ? 0 : DEFER_TIMER_MS);
}

/* Take and free one slice; returns how many were taken. */
static size_t defer_drain_slice(struct zs_pool *pool, struct defer_pass *pass, u32 *index,
				u16 *next, size_t max, enum defer_account who)
{
	const struct defer_policy_ops *ops = policy_ops[pool->defer.policy];
	size_t taken = ops->take(pool, pass, index, max);
	size_t freed;

	if (taken) {
		freed = free_indices(pool, index, next, taken, FREE_PENDING,
				     "deferred free");
		defer_account(pool, who, freed);
		pass->freed += freed;
		ops->freed(pool, taken, freed);
	}
	return taken;
}

static PORT_NOINLINE size_t defer_drain_small_slice(struct zs_pool *pool,
						    struct defer_pass *pass,
						    enum defer_account who)
{
	u32 index[FREE_SMALL_BATCH];
	u16 next[FREE_SMALL_BATCH];

	return defer_drain_slice(pool, pass, index, next, FREE_SMALL_BATCH, who);
}

/*
 * The worker lets others have its CPU, maybe for long: unregistered and with empty
 * hands, so that nobody in need of memory waits for it, or misses what it has taken.
 */
static void defer_rest(struct zs_pool *pool, struct defer_pass *pass)
{
	const struct defer_policy_ops *ops = policy_ops[pool->defer.policy];

	if (!port_cpu_wanted()) {
		port_yield();
		return;
	}
	if (ops->end)
		ops->end(pool, pass);
	defer_leave(pool, pass->side);
	port_work_yield(&pool->defer.work);
	pass->side = defer_enter(pool);
}

/* Between slices: let others run, and does the pass go on? */
static bool defer_goes_on(struct zs_pool *pool, struct defer_pass *pass,
			  enum defer_account who)
{
	struct defer *d = &pool->defer;

	if (who >= DEFER_BY_HELP) {
		port_yield();
		return true;
	}
	/* A flush waits for the workers, and will do the rest itself. */
	if (port_atomic_load(&d->flushing))
		return false;
	if (who == DEFER_BY_AIDE) {
		port_yield();
		return !port_cpu_wanted();
	}
	if (pass->taken - pass->called >= DEFER_BACKLOG &&
	    zs_deferred_pending(pool) >= DEFER_BACKLOG) {
		pass->called = pass->taken;
		port_work_schedule(&d->aide, 0);
	}
	defer_rest(pool, pass);
	return !port_atomic_load(&d->flushing);
}

/* One pass over what is pending. Returns how many it freed. */
static size_t defer_drain_pass(struct zs_pool *pool, enum defer_account who)
{
	const struct defer_policy_ops *ops = policy_ops[pool->defer.policy];
	struct defer_pass pass = {0};
	size_t n;

	if (!ops)
		return 0;
	pass.side = defer_enter(pool);
	do {
		struct free_scratch *s = free_scratch_try_get(pool);

		if (s) {
			n = defer_drain_slice(pool, &pass, s->index, s->next,
					      FREE_LARGE_BATCH, who);
			free_scratch_put(s);
		} else {
			n = defer_drain_small_slice(pool, &pass, who);
		}
		pass.taken += n;
	} while (n && defer_goes_on(pool, &pass, who));
	if (ops->end)
		ops->end(pool, &pass);
	defer_leave(pool, pass.side);
	/* The worker may have passed over a leaf that the aide has left. */
	if (n && who == DEFER_BY_AIDE)
		defer_arm(pool, DEFER_SOON);
	return pass.freed;
}

static void defer_worker(void *arg)
{
	struct zs_pool *pool = arg;
	struct defer *d = &pool->defer;
	u64 since;

	port_work_yield(&d->work);
	since = port_atomic_load(&d->armed_at_ns);
	/*
	 * Fully ordered before the pass (see the top of defer.h), and before the
	 * look at `flushing`: a flush that is seen here looks at what is pending
	 * after this, when it has ended, and arms the work again.
	 */
	port_atomic_xchg(&d->armed, DEFER_IDLE);
	if (port_atomic_load(&d->flushing))
		return;
	port_atomic_store(&d->pass_since_ns, since);
	defer_drain_pass(pool, DEFER_BY_WORKER);
	port_atomic_store(&d->pass_since_ns, 0);
}

/* For a large backlog, beside the worker, on a CPU that nobody else wants. */
static void defer_aide(void *arg)
{
	struct zs_pool *pool = arg;

	if (!port_cpu_wanted())
		defer_drain_pass(pool, DEFER_BY_AIDE);
}

/* Having freed @n, does the drainer need what others have taken just before? */
static bool drain_is_urgent(enum zs_flush_cause cause, size_t n)
{
	return (cause == ZS_FLUSH_NOMEM && !n) || cause == ZS_FLUSH_LIMIT ||
	       cause == ZS_FLUSH_OOM;
}

size_t zs_drain_deferred(struct zs_pool *pool, enum zs_flush_cause cause)
{
	struct defer *d = &pool->defer;
	unsigned int naps;
	size_t n;

	if ((unsigned int)cause >= ZS_FLUSH_NR)
		return 0;
	port_atomic_add(&d->flushes[cause], 1);
	n = defer_drain_pass(pool, DEFER_BY_FLUSH + cause);
	for (naps = 0; drain_is_urgent(cause, n) && naps < DEFER_MAX_NAPS; naps++) {
		if (!port_atomic_load_acquire(&d->holders[0]) &&
		    !port_atomic_load_acquire(&d->holders[1]))
			break;
		port_nap();
	}
	return n;
}

/* Wait for all who hold handles that a pass, now over, may have missed. */
static void defer_wait_for_holders(struct defer *d)
{
	int turn;

	for (turn = 0; turn < 2; turn++) {
		u64 epoch = port_atomic_load(&d->epoch);

		port_atomic_xchg(&d->epoch, epoch + 1);
		while (port_atomic_load_acquire(&d->holders[epoch & 1]))
			port_nap();
	}
}

void defer_flush(struct zs_pool *pool, enum zs_flush_cause cause)
{
	struct defer *d = &pool->defer;
	u64 idle = 0;

	if (!policy_ops[d->policy]) {
		port_atomic_add(&d->flushes[cause], 1);
		return;
	}
	/* The worker and, with the array policy, pushers see this and stay away. */
	while (!port_atomic_cmpxchg_acquire(&d->flushing, &idle, 1)) {
		idle = 0;
		port_nap();
	}
	port_atomic_fence();
	/* The worker may call the aide, and the aide may arm the worker as it goes. */
	port_work_cancel(&d->work);
	port_work_cancel(&d->aide);
	port_work_cancel(&d->work);
	/*
	 * The work may have been armed and is not scheduled now. This pass takes
	 * what it would have taken; later pushes must be able to arm it again.
	 */
	port_atomic_store(&d->pass_since_ns, port_atomic_load(&d->armed_at_ns));
	port_atomic_xchg(&d->armed, DEFER_IDLE);
	/* Others may be about to announce what pushes before this have relied on. */
	itable_announce(&pool->handles);
	zs_drain_deferred(pool, cause);
	defer_wait_for_holders(d);
	/* What they left, and what this passed over as they were about to take it. */
	defer_drain_pass(pool, DEFER_BY_FLUSH + cause);
	defer_wait_for_holders(d);
	port_atomic_store(&d->pass_since_ns, 0);
	/* Fully ordered before the look at what is pending: see defer_worker(). */
	port_atomic_xchg(&d->flushing, 0);
	if (zs_deferred_pending(pool))
		defer_arm(pool, DEFER_SOON);
}

void zs_free_deferred_flush(struct zs_pool *pool)
{
	defer_flush(pool, ZS_FLUSH_CALLER);
}

size_t zs_deferred_pending(struct zs_pool *pool)
{
	struct defer *d = &pool->defer;
	u64 freed = 0;
	u64 queued = 0;
	unsigned int i;

	/*
	 * Frees first: the difference is then rather too large. It can be negative
	 * for a moment, as a handle may be drained before its push has counted it.
	 */
	for (i = 0; i < DEFER_ACCOUNTS; i++)
		freed += port_atomic_load_acquire(&d->freed[i]);
	for (i = 0; i < port_cpu_slots(); i++)
		queued += port_atomic_load(&pool->slots[i].queued);
	if (queued <= freed)
		return 0;
	/* What was queued and freed while we added up is in one sum only. */
	return queued - freed < d->budget ? (size_t)(queued - freed) : d->budget;
}

size_t defer_budget_of_memory(unsigned int divisor)
{
	size_t share = port_memory_pages() / divisor;

	return share > DEFER_BUDGET_LEAST ? share : DEFER_BUDGET_LEAST;
}

int defer_init(struct zs_pool *pool, const struct zs_pool_params *params)
{
	enum zs_defer_policy policy = params ? params->policy : ZS_DEFER_DEFAULT;
	size_t budget = params ? params->defer_budget : 0;
	struct defer *d = &pool->defer;
	const struct defer_policy_ops *ops;
	int err;

	if ((unsigned int)policy >= ZS_DEFER_NR)
		return -PORT_EINVAL;
	d->policy = policy == ZS_DEFER_DEFAULT ? ZS_DEFER_TOMBSTONE : policy;
	ops = policy_ops[d->policy];
	if (!ops)
		return 0;
	d->budget = budget ? budget : ops->default_budget();
	d->threshold = d->budget > 1 ? d->budget / 2 : 1;
	if (ops->threshold_most && d->threshold > ops->threshold_most)
		d->threshold = ops->threshold_most;
	err = ops->init(pool);
	if (err)
		return err;
	err = port_work_init(&d->work, defer_worker, pool);
	if (err)
		goto no_work;
	err = port_work_init(&d->aide, defer_aide, pool);
	if (err)
		goto no_aide;
	return 0;

no_aide:
	port_work_fini(&d->work);
no_work:
	ops->fini(pool);
	return err;
}

void defer_fini(struct zs_pool *pool)
{
	const struct defer_policy_ops *ops = policy_ops[pool->defer.policy];

	if (!ops)
		return;
	port_work_fini(&pool->defer.aide);
	port_work_fini(&pool->defer.work);
	ops->fini(pool);
}

size_t defer_queue_bytes(const struct zs_pool *pool)
{
	const struct defer_policy_ops *ops = policy_ops[pool->defer.policy];

	return ops ? ops->queue_bytes(pool) : 0;
}

const char *zs_policy_name(enum zs_defer_policy policy)
{
	return (unsigned int)policy < ZS_DEFER_NR ? policy_names[policy] : NULL;
}

static bool string_equal(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

int zs_policy_by_name(const char *name)
{
	int policy;

	if (string_equal(name, "default"))
		return ZS_DEFER_DEFAULT;
	for (policy = ZS_DEFER_SYNC; policy < ZS_DEFER_NR; policy++) {
		if (string_equal(name, policy_names[policy]))
			return policy;
	}
	return -PORT_EINVAL;
}
