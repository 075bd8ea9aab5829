/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "actor.h"
#include "defer.h"
#include "describe.h"
#include "model.h"
#include "pool.h"

enum { SHORT_LEN = 24, SLACK_US = 4000, RECLAIM_CALLS = 3, BALLAST_SIZE = 96 };
enum { MOVES_MOST = 24, MOVES_STEP = 7 };
/* Two objects of the adversary are in a zspage. */
enum { PUSHER_HOLDS = 6, ADVERSARY_HOLDS = 400, ADVERSARY_SIZE = 2048 };

/* ---- one object ---- */

static void object_write(struct cell *c)
{
	char bytes[PORT_PAGE_SIZE];

	/* Mostly a few bytes: what matters is where they are. */
	c->seed = ++model.seeds;
	c->len = c->seed % 8 && c->size > SHORT_LEN ? SHORT_LEN : c->size;
	content_fill(c, bytes);
	sim_atomic_begin();
	if (zs_obj_write(model.pool, c->handle, bytes, c->len))
		sim_fail("a write to handle %lu is refused", c->handle);
	sim_atomic_end();
}

static void object_malloc(struct cell *c, u32 size)
{
	unsigned long handle;

	if (!cell_take(c, CELL_EMPTY))
		return;
	handle = zs_malloc(model.pool, size);
	if (zs_handle_error(handle)) {
		if (zs_handle_error(handle) != -PORT_ENOMEM || !sim_may_fail())
			sim_fail("zs_malloc() gives %d", zs_handle_error(handle));
		cell_put(c, CELL_EMPTY);
		return;
	}
	model_got(handle);
	c->handle = handle;
	c->size = size;
	c->seed = 0;
	object_write(c);
	cell_put(c, CELL_LIVE);
}

static void object_rewrite(struct cell *c)
{
	if (!cell_take(c, CELL_LIVE))
		return;
	object_write(c);
	cell_put(c, CELL_LIVE);
}

/* Readers do not exclude each other; they hold the object for @points points. */
static void object_read(struct cell *c, unsigned int points)
{
	char buf[PORT_PAGE_SIZE];
	const void *p;

	if (c->state != CELL_LIVE)
		return;
	c->readers++;
	sim_sync_acquire(&c->sync);
	sim_atomic_begin();
	p = zs_obj_read_begin(model.pool, c->handle, c->len, buf);
	if (!p)
		sim_fail("a read of handle %lu is refused", c->handle);
	content_check(c, p, "when read");
	while (points--)
		sim_point("reads on", NULL);
	content_check(c, p, "while it is held");
	zs_obj_read_end(model.pool, c->handle);
	sim_atomic_end();
	sim_sync_release(&c->sync);
	c->readers--;
}

static void object_free(struct cell *c)
{
	if (!cell_take(c, CELL_LIVE))
		return;
	model_gives(c->handle);
	sim_atomic_begin();
	zs_free(model.pool, c->handle);
	sim_atomic_end();
	cell_put(c, CELL_EMPTY);
}

static void object_defer(struct cell *c)
{
	struct model_handle *h;
	unsigned long handle = c->handle;
	u32 generation;

	if (!cell_take(c, CELL_LIVE))
		return;
	h = &model.handle[handle];
	generation = h->generation;
	model_gives(handle);
	sim_atomic_begin();
	model_push_begins();
	zs_free_deferred(model.pool, handle);
	model.pushing--;
	sim_atomic_end();
	model.deferred++;
	/* Unless it is somebody else's by now. */
	if (h->generation == generation)
		h->deferred = true;
	cell_put(c, CELL_EMPTY);
}

/* ---- many objects, and the pool ---- */

static struct cell *cell_of(const struct op *op, u32 i)
{
	return &model.cell[(op->cell + i) % model.program->cells];
}

static u32 cells_of(const struct op *op)
{
	return op->n < model.program->cells ? op->n : model.program->cells;
}

