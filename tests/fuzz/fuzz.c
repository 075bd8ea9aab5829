/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The public API under libFuzzer: bytes become operations on one pool at a time,
 * mistakes among them that release builds refuse, and model.c says what must come of
 * each. What must not allocate runs with every allocation made to fail.
 */
#include <string.h>

#include "defer.h"
#include "free.h"
#include "input.h"
#include "model.h"
#include "objects.h"
#include "work.h"

/* For the next operation that allocates. */
struct fault {
	unsigned int sites; /* 0: none */
	u64 nth;
	u64 count;
};

static struct fault fault;

/* ---- what may fail, and what may not ---- */

static void fault_begin(void)
{
	if (fault.sites)
		user_fault_arm(fault.sites, fault.nth, fault.count);
}

/* How many allocations failed. */
static u64 fault_end(void)
{
	u64 failed = fault.sites ? user_fault_disarm() : 0;

	fault.sites = 0;
	return failed;
}

static void no_memory_begin(void)
{
	user_fault_arm(USER_FAULT_ANY, 1, ~0ull);
}

static void no_memory_end(const char *call)
{
	if (user_fault_disarm())
		fuzz_fail("%s allocates", call);
}

/* ---- choosing ---- */

static struct cell *cell_at(u32 i)
{
	return &model.cell[i % CELLS];
}

/* The first with an object, or without one, from @from on. NULL: there is none. */
static struct cell *cell_find(u32 from, bool live)
{
	for (u32 i = 0; i < CELLS; i++) {
		struct cell *c = cell_at(from + i);

		if (!!c->handle == live)
			return c;
	}
	return NULL;
}

static u32 input_size(struct input *in)
{
	return 1 + input_word(in) % (u32)PORT_PAGE_SIZE;
}

/* A handle that a caller could not have: free, beyond the table, or wild. */
static unsigned long input_stranger(struct input *in)
{
	u32 kind = input_byte(in);
	unsigned long handle = 1 + input_word(in);

	if (kind % 4 == 1)
		handle |= 0xdead0000;
	if (kind % 4 == 2)
		handle |= 1ul << 40;
	while (!model_is_stranger(handle))
		handle++;
	return handle;
}

/* A handle that is pending, or else one that nobody has. */
static unsigned long input_freed(struct input *in)
{
	if (!model.nr_pending || input_byte(in) % 2)
		return input_stranger(in);
	return model.pending[input_word(in) % model.nr_pending];
}

/* Null, or an error that zs_malloc() could have given. */
static unsigned long input_void(struct input *in)
{
	return -(unsigned long)(input_word(in) % (ZS_MAX_ERRNO + 1));
}

/* ---- the pool ---- */

static void create_wrongly(struct input *in)
{
	struct zs_pool *const untouched = (struct zs_pool *)(void *)&fault;
	struct zs_pool_params params = {.policy = ZS_DEFER_ARRAY};
	struct zs_pool *pool = untouched;
	const char *name = "wrong";

	switch (input_byte(in) % 3) {
	case 0:
		name = NULL;
		break;
	case 1:
		params.policy = (enum zs_defer_policy)(ZS_DEFER_NR + input_byte(in));
		break;
	default:
		params.defer_budget = (size_t)UINT32_MAX + 1 + input_byte(in);
	}
	if (zs_create_pool(name, &params, &pool) != -PORT_EINVAL || pool != untouched)
		fuzz_fail("a wrong argument is taken");
	if (user_meta_outstanding())
		fuzz_fail("a refused creation leaks");
}

static void check_new(const struct zs_pool_params *params)
{
	enum zs_defer_policy policy =
		params->policy ? params->policy : ZS_DEFER_TOMBSTONE;
	struct zs_pool_stats s;

	zs_pool_stats(model.pool, &s);
	if (s.policy != policy || s.page_size != PORT_PAGE_SIZE)
		fuzz_fail("another policy or page size than was asked for");
	if (policy != ZS_DEFER_SYNC &&
	    ((params->defer_budget && s.capacity != params->defer_budget) ||
	     !s.threshold || s.threshold > s.capacity))
		fuzz_fail("budget %zu, capacity %zu, threshold %zu", params->defer_budget,
			  s.capacity, s.threshold);
}

