// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Deferral, from top to bottom: push, drain, drain threads, flush, set-up. See defer.h
 * for the words and the rules.
 *
 * Lock order: defer.show_lock, a leaf; policies and frees take theirs one at a time.
 */
#include "defer_tombstone.h"

static const char *const policy_names[ZS_DEFER_NR] = {
	[ZS_DEFER_DEFAULT] = "tombstone",
	[ZS_DEFER_SYNC] = "sync",
	[ZS_DEFER_ARRAY] = "array",
	[ZS_DEFER_TOMBSTONE] = "tombstone",
};

static const struct defer_policy_ops *const policy_ops[ZS_DEFER_NR] = {
	[ZS_DEFER_ARRAY] = &defer_array_ops,
	[ZS_DEFER_TOMBSTONE] = &defer_tombstone_ops,
};

/* ---- push ---- */

static void defer_not_pushed(struct zs_pool *pool, unsigned long handle,
			     enum defer_push_result result);

/*
 * With another policy than the default. Takes @at by value: if zs_free_deferred() passed
 * the address of its own place, the compiler would keep that in memory, and store and
 * load the entry's address on every push.
 */
static PORT_NOINLINE enum defer_push_result
defer_push_other(struct zs_pool *pool, struct pool_slot *slot, struct handle_place at)
{
	if (pool->defer.policy == ZS_DEFER_ARRAY)
		return defer_array_push(pool, slot, &at);
	free_fallback(pool, slot, &at);
	return DEFER_PUSHED;
}

/*
 * The fast path, of the exiting task. With the default policy it runs through, in this
 * order and all inlined: slot_find() (the handle's entry, by the leaf that the CPU slot
 * remembers), defer_tombstone_push(), in it credit_take() (room in the budget),
 * entry_set_pending() (one compare-and-swap) and pending_flag() (one load for seven
 * pushes of eight).
 */