static void batch_free(const struct op *op)
{
	unsigned long handles[CELLS_MAX] = {0};
	struct cell *taken[CELLS_MAX];
	u32 i, n = 0, filled = 0;

	for (i = 0; i < cells_of(op); i++) {
		struct cell *c = cell_of(op, i);

		if (!cell_take(c, CELL_LIVE)) {
			/* Void handles are ignored. */
			handles[filled++] = i % 2 ? 0 : (unsigned long)-PORT_ENOMEM;
			continue;
		}
		model_gives(c->handle);
		handles[filled++] = c->handle;
		taken[n++] = c;
	}
	sim_atomic_begin();
	zs_free_batch(model.pool, handles, filled);
	sim_atomic_end();
	for (i = 0; i < n; i++)
		cell_put(taken[i], CELL_EMPTY);
}

/*
 * A drain, and a flush, end by construction: in so many steps of the calling thread,
 * however much others push meanwhile. Each handle is visited twice at most.
 */
enum { DRAIN_STEPS = 1000, DRAIN_STEPS_HANDLE = 30 };

struct bounded {
	u64 begin, most; /* steps */
	unsigned long held[ADVERSARY_HOLDS]; /* objects of the adversary */
	u32 nr_held;
};

static unsigned long pusher_malloc(size_t size)
{
	unsigned long handle;

	model.at_work++;
	handle = zs_malloc(model.pool, size);
	if (zs_handle_error(handle))
		handle = 0;
	else
		model_got(handle);
	model.at_work--;
	return handle;
}

static void pusher_push(unsigned long *handle)
{
	if (!*handle)
		return;
	model.at_work++;
	model_gives(*handle);
	sim_atomic_begin();
	model_push_begins();
	zs_free_deferred(model.pool, *handle);
	model.pushing--;
	sim_atomic_end();
	model.deferred++;
	*handle = 0;
	model.at_work--;
}

/*
 * Whenever the actor could be interrupted, there is more of what it looks for: two more
 * pending handles, two more zspages that are half full. One actor at a time has it.
 */
static struct bounded *adversary;

static void adversary_acts(void)
{
	struct bounded *b = adversary;
	unsigned long handle[4];
	unsigned int i;

	if (b->nr_held + 2 > ADVERSARY_HOLDS)
		return;
	for (i = 0; i < 4; i++)
		handle[i] = pusher_malloc(ADVERSARY_SIZE);
	for (i = 0; i < 4; i += 2) {
		pusher_push(&handle[i]);
		b->held[b->nr_held++] = handle[i + 1];
	}
}

static void bounded_begin(struct bounded *b)
{
	u64 leaves;

	sim_freeze();
	leaves = port_atomic_load(&model.pool->handles.nr_leaves);
	sim_thaw();
	b->begin = sim_own_points();
	b->most = DRAIN_STEPS +
		  ((leaves << TABLE_SHIFT) + model.program->budget) * DRAIN_STEPS_HANDLE;
	b->nr_held = 0;
	if (model.program->adversary && !adversary) {
		adversary = b;
		sim_on_yield(adversary_acts);
	}
}

static void bounded_end(struct bounded *b, const char *what)
{
	u64 steps = sim_own_points() - b->begin;
	u32 i;

	if (steps > b->most)
		sim_fail("%s took %llu steps", what, steps);
	if (adversary != b)
		return;
	sim_on_yield(NULL);
	adversary = NULL;
	for (i = 0; i < b->nr_held; i++)
		pusher_push(&b->held[i]);
}

/* Every handle whose deferred free has returned before must be freed after. */
static void pool_flush(void)
{
	u32 deferred[HANDLES_MAX];
	struct bounded b;
	unsigned long h;

	model_deferred_note(deferred);
	bounded_begin(&b);
	zs_free_deferred_flush(model.pool);
	bounded_end(&b, "a flush");
	h = model_still_pending(deferred);
	if (h)
		sim_fail("handle %lu is pending after a flush", h);
}

static bool cause_wants_pages(enum zs_flush_cause cause)
{
	return cause == ZS_FLUSH_NOMEM || cause == ZS_FLUSH_LIMIT ||
	       cause == ZS_FLUSH_OOM;
}