static void op_create(struct input *in)
{
	struct zs_pool_params params = {
		.policy = (enum zs_defer_policy)(input_byte(in) % ZS_DEFER_NR),
		/* Mostly small enough to be spent. */
		.defer_budget = input_byte(in),
	};
	struct zs_pool *pool = NULL;
	u64 failed;
	int err;

	if (params.defer_budget >= 128)
		params.defer_budget = (params.defer_budget - 127) * 8;
	fault_begin();
	err = zs_create_pool("a name of more bytes than a pool keeps", &params, &pool);
	failed = fault_end();
	if (err != (failed ? -PORT_ENOMEM : 0) || !err != !!pool)
		fuzz_fail("creation gives %d, after %llu failures", err, failed);
	if (err && (user_meta_outstanding() || fuzz_work_exists()))
		fuzz_fail("a failed creation leaks");
	if (err)
		return;
	model_pool_created(pool, &params);
	check_new(&params);
}

static void op_destroy(struct input *in)
{
	if (input_byte(in) % 2)
		model_verify_all();
	model_end_holds();
	no_memory_begin();
	model_destroy_pool();
	no_memory_end("zs_destroy_pool()");
}

/* ---- objects ---- */

static bool cell_create(struct cell *c, u32 size, u32 known)
{
	size_t pending = defer_pending(model.pool);
	unsigned long handle;
	u64 failed;
	int err;

	fault_begin();
	handle = zs_malloc(model.pool, size);
	failed = fault_end();
	err = zs_handle_error(handle);
	/* After one failure it drains, and tries once more. */
	if (err && (err != -PORT_ENOMEM || failed < 2))
		fuzz_fail("zs_malloc(%u) gives %d, after %llu failures", size, err,
			  failed);
	if (failed && pending && defer_pending(model.pool) >= pending)
		fuzz_fail("zs_malloc() was short of memory, and left %zu pending",
			  defer_pending(model.pool));
	if (err)
		return false;
	model_got(c, handle, size);
	if (known)
		cell_write(c, known < size ? known : size);
	return true;
}

static void op_malloc(struct input *in)
{
	u32 size = input_size(in);
	u32 known = input_byte(in) % 8 ? size : input_byte(in);
	struct cell *c = cell_find(input_byte(in), false);

	if (c)
		cell_create(c, size, known);
}

/* Many of about one size, as the zspages of a class need. */
static void op_malloc_many(struct input *in)
{
	u32 size = input_size(in);
	u32 step = input_byte(in) % 32;
	u32 n = input_byte(in);
	struct cell *c;

	while (n-- && (c = cell_find(n * 5, false)) && cell_create(c, size, 16))
		size = 1 + (size - 1 + step) % (u32)PORT_PAGE_SIZE;
}

static void op_malloc_wrongly(struct input *in)
{
	size_t size = input_byte(in) % 2 ? 0 : PORT_PAGE_SIZE + 1 + input_word(in);

	no_memory_begin();
	if (zs_handle_error(zs_malloc(model.pool, size)) != -PORT_EINVAL)
		fuzz_fail("an object of %zu bytes", size);
	no_memory_end("a refused zs_malloc()");
}

static void op_write(struct input *in)
{
	struct cell *c = cell_find(input_word(in), true);
	u32 len = input_word(in);

	/* Writers and readers are kept apart by the caller. */
	if (c && !c->holds)
		cell_write(c, 1 + len % c->size);
}

static void op_read(struct input *in)
{
	struct cell *c = cell_find(input_word(in), true);

	if (c)
		cell_verify(c);
}