void zs_free_deferred(struct zs_pool *pool, unsigned long handle)
{
	struct pool_slot *slot = &pool->slots[port_cpu_get()];
	enum defer_push_result result = DEFER_MISUSE;
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

static bool drain_in_passing(struct zs_pool *pool, enum defer_account account,
			     u64 *index);

/*
 * The budget is spent: the producer frees as many handles as it adds. It frees a slice of
 * what is pending, near its own handle first, whose neighbours are warm, and tries again;
 * with array it frees its own handle. Or it is misuse.
 */
static PORT_NOINLINE void defer_not_pushed(struct zs_pool *pool, unsigned long handle,
					   enum defer_push_result result)
{
	u64 index = index_of_handle(handle);
	struct pool_slot *slot;
	struct handle_place at;
	port_atomic *entry;

	if (result == DEFER_CANNOT && pool->defer.policy == ZS_DEFER_TOMBSTONE &&
	    drain_in_passing(pool, DEFER_BY_PRODUCER, &index)) {
		slot = &pool->slots[port_cpu_get()];
		slot_find(pool, slot, handle, &at);
		result = defer_tombstone_push(pool, slot, &at);
	}
	if (result == DEFER_CANNOT) {
		slot = &pool->slots[port_cpu_get()];
		slot_find(pool, slot, handle, &at);
		free_fallback(pool, slot, &at);
	} else if (result == DEFER_MISUSE && !handle_is_void(handle)) {
		entry = pool_entry(pool, handle);
		pool_misuse(pool, handle, "zs_free_deferred",
			    free_misuse(entry ? port_atomic_load(entry) : 0));
	}
}

void defer_arm(struct zs_pool *pool, enum defer_urgency urgency)
{
	struct defer *d = &pool->defer;
	u64 armed = port_atomic_load(&d->armed);

	/* Fails only if another producer armed, or the thread began: look again. */
	do {
		if (armed >= urgency)
			return;
	} while (!port_atomic_cmpxchg_acquire(&d->armed, &armed, urgency));
	if (armed == DEFER_IDLE)
		port_atomic_store(&d->armed_at_ns, port_now_ns());
	port_atomic_add(&d->kicks, 1);
	if (!port_atomic_load(&d->closed))
		port_work_schedule(&d->threads[0].work,
				   urgency == DEFER_NOW ? 0 : DEFER_TIMER_MS);
}

/* ---- how much is pending ---- */

u64 defer_freed(const struct zs_pool *pool)
{
	u64 freed = 0;
	unsigned int i;

	for (i = 0; i < DEFER_ACCOUNTS; i++)
		freed += port_atomic_load_acquire(&pool->defer.freed[i]);
	return freed;
}

/* Handles pending, and in *@queued how many were ever queued. */
static size_t defer_count(struct zs_pool *pool, u64 *queued)
{
	struct defer *d = &pool->defer;
	unsigned int i;
	u64 freed;

	/*
	 * Frees first: the difference is then rather too large. It can be negative
	 * for a moment: with array, a drain by entries may free a handle before its push
	 * has counted it. [B3]
	 */
	freed = defer_freed(pool);
	*queued = 0;
	for (i = 0; i < port_cpu_slots(); i++)
		*queued += port_atomic_load(&pool->slots[i].queued);
	if ((long long)(*queued - freed) <= 0)
		return 0;
	/* What was queued and freed while we added up is in one sum only. */
	return *queued - freed < d->budget ? (size_t)(*queued - freed) : d->budget;
}

size_t defer_pending(struct zs_pool *pool)
{
	u64 queued;

	return defer_count(pool, &queued);
}

size_t zs_deferred_pending(struct zs_pool *pool)
{
	struct defer *d = &pool->defer;

	/*
	 * The kernel's reclaim asks all the time: no drain thread is due, none is at
	 * work. Acquire: the first is at work before it resets `armed`.
	 */
	if (port_atomic_load_acquire(&d->armed) == DEFER_IDLE &&
	    !port_atomic_load(&d->at_work))
		return 0;
	return defer_pending(pool);
}

/* The mean object's share of a page, in 1/256. Reads the counters of every class. */
static u64 defer_mean_share(const struct zs_pool *pool)
{
	u64 objects = 0;
	unsigned int i;

	for (i = 0; i < pool->table.nr; i++)
		objects += port_atomic_load(&pool->classes[i]->objects);
	return objects ? (port_atomic_load(&pool->pages) << 8) / objects : 0;
}

/* The pages that @pending frees hold, to the home. Under show_lock. */
static void show_pages(struct zs_pool *pool, size_t pending)
{
	struct defer *d = &pool->defer;
	u64 pages, held;

	/* Producers come here before any drain thread has. */
	if (unlikely(!port_atomic_load(&d->share)))
		port_atomic_store(&d->share, defer_mean_share(pool));
	pages = pending * port_atomic_load(&d->share) >> 8;
	held = port_atomic_load(&pool->pages);
	port_pool_show_pending(pool->home, (size_t)(pages < held ? pages : held));
}

/*
 * Each drain that ends shows what is pending then, and looks at it under the lock: so the
 * last one shows what is left. [sim: shown at rest]
 */
static void defer_show_pending(struct zs_pool *pool)
{
	port_spin_lock(&pool->defer.show_lock);
	show_pages(pool, defer_pending(pool));
	port_spin_unlock(&pool->defer.show_lock);
}

void defer_try_show_pending(struct zs_pool *pool, size_t pending)
{
	if (!port_spin_trylock(&pool->defer.show_lock))
		return;
	show_pages(pool, pending);
	port_spin_unlock(&pool->defer.show_lock);
}

/* ---- drain ---- */

/* What a slice of a drain that wants pages takes for each. */
#define DRAIN_HANDLES_PER_PAGE (FREE_LARGE_BATCH / 16)

static bool drain_has_enough(const struct drain *d)
{
	return d->freed >= d->want_handles || d->pages >= d->want_pages;
}

/*
 * How many handles the next slice takes: no large batch for a drain that wants few. A
 * page holds some three objects, which are pending together or not.
 */
static size_t drain_slice_size(const struct drain *d, size_t room)
{
	size_t want = d->want_handles - d->freed;
	size_t pages = d->want_pages - d->pages;

	if (pages < FREE_LARGE_BATCH / DRAIN_HANDLES_PER_PAGE &&
	    want > pages * DRAIN_HANDLES_PER_PAGE)
		want = pages * DRAIN_HANDLES_PER_PAGE;
	if (want < FREE_SMALL_BATCH)
		want = FREE_SMALL_BATCH;
	return want < room ? want : room;
}

/* Free @n handles in @index, of which @taken came from the policy's queue. */
static void drain_free(struct drain *d, u32 *index, u16 *next, size_t n, size_t taken)
{
	struct zs_pool *pool = d->pool;
	size_t freed;

	freed = free_indices(pool, index, next, n, FREE_PENDING, "deferred free",
			     &d->pages);
	/*
	 * Their indices were given back by a fully ordered operation, which pairs with
	 * the acquire in defer_count(): a count that has these frees has their pushes.
	 */
	port_atomic_add(&pool->defer.freed[d->account], freed);
	policy_ops[pool->defer.policy]->freed(pool, taken, freed);
	d->freed += freed;
}

/* Take a slice by the policy's hints, and free it. False: the walk is over. */
static bool slice_by_hints(struct drain *d, u32 *index, u16 *next, size_t room)
{
	const struct defer_policy_ops *ops = policy_ops[d->pool->defer.policy];
	size_t n;

	table_read_begin(&d->pool->handles);
	n = ops->take(d, index, drain_slice_size(d, room));
	if (n)
		drain_free(d, index, next, n, n);
	table_read_end(&d->pool->handles);
	return !d->walk.over;
}

/*
 * Take a slice by reading the entries, and free it, from d->at to d->end: 8 bytes a
 * handle. It finds what the hints do not lead to: handles whose hints another drain has
 * taken and not freed yet, and handles whose flag is not published yet.
 */
static bool slice_by_entries(struct drain *d, u32 *index, u16 *next, size_t room)
{
	size_t n;

	if (d->at >= d->end)
		return false;
	table_read_begin(&d->pool->handles);
	n = table_scan(&d->pool->handles, &d->at, FREE_PENDING, index,
		       drain_slice_size(d, room));
	if (n)
		drain_free(d, index, next, n, 0);
	table_read_end(&d->pool->handles);
	return true;
}

typedef bool slice_fn(struct drain *d, u32 *index, u16 *next, size_t room);

static PORT_NOINLINE bool small_slice(struct drain *d, slice_fn *slice)
{
	u32 index[FREE_SMALL_BATCH];
	u16 next[FREE_SMALL_BATCH];

	return slice(d, index, next, FREE_SMALL_BATCH);
}

/*
 * Drain in the context of a task that wants something, until it has enough or the walk
 * is over. Returns whether the walk is not.
 */
static bool drain_walk(struct drain *d, slice_fn *slice)
{
	struct free_scratch *s;
	bool more = true;

	while (more && !drain_has_enough(d)) {
		s = free_scratch_try_get(d->pool);
		if (s) {
			more = slice(d, s->index, s->next, FREE_LARGE_BATCH);
			free_scratch_put(d->pool);
		} else {
			more = small_slice(d, slice);
		}
		port_yield();
	}
	return more;
}

static void drain_by_hints(struct drain *d)
{
	/* If this task is preempted in the middle, a drain thread does the rest. */
	if (defer_pending(d->pool))
		defer_arm(d->pool, DEFER_SOON);
	pending_walk_begin(&d->walk, &d->pool->handles, 0);
	/* A drain thread may have passed over a leaf that this walk leaves. */
	if (drain_walk(d, slice_by_hints) || d->walk.left)
		defer_arm(d->pool, DEFER_SOON);
}

static void drain_by_entries(struct drain *d, u64 at, u64 end)
{
	d->at = at;
	d->end = end;
	drain_walk(d, slice_by_entries);
}

/*
 * Other drains hold hints, and may not be running: look for what they have at most
 * DEFER_SCAN_MOST entries, some 4 ms, further on with each call.
 */
static void drain_some_entries(struct drain *d)
{
	port_atomic *from = &d->pool->defer.scan_from;
	u64 end = table_end(&d->pool->handles);
	u64 at = port_atomic_load(from);

	if (at >= end || end <= DEFER_SCAN_MOST)
		at = 0;
	if (end > at + DEFER_SCAN_MOST)
		end = at + DEFER_SCAN_MOST;
	drain_by_entries(d, at, end);
	port_atomic_store(from, d->at);
}

size_t defer_drain(struct zs_pool *pool, enum zs_flush_cause cause, size_t handles,
		   size_t pages)
{
	struct drain d = {.pool = pool,
			  .account = DEFER_BY_FLUSH + cause,
			  .want_handles = handles,
			  .want_pages = pages};
	bool needs = cause == ZS_FLUSH_NOMEM || cause == ZS_FLUSH_LIMIT ||
		     cause == ZS_FLUSH_OOM;

	port_atomic_add(&pool->defer.flushes[cause], 1);
	if (!policy_ops[pool->defer.policy])
		return 0;
	/* Pairs with the full order of the push, as in defer_flush(). */
	port_atomic_fence();
	drain_by_hints(&d);
	/*
	 * This drain has walked over all that was pushed before. Another drain holds
	 * what is still pending. [D2]
	 */
	if (needs && !drain_has_enough(&d) && defer_pending(pool))
		drain_some_entries(&d);
	if (d.freed)
		defer_show_pending(pool);
	return d.freed;
}

size_t zs_drain_deferred(struct zs_pool *pool, enum zs_flush_cause cause, size_t want)
{
	const size_t all = ~(size_t)0;

	switch (cause) {
	case ZS_FLUSH_NOMEM:
	case ZS_FLUSH_LIMIT:
	case ZS_FLUSH_OOM:
		return defer_drain(pool, cause, all, want ? want : all);
	default:
		if ((unsigned int)cause >= ZS_FLUSH_NR)
			return 0;
		return defer_drain(pool, cause, want ? want : all, all);
	}
}

/*
 * Free a small slice from *@index on, and store in *@index where the walk stopped.
 * Returns whether any was freed. Context: any; never waits.
 */
static PORT_NOINLINE bool drain_in_passing(struct zs_pool *pool,
					   enum defer_account account, u64 *index)
{
	struct drain d = {.pool = pool,
			  .account = account,
			  .want_handles = FREE_SMALL_BATCH,
			  .want_pages = ~(size_t)0};

	pending_walk_begin(&d.walk, &pool->handles, *index);
	small_slice(&d, slice_by_hints);
	*index = (u64)d.walk.leaf_nr << TABLE_SHIFT;
	/*
	 * This walk has stopped: a drain thread may have passed over its leaf. Full
	 * fence: if `armed` reads as set, the run that resets it sees what was freed
	 * here.
	 */
	port_atomic_fence();
	defer_arm(pool, DEFER_SOON);
	return d.freed;
}

bool defer_drain_slice(struct zs_pool *pool, enum zs_flush_cause cause)
{
	struct defer *d = &pool->defer;
	u64 index = port_atomic_load(&d->slice_from);
	bool freed = drain_in_passing(pool, DEFER_BY_FLUSH + cause, &index);

	/* All of them share this position, like the hand of a clock. */
	port_atomic_store(&d->slice_from, index);
	port_atomic_add(&d->flushes[cause], 1);
	return freed;
}

/* ---- drain threads ---- */

/*
 * May this thread run now? Not while producers push, more than a few handles since it
 * looked last, and another task wants its CPU. But it may if the drain, which is due
 * since @since_ns, is late. That the budget is nearly spent is no reason: if it is spent,
 * the producer frees, and if it is not, it need not have waited for this thread.
 */
static bool thread_may_run(struct drain_thread *t, u64 since_ns)
{
	struct zs_pool *pool = t->pool;
	u64 queued;
	size_t pending = defer_count(pool, &queued);
	bool pushed = queued - t->queued_seen > FREE_SMALL_BATCH;

	t->queued_seen = queued;
	t->pending_seen = pending;
	return !pushed || !port_cpu_contended() ||
	       port_now_ns() - since_ns >= DEFER_LATE_MS * 1000000ull;
}

/*
 * A drain thread has normal priority, so that no task waits for a thread that cannot
 * run. It decides when to run instead. The system waits for an exiting task that pushes,
 * and that task has saved more CPU time than the drain takes. So while producers push
 * and the scheduler has found no idle CPU for this thread, it sleeps, and looks again in
 * a millisecond; it holds nothing then. False: the run is to end. [W3]
 */
static bool thread_wait_for_producers(struct drain_thread *t, u64 since_ns)
{
	while (!port_work_cancelled(&t->work)) {
		if (thread_may_run(t, since_ns))
			return true;
		port_nap();
	}
	return false;
}

/* One more thread for each backlog that is left. */
static void thread_wake_others(const struct drain_thread *t)
{
	struct defer *d = &t->pool->defer;
	unsigned int i;

	for (i = 1; i < d->nr_threads; i++) {
		if (t->pending_seen >= i * (size_t)DEFER_BACKLOG &&
		    !port_atomic_load(&d->closed))
			port_work_schedule(&d->threads[i].work, 0);
	}
}

/*
 * Walk once over what is pending, slice by slice. The threads begin at different
 * parts of the table. Returns whether something may be left.
 */
static bool thread_drain(struct drain_thread *t, u64 since_ns)
{
	struct zs_pool *pool = t->pool;
	u64 leaves = port_atomic_load_acquire(&pool->handles.nr_leaves);
	struct drain d = {.pool = pool,
			  .account = DEFER_BY_THREAD,
			  .want_handles = ~(size_t)0,
			  .want_pages = ~(size_t)0};

	pending_walk_begin(&d.walk, &pool->handles,
			   leaves * t->nr / pool->defer.nr_threads << TABLE_SHIFT);
	while (slice_by_hints(&d, t->scratch.index, t->scratch.next, FREE_LARGE_BATCH)) {
		port_yield();
		if (!thread_wait_for_producers(t, since_ns))
			return true;
		defer_try_show_pending(pool, t->pending_seen);
		if (!t->nr)
			thread_wake_others(t);
	}
	return d.walk.left;
}

/* The first thread is the one that is armed; it wakes more when it has a backlog. */
static void first_thread_run(struct drain_thread *t)
{
	struct zs_pool *pool = t->pool;
	struct defer *d = &pool->defer;
	u64 since = port_atomic_load(&d->armed_at_ns);

	/* The producer that armed it may not have come to say when. */
	if (!since)
		since = port_now_ns();
	port_atomic_store(&d->share, defer_mean_share(pool));
	/* Cancelled, it leaves `armed` to the flush that cancels. */
	if (!thread_wait_for_producers(t, since))
		return;
	port_atomic_store(&d->drain_since_ns, since);
	port_atomic_store(&d->armed_at_ns, 0);
	/* Fully ordered before the walk: see the top of defer.h. */
	port_atomic_xchg(&d->armed, DEFER_IDLE);
	if (thread_drain(t, since)) {
		defer_arm(pool, DEFER_SOON);
		/* What is left has been waiting since then. */
		port_atomic_store(&d->armed_at_ns, since);
	}
	port_atomic_store(&d->drain_since_ns, 0);
}

static void drain_thread_run(void *arg)
{
	struct drain_thread *t = arg;
	port_atomic *at_work = &t->pool->defer.at_work;

	port_atomic_add(at_work, 1);
	if (!t->nr)
		first_thread_run(t);
	else if (thread_drain(t, port_now_ns()))
		defer_arm(t->pool, DEFER_SOON);
	defer_show_pending(t->pool);
	/* The last object is gone, so nearly all leaves are without handles. */
	if (!port_atomic_load(&t->pool->pages))
		table_shrink(&t->pool->handles, ~(u32)0);
	port_atomic_add(at_work, (u64)-1);
}

unsigned int defer_threads_for(unsigned int cpus)
{
	unsigned int n = (cpus + DEFER_CPUS_PER_THREAD - 1) / DEFER_CPUS_PER_THREAD;

	return n < DEFER_THREADS_MAX ? n : DEFER_THREADS_MAX;
}

/* ---- flush ---- */

/*
 * Every handle whose push returned before has been freed when the drain is over. Its
 * entry was read after the push: either it was pending, and this drain freed it, or
 * another drain had cleared it under the class lock, and may count it, and give its
 * pages back, a moment later. [F1]
 *
 * Then the drain threads finish their slices, so that the pages of what they freed are
 * back as well. They have normal priority, and the home lends them that of the caller if
 * it is higher. [F2]
 */
void defer_flush(struct zs_pool *pool, enum zs_flush_cause cause)
{
	struct defer *d = &pool->defer;
	struct drain drain = {.pool = pool,
			      .account = DEFER_BY_FLUSH + cause,
			      .want_handles = ~(size_t)0,
			      .want_pages = ~(size_t)0};
	unsigned int i;

	port_atomic_add(&d->flushes[cause], 1);
	if (!policy_ops[d->policy])
		return;
	/*
	 * Pairs with the full order of the push: a push that returned before, on another
	 * CPU and with nothing else to order it, is seen. [mutant flush-no-fence]
	 */
	port_atomic_fence();
	/* The array is emptied for pushes to come; else the entries say all. */
	if (d->policy == ZS_DEFER_ARRAY)
		drain_by_hints(&drain);
	drain_by_entries(&drain, 0, table_end(&pool->handles));
	for (i = 0; i < d->nr_threads; i++)
		port_work_cancel(&d->threads[i].work);
	/*
	 * The work that was armed is not scheduled now. Fully ordered before the look
	 * at what is pending: a producer that still read it as armed is seen there. If
	 * it was armed, the map may have flags of handles that were freed by their
	 * entries, which would keep producers from arming: a walk is to clear them. [F3]
	 */
	if (port_atomic_xchg(&d->armed, DEFER_IDLE) != DEFER_IDLE || defer_pending(pool))
		defer_arm(pool, DEFER_SOON);
	defer_show_pending(pool);
}

void zs_free_deferred_flush(struct zs_pool *pool)
{
	defer_flush(pool, ZS_FLUSH_CALLER);
}

/* ---- set-up ---- */

static size_t defer_threads_size(const struct defer *d)
{
	return d->nr_threads * sizeof(struct drain_thread);
}

static void defer_stop_threads(struct defer *d, unsigned int n)
{
	unsigned int i;

	/*
	 * Twice: a run that began before `closed` was set may have scheduled a work
	 * that was cancelled before; no run that began after it schedules any. [W5]
	 */
	port_atomic_xchg(&d->closed, 1);
	for (i = 0; i < 2 * n; i++)
		port_work_cancel(&d->threads[i % n].work);
	for (i = 0; i < n; i++)
		port_work_fini(&d->threads[i].work);
}

void defer_stop(struct zs_pool *pool)
{
	if (policy_ops[pool->defer.policy])
		defer_stop_threads(&pool->defer, pool->defer.nr_threads);
}

static int defer_start_threads(struct zs_pool *pool)
{
	struct defer *d = &pool->defer;
	unsigned int i;
	int err;

	d->nr_threads = policy_ops[d->policy] == &defer_array_ops
				? 1
				: defer_threads_for(port_cpus());
	d->threads = port_meta_alloc(defer_threads_size(d), PORT_ALLOC_WAIT);
	if (!d->threads)
		return -PORT_ENOMEM;
	for (i = 0; i < d->nr_threads; i++) {
		struct drain_thread *t = &d->threads[i];

		t->pool = pool;
		t->nr = i;
		err = port_work_init(&t->work, drain_thread_run, t);
		if (err)
			goto no_work;
	}
	return 0;

no_work:
	if (i)
		defer_stop_threads(d, i);
	port_meta_free(d->threads, defer_threads_size(d));
	return err;
}

int defer_init(struct zs_pool *pool, const struct zs_pool_params *params)
{
	struct defer *d = &pool->defer;
	const struct defer_policy_ops *ops;
	int err;

	if ((unsigned int)params->policy >= ZS_DEFER_NR)
		return -PORT_EINVAL;
	d->policy =
		params->policy == ZS_DEFER_DEFAULT ? ZS_DEFER_TOMBSTONE : params->policy;
	ops = policy_ops[d->policy];
	if (!ops)
		return 0;
	port_spin_init(&d->show_lock);
	d->budget = params->defer_budget ? params->defer_budget : ops->default_budget();
	d->threshold = d->budget > 1 ? d->budget / 2 : 1;
	if (ops->threshold_most && d->threshold > ops->threshold_most)
		d->threshold = ops->threshold_most;
	err = ops->init(pool);
	if (err)
		return err;
	err = defer_start_threads(pool);
	if (err)
		ops->fini(pool);
	return err;
}

void defer_fini(struct zs_pool *pool)
{
	struct defer *d = &pool->defer;
	const struct defer_policy_ops *ops = policy_ops[d->policy];

	if (!ops)
		return;
	port_meta_free(d->threads, defer_threads_size(d));
	ops->fini(pool);
}

size_t defer_bytes(const struct zs_pool *pool)
{
	const struct defer_policy_ops *ops = policy_ops[pool->defer.policy];

	return ops ? port_meta_size(ops->queue_bytes(pool)) +
			       port_meta_size(defer_threads_size(&pool->defer))
		   : 0;
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