static u64 table_handles(void)
{
	u64 leaves;

	sim_freeze();
	leaves = port_atomic_load(&model.pool->handles.nr_leaves);
	sim_thaw();
	return leaves << TABLE_SHIFT;
}

/* A task in need gets the pages it wants, or all that there are; and stops then. */
static void pages_check(u64 begin, u64 given, size_t want, const u32 *deferred)
{
	unsigned long h = 0;

	/* A push under way may be about to publish the flag of one that has returned. */
	if ((!want || given < want) && table_handles() <= DEFER_SCAN_MOST &&
	    !model.pushing && model.pushes == deferred[0])
		h = model_still_pending(deferred);
	if (h)
		sim_fail("a drain for %zu pages gives %llu, and handle %lu is pending",
			 want, given, h);
	if (want && sim_own_pages_before() >= begin + want)
		sim_fail("a drain goes on when it has given %zu pages", want);
}

static void pool_drain(const struct op *op)
{
	enum zs_flush_cause cause = (enum zs_flush_cause)(op->n % ZS_FLUSH_NR);
	u32 deferred[HANDLES_MAX];
	u64 pages = sim_own_pages(), given;
	size_t want = op->cell % 4;
	struct bounded b;
	size_t freed;

	model_deferred_note(deferred);
	bounded_begin(&b);
	freed = zs_drain_deferred(model.pool, cause, want);
	given = sim_own_pages() - pages;
	bounded_end(&b, "a drain");
	if (cause_wants_pages(cause))
		pages_check(pages, given, want, deferred);
	else if (want && freed > want + FREE_SMALL_BATCH)
		sim_fail("a drain frees %zu handles, %zu were wanted", freed, want);
	model.drained[cause] += freed;
}

/* What is pending all the while is counted. With array another drain may be ahead. */
static void pool_ask(void)
{
	u32 deferred[HANDLES_MAX];
	struct zs_pool_stats s;

	model_deferred_note(deferred);
	port_atomic_fence();
	zs_pool_stats(model.pool, &s);
	if (model.program->policy == ZS_DEFER_TOMBSTONE &&
	    s.pending < model_count_still_pending(deferred))
		sim_fail("%zu pending are too few", s.pending);
	if (s.pending > s.capacity)
		sim_fail("%zu pending of %zu", s.pending, s.capacity);
	if (zs_deferred_pending(model.pool) > s.capacity)
		sim_fail("more pending than the budget");
	if (s.pages && !zs_huge_class_size(model.pool))
		sim_fail("no huge class");
}

/* A CPU goes, and what it has pushed stays to be found. */
static void cpu_offline(const struct op *op)
{
	unsigned int cpu = op->cell % port_cpu_slots();

	if (!sim_cpu_offline(cpu))
		return;
	sim_note("CPU %u is gone", cpu);
	if (op->n % 2) {
		sim_point("offline", NULL);
		sim_cpu_online(cpu);
		sim_note("CPU %u is back", cpu);
	}
}

/* Of the classes that the program has objects of. */
static size_t zspage_most_pages(void)
{
	const struct size_class_table *t = &model.pool->table;
	size_t most = t->layout[size_class_index(t, BALLAST_SIZE)].pages;
	unsigned int i;

	for (i = 0; i < SIZES; i++) {
		size_t pages =
			t->layout[size_class_index(t, model.program->size[i])].pages;

		most = pages > most ? pages : most;
	}
	return most;
}

static void pool_compact(const struct op *op)
{
	struct bounded b;
	size_t pages = 0;

	bounded_begin(&b);
	if (op->n % 2)
		zs_compact(model.pool);
	else
		pages = zs_compact_pages(model.pool, op->n);
	bounded_end(&b, "compaction");
	/* The last zspage may have more pages than were wanted still. */
	if (pages && pages >= op->n + zspage_most_pages())
		sim_fail("compaction gives %zu pages, %u were wanted", pages, op->n);
}

/* ---- operations ---- */