static void op_hold(struct input *in)
{
	struct hold *h = &model.hold[input_byte(in) % HOLDS];
	struct cell *c = cell_find(input_word(in), true);

	if (h->cell)
		hold_end(h);
	else if (c && c->known)
		hold_begin(h, c);
}

static void op_free(struct input *in)
{
	struct cell *c = cell_find(input_word(in), true);

	if (!c)
		return;
	zs_free(model.pool, c->handle);
	if (c->holds)
		model.invalid++; /* refused: it is in use */
	else
		model_freed(c);
}

static void cell_defer(struct cell *c)
{
	zs_free_deferred(model.pool, c->handle);
	if (c->holds)
		model.invalid++;
	else
		model_deferred(c);
}

static void op_defer(struct input *in)
{
	u32 from = input_word(in);
	u32 step = 1 + input_byte(in) % 8;
	u32 n = 1 + input_byte(in);

	for (; n; n--, from += step) {
		struct cell *c = cell_at(from);

		if (c->handle && model.nr_pending < PENDING_MAX)
			cell_defer(c);
	}
}

/* One element of a batch, and what will come of it. */
static unsigned long batch_add(struct input *in, struct cell *c, u32 kind)
{
	unsigned long handle;

	switch (kind) {
	case 0:
		return 0;
	case 1:
		return (unsigned long)-PORT_ENOMEM;
	case 2:
		model.invalid++;
		return input_stranger(in);
	case 3:
		if (!model.nr_pending)
			return 0;
		model.invalid++;
		return model.pending[input_word(in) % model.nr_pending];
	default:
		handle = c->handle;
		if (!handle)
			return 0;
		if (c->holds)
			model.invalid++;
		else
			model_freed(c);
		return handle;
	}
}

static void op_free_batch(struct input *in)
{
	static unsigned long handle[1024];
	u32 from = input_word(in);
	u32 step = 1 + input_byte(in) % 8;
	u32 odd = input_byte(in); /* of them, that often, something odd */
	u32 n = input_word(in) % 1024;
	u32 i;

	for (i = 0; i < n; i++) {
		bool good = !odd || i % odd;

		handle[i] = batch_add(in, cell_at(from + i * step),
				      good ? 4 : input_byte(in) % 4);
	}
	/* The first once more. A stranger may be freed now, and is one then, too. */
	if (odd % 2 && n && handle[0] && !zs_handle_error(handle[0])) {
		handle[i++] = handle[0];
		model.invalid++;
	}
	zs_free_batch(model.pool, handle, i);
}

/* ---- mistakes ---- */

static void use_of_nothing(unsigned long handle)
{
	u8 byte = 0;

	if (zs_obj_read_begin(model.pool, handle, 1, &byte) ||
	    zs_obj_write(model.pool, handle, &byte, 1) != -PORT_EINVAL)
		fuzz_fail("handle %lu can be used", handle);
	model.invalid += 2;
}

static void op_use_wrongly(struct input *in)
{
	struct cell *c = cell_find(input_word(in), true);
	size_t len = input_byte(in) % 2 ? 0 : PORT_PAGE_SIZE + 1 + input_byte(in);
	u8 byte = 0;

	use_of_nothing(input_byte(in) % 4 ? input_freed(in) : input_void(in));
	if (!c)
		return;
	if (zs_obj_read_begin(model.pool, c->handle, len, &byte) ||
	    zs_obj_write(model.pool, c->handle, &byte, len) != -PORT_EINVAL)
		fuzz_fail("%zu bytes of an object of %u", len, c->size);
}

static void op_free_wrongly(struct input *in)
{
	u32 what = input_byte(in);
	bool ignored = what & 16;
	unsigned long handle = ignored ? input_void(in) : input_freed(in);

	model.invalid += !ignored;
	switch (what % 3) {
	case 0:
		zs_free(model.pool, handle);
		break;
	case 1:
		zs_free_batch(model.pool, &handle, 1);
		break;
	default:
		zs_free_deferred(model.pool, handle);
	}
}