static void op_on_object(const struct op *op)
{
	struct cell *c = cell_of(op, 0);
	u32 i;

	/* An operation that finds nothing to work on makes something. */
	if (c->state == CELL_EMPTY && op->kind != OP_BATCH && op->kind != OP_DEFER_MANY) {
		object_malloc(c, model.program->size[op->size]);
		return;
	}
	switch (op->kind) {
	case OP_WRITE:
		object_rewrite(c);
		break;
	case OP_FREE:
		object_free(c);
		break;
	case OP_BATCH:
		batch_free(op);
		break;
	case OP_DEFER:
		object_defer(c);
		break;
	case OP_DEFER_MANY:
		for (i = 0; i < cells_of(op); i++)
			object_defer(cell_of(op, i));
		break;
	default:
		object_read(c, op->n % 8);
	}
}

static void op_run(const struct op *op)
{
	switch (op->kind) {
	case OP_FLUSH:
		pool_flush();
		break;
	case OP_DRAIN:
		pool_drain(op);
		break;
	case OP_COMPACT:
		pool_compact(op);
		break;
	case OP_STATS:
		pool_ask();
		break;
	case OP_HOTPLUG:
		cpu_offline(op);
		break;
	case OP_SLEEP:
		sim_sleep_us(op->n * 500);
		break;
	case OP_MOVE:
		sim_move_page(op->cell);
		break;
	default:
		op_on_object(op);
	}
}

static void op_note(const struct op *op, bool begins)
{
	char text[64];

	if (!model.program->config.trace)
		return;
	op_print(op, text, sizeof(text));
	sim_note("%s %s", begins ? ">" : "<", text);
}

static void actor_run(void *arg)
{
	const struct op *op = arg;
	unsigned int i;

	for (i = 0; i < OPS_MAX; i++) {
		if (op[i].kind == OP_NONE)
			continue;
		op_note(&op[i], true);
		model.at_work++;
		op_run(&op[i]);
		model.at_work--;
		model_check();
		op_note(&op[i], false);
		sim_point("between", NULL);
	}
	model.actors_left--;
}

/*
 * A producer that does not stop while others are at work: those it keeps busy must come
 * to an end all the same. It holds some objects and frees them in another order than
 * it has allocated them, so that there is something to compact, too.
 */
static void pusher_run(void *unused)
{
	const struct program *p = model.program;
	unsigned long held[PUSHER_HOLDS] = {0};
	u32 i;

	(void)unused;
	for (i = 0; model.actors_left; i++) {
		unsigned long *handle = &held[i * 5 % 7 % PUSHER_HOLDS];

		pusher_push(handle);
		*handle = pusher_malloc(p->size[0]);
		if (p->push_every)
			sim_sleep_us(1 + p->push_every * p->config.point_ns / 1000);
		else
			sim_point("between", NULL);
	}
	for (i = 0; i < PUSHER_HOLDS; i++)
		pusher_push(&held[i]);
}

/* The home, which moves pages while others are at work, or the pool is being destroyed.
 */
static void mover_run(void *unused)
{
	u32 i;

	(void)unused;
	for (i = 0; i < MOVES_MOST && !model.destroyed; i++) {
		if (!sim_move_page(i * MOVES_STEP))
			sim_sleep_us(1);
		sim_point("between", NULL);
	}
}

/* The home's reclaim, which calls in until the pool is withdrawn. */
static void reclaim_run(void *unused)
{
	unsigned int i;

	(void)unused;
	for (i = 0; i < RECLAIM_CALLS && sim_home_enter(); i++) {
		if (i % 2)
			zs_compact_pages(model.pool, 1);
		else
			model.drained[ZS_FLUSH_SHRINKER] +=
				zs_drain_deferred(model.pool, ZS_FLUSH_SHRINKER, 1);
		sim_home_leave();
	}
}

/* ---- the main thread ---- */

static void pool_create(const struct program *p)
{
	struct zs_pool_params params = {.policy = p->policy, .defer_budget = p->budget};
	int err = zs_create_pool("sim", &params, &model.pool);

	/* At most one allocation fails for now; nothing may be left of it. */
	if (err) {
		if (err != -PORT_ENOMEM || !sim_may_fail())
			sim_fail("zs_create_pool() gives %d", err);
		if (sim_meta_outstanding() || model.pool)
			sim_fail("a failed zs_create_pool() leaks");
		err = zs_create_pool("sim", &params, &model.pool);
	}
	if (err)
		sim_fail("zs_create_pool() gives %d", err);
	describe_pool(model.pool);
}

static unsigned long ballast_malloc(void)
{
	unsigned long handle = zs_malloc(model.pool, BALLAST_SIZE);

	if (zs_handle_error(handle))
		return 0;
	model_got(handle);
	return handle;
}

static void ballast_fill(const struct program *p)
{
	u32 i;

	for (i = 0; i < p->ballast; i++)
		ballast_malloc();
	for (i = 0; i < p->pushed; i++) {
		unsigned long handle = ballast_malloc();

		if (!handle)
			continue;
		model_gives(handle);
		zs_free_deferred(model.pool, handle);
		model.deferred++;
		model.handle[handle].deferred = true;
	}
}

static void cells_fill(const struct program *p)
{
	u32 i;

	ballast_fill(p);
	for (i = 0; i < p->filled; i++)
		object_malloc(&model.cell[i], p->size[i % SIZES]);
	for (i = 0; p->holes && i < p->filled; i += p->holes)
		object_free(&model.cell[i]);
	for (i = 0; i < p->pending; i++)
		object_defer(&model.cell[i]);
}

/* Nothing is asked for any more: what is pending must go by itself, in time. */
static void remainder_wait(const struct program *p)
{
	u64 begin = sim_now_us();
	/* Once more if the CPU was contended, and if either thread has left something. */
	u64 most = 4 * DEFER_TIMER_MS * 1000 + 5 * p->config.work_lag_us + SLACK_US;

	sim_work_wait();
	if (model_pending())
		sim_fail("a remainder of %zu stays pending", model_pending());
	if (p->config.point_ns < 100 && sim_now_us() - begin > most)
		sim_fail("the remainder took %llu us", sim_now_us() - begin);
}

static void pool_end(const struct program *p)
{
	if (p->ending == END_QUIET)
		remainder_wait(p);
	else if (p->ending == END_FLUSH)
		pool_flush();
	if (p->ending != END_DESTROY) {
		sim_work_wait();
		if (model_pending())
			sim_fail("%zu are pending at the end", model_pending());
		model_check_quiet();
		if (sim_home_shown())
			sim_fail("%zu pages are shown as pending, and none is",
				 sim_home_shown());
	}
	sim_note("> destroy");
	if (p->reclaim)
		sim_spawn(reclaim_run, NULL, "reclaim");
	if (p->mover)
		sim_spawn(mover_run, NULL, "mover");
	zs_destroy_pool(model.pool);
	model.destroyed = true;
	sim_join();
	if (sim_meta_outstanding() || sim_pages_outstanding())
		sim_fail("the pool leaks %zu bytes and %zu pages", sim_meta_outstanding(),
			 sim_pages_outstanding());
}

static void main_run(void *arg)
{
	static const char *const names[ACTORS_MAX] = {"A", "B", "C", "D", "E"};
	const struct program *p = arg;
	u32 i;

	pool_create(p);
	cells_fill(p);
	model.actors_left = p->actors;
	for (i = 0; i < p->actors; i++) {
		union {
			const struct op *in;
			void *out;
		} ops = {.in = p->op[i]};

		sim_spawn(actor_run, ops.out, names[i]);
	}
	for (i = 0; i < p->pushers; i++)
		sim_spawn(pusher_run, NULL, i ? "pusher 2" : "pusher 1");
	if (p->mover)
		sim_spawn(mover_run, NULL, "mover");
	sim_join();
	pool_end(p);
}

void program_run(const struct program *program, const struct sim_config *config,
		 struct sim_result *result)
{
	struct program p = *program;

	p.config = *config;
	describe_pool(NULL);
	adversary = NULL;
	model_begin(&p);
	sim_run(config, main_run, &p, result);
}