/* ---- drains ---- */

static void nothing_is_pending(const char *after)
{
	if (defer_pending(model.pool))
		fuzz_fail("%zu pending after %s", defer_pending(model.pool), after);
}

static void op_flush(struct input *in)
{
	(void)in;
	zs_free_deferred_flush(model.pool);
	nothing_is_pending("a flush");
}

static bool cause_wants_pages(u32 cause)
{
	return cause == ZS_FLUSH_NOMEM || cause == ZS_FLUSH_LIMIT ||
	       cause == ZS_FLUSH_OOM;
}

/* It frees all, or stops when it has what it wants, a slice later at most. */
static void drain_check(u32 cause, size_t want, size_t pending, size_t freed,
			size_t pages)
{
	size_t left = defer_pending(model.pool);

	if (freed != pending - left)
		fuzz_fail("a drain says it freed %zu of %zu, %zu are left", freed,
			  pending, left);
	if (!left)
		return;
	if (!want || (cause_wants_pages(cause) ? pages : freed) < want)
		fuzz_fail("a drain for %zu frees %zu handles and %zu pages, %zu are left",
			  want, freed, pages, left);
	if (!cause_wants_pages(cause) && freed >= want + FREE_SMALL_BATCH)
		fuzz_fail("a drain frees %zu handles, %zu were wanted", freed, want);
}

static void op_drain(struct input *in)
{
	u32 byte = input_byte(in);
	u32 cause = byte % (ZS_FLUSH_NR + 1);
	size_t want = byte / (ZS_FLUSH_NR + 1);
	size_t pending = defer_pending(model.pool);
	size_t pages = zs_get_total_pages(model.pool);
	size_t freed = zs_drain_deferred(model.pool, (enum zs_flush_cause)cause, want);
	struct zs_pool_stats s;

	if (cause == ZS_FLUSH_NR) {
		if (freed)
			fuzz_fail("a drain without a cause frees %zu", freed);
		return;
	}
	drain_check(cause, want, pending, freed, pages - zs_get_total_pages(model.pool));
	zs_pool_stats(model.pool, &s);
	if (s.flushed[cause] < freed || !s.flushes[cause])
		fuzz_fail("a drain is not counted under its cause");
}

static void op_work(struct input *in)
{
	bool scheduled = fuzz_work_scheduled();

	(void)in;
	fuzz_work_run();
	if (scheduled)
		nothing_is_pending("the worker");
}

static bool any_hold(void)
{
	for (size_t i = 0; i < HOLDS; i++) {
		if (model.hold[i].cell)
			return true;
	}
	return false;
}

/* Compaction alone, of some pages: it drains nothing, and stops when it has them. */
static void compact_pages(size_t want)
{
	size_t pending = defer_pending(model.pool);
	size_t pages = zs_get_total_pages(model.pool);
	size_t compactable = zs_compactable_pages(model.pool);
	size_t freed = zs_compact_pages(model.pool, want);

	if (zs_get_total_pages(model.pool) != pages - freed ||
	    defer_pending(model.pool) != pending)
		fuzz_fail("compaction frees other pages than it says");
	if (freed && freed >= want + ZSPAGE_MAX_PAGES)
		fuzz_fail("compaction gives %zu pages, %zu were wanted", freed, want);
	if (zs_compactable_pages(model.pool) != compactable - freed)
		fuzz_fail("compaction gives %zu pages, of %zu %zu are left", freed,
			  compactable, zs_compactable_pages(model.pool));
	if (freed < want && freed < compactable && !any_hold())
		fuzz_fail("compaction gives %zu of %zu pages", freed, compactable);
}

static void op_compact(struct input *in)
{
	u32 byte = input_byte(in);
	size_t pages, before, freed;

	if (byte / 2 % 2) {
		compact_pages(byte / 4);
		return;
	}
	/* The pages that the drain frees are not compaction's. */
	if (byte % 2)
		zs_drain_deferred(model.pool, ZS_FLUSH_CALLER, 0);
	pages = defer_pending(model.pool) ? 0 : zs_get_total_pages(model.pool);
	before = pool_stats(model.pool).pages_compacted;
	freed = zs_compact(model.pool);
	nothing_is_pending("a compaction");
	if (pool_stats(model.pool).pages_compacted != before + freed ||
	    (pages && zs_get_total_pages(model.pool) != pages - freed))
		fuzz_fail("compaction frees other pages than it says");
	if (!any_hold() && zs_get_total_pages(model.pool) != pool_least_pages(model.pool))
		fuzz_fail("%zu pages after compaction, where %zu are enough",
			  zs_get_total_pages(model.pool), pool_least_pages(model.pool));
}

/* ---- the rest ---- */

static void op_move(struct input *in)
{
	u32 cpu = input_byte(in) % CPUS;

	/* The last one of all is among them. */
	port_user_slot = (int)(cpu ? port_cpu_slots() - cpu : 0);
}

static void op_fault(struct input *in)
{
	fault.sites = input_byte(in) % (USER_FAULT_ANY + 1);
	fault.nth = 1 + input_byte(in) % 128;
	fault.count = 1 + input_byte(in) % 16;
}

static void op_names(struct input *in)
{
	char name[16] = {0};
	u32 n = input_byte(in) % 16;
	int policy;

	for (u32 i = 0; i < n; i++)
		name[i] = (char)input_byte(in);
	policy = zs_policy_by_name(name);
	if (policy > 0 && strcmp(name, zs_policy_name((enum zs_defer_policy)policy)) != 0)
		fuzz_fail("policy %s has another name", name);
	if (policy < 0 && policy != -PORT_EINVAL)
		fuzz_fail("policy %s gives %d", name, policy);
	if (!zs_flush_cause_name((enum zs_flush_cause)n) != (n >= ZS_FLUSH_NR))
		fuzz_fail("cause %u", n);
}

static void op_verify(struct input *in)
{
	(void)in;
	model_verify_all();
}

struct op {
	void (*run)(struct input *in);
	const char *call; /* that must not allocate; NULL: may */
};

/* Numbers are stable, or the corpus would mean something else: add at the end. */
static const struct op ops[] = {
	{op_malloc, NULL},
	{op_malloc_many, NULL},
	{op_write, "zs_obj_write()"},
	{op_read, "zs_obj_read_begin()"},
	{op_hold, "zs_obj_read_begin()"},
	{op_free, "zs_free()"},
	{op_defer, "zs_free_deferred()"},
	{op_free_batch, "zs_free_batch()"},
	{op_free_wrongly, "a refused free"},
	{op_use_wrongly, "a refused use"},
	{op_flush, "zs_free_deferred_flush()"},
	{op_drain, "zs_drain_deferred()"},
	{op_work, "the worker"},
	{op_compact, "zs_compact()"},
	{op_move, NULL},
	{op_fault, NULL},
	{op_verify, "zs_obj_read_begin()"},
	{op_malloc_wrongly, NULL},
	{op_names, NULL},
	{op_destroy, NULL},
};

static void op_run(const struct op *op, struct input *in)
{
	if (op->call)
		no_memory_begin();
	op->run(in);
	if (op->call)
		no_memory_end(op->call);
	model_check();
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size);

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
	struct input in = {.at = bytes, .left = size};

	model_begin();
	port_cpu_get();
	port_cpu_put();
	fault.sites = 0;
	while (in.left) {
		u32 op = input_byte(&in);

		if (model.pool)
			op_run(&ops[op % ARRAY_SIZE(ops)], &in);
		else if (op == 0xff)
			create_wrongly(&in);
		else if (op == 0xfe)
			op_fault(&in);
		else
			op_create(&in);
	}
	if (model.pool)
		op_destroy(&in);
	/* As it was found: an input is to do the same each time. */
	port_user_slot = 0;
	return 0;
}
