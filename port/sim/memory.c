/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Pages and metadata, out of one arena that begins anew with each schedule. What is
 * freed is not given out again, so that a late use of it is found. In some schedules
 * (config.reuse) it is given out at once, so that a mix-up of old and new is found.
 *
 * Pages move as in the kernel: a mover takes a reference to a page (isolates it), and
 * moves it under owner_lock if it still has an owner. A page that is freed meanwhile
 * loses its owner under the lock, and goes when the mover lets go of it.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "world.h"

enum {
	GAP = 64, /* between blocks */
	BLOCKS_MAX = 8192,
	ATOMIC_FREE_MOST = 2, /* pages of metadata that may be freed in any context */
};

struct block {
	char *at;
	size_t size; /* as asked for */
	bool page;
	bool held;
	bool isolated; /* a mover has a reference to it */
	bool given_back; /* and is the last that has */
	struct zs_pool *pool;
	void *owner;
	struct sim_sync sync; /* of the references, and of becoming owned */
};

char *memory_arena;
static char *const arena_wanted = (char *)0x510000000000; /* the same in each run */

static size_t used;
static struct block blocks[BLOCKS_MAX];
static unsigned int nr_blocks;
static unsigned int free_list[BLOCKS_MAX]; /* of blocks that may be reused, a stack */
static unsigned int nr_free;
static size_t meta_held, pages_held;
static u32 nr_allocs;

/* Not one of the core's, which are taken inside it. */
static struct {
	bool held;
	u32 waiters;
	struct sim_sync sync;
} owner_lock;

static void arena_map(void)
{
	memory_arena = mmap(arena_wanted, MEMORY_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory_arena == MAP_FAILED) {
		perror("sim: arena");
		__builtin_trap();
	}
	plain_begin();
}

void memory_begin(void)
{
	if (!memory_arena)
		arena_map();
	used = 0;
	nr_blocks = 0;
	nr_free = 0;
	meta_held = 0;
	pages_held = 0;
	nr_allocs = 0;
	memset(&owner_lock, 0, sizeof(owner_lock));
}

bool sim_may_fail(void)
{
	return sim.config.fail_in_256 || sim.config.pages_most || sim.config.fail_nth;
}

static struct block *block_reuse(size_t size, bool page)
{
	unsigned int i;

	for (i = nr_free; i-- > 0;) {
		struct block *b = &blocks[free_list[i]];

		if (b->size != size || b->page != page)
			continue;
		memmove(&free_list[i], &free_list[i + 1],
			(nr_free - i - 1) * sizeof(*free_list));
		nr_free--;
		return b;
	}
	return NULL;
}

static struct block *block_new(size_t size, bool page)
{
	size_t align = page ? PORT_PAGE_SIZE : GAP;
	size_t at = (used + GAP + align - 1) & ~(align - 1);
	struct block *b;

	if (nr_blocks == BLOCKS_MAX || at + size + GAP > MEMORY_SIZE)
		sim_fail("the arena is too small for this schedule");
	b = &blocks[nr_blocks++];
	*b = (struct block){.at = memory_arena + at, .size = size, .page = page};
	/* From the end of the one before. */
	plain_gap(b->at - GAP, GAP);
	plain_gap((char *)(((uintptr_t)b->at + size + 3) & ~(uintptr_t)3), GAP);
	used = at + size;
	return b;
}

static void *block_alloc(size_t size, bool page)
{
	struct block *b = sim.config.reuse ? block_reuse(size, page) : NULL;

	bool reused = b;

	if (!b)
		b = block_new(size, page);
	b->held = true;
	b->isolated = b->given_back = false;
	b->owner = NULL;
	memset(b->at, page ? 0xa5 : 0, size);
	plain_allocated(b->at, size, reused);
	return b->at;
}

/* The block at @p: looked for from the newest on. */
static struct block *block_of(const void *p)
{
	unsigned int lo = 0, hi = nr_blocks;

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;

		if (blocks[mid].at < (const char *)p)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < nr_blocks && blocks[lo].at == p ? &blocks[lo] : NULL;
}

static void block_free(void *p, size_t size, bool page)
{
	struct block *b = block_of(p);

	if (!b || b->page != page)
		sim_fail("free of what was not allocated: %p", p);
	if (!b->held)
		sim_fail("double free of a block of %zu bytes", b->size);
	if (b->size != size)
		sim_fail("a block of %zu bytes is freed as one of %zu", b->size, size);
	plain_freed(p, size);
	memset(p, 0x5a, size);
	b->held = false;
	if (sim.config.reuse)
		free_list[nr_free++] = (unsigned int)(b - blocks);
}

bool memory_fails(void)
{
	if (sim.config.fail_nth && ++nr_allocs == sim.config.fail_nth)
		return true;
	return sim.config.fail_in_256 && !sim_quiet() &&
	       sim_choose(2, sim.config.fail_in_256);
}

/* ---- the port ---- */

/* What does not wait may be called with the caller's own locks held. */
static void check_context(const char *call, enum port_alloc how)
{
	if (how == PORT_ALLOC_WAIT)
		lock_may_sleep(call);
	else if (sim_me()->locks || sim_me()->in_slot)
		sim_fail("%s() with a spinlock held or inside a CPU slot", call);
}

int port_pages_alloc(void **pages, unsigned int n, enum port_alloc how, int node)
{
	unsigned int i;

	(void)node;
	check_context("port_pages_alloc", how);
	sched_point(NULL, SIM_LOADS);
	if (memory_fails() ||
	    (sim.config.pages_most && pages_held + n > sim.config.pages_most)) {
		TRACE("pages: none", NULL, n, 0);
		return -PORT_ENOMEM;
	}
	for (i = 0; i < n; i++)
		pages[i] = block_alloc(PORT_PAGE_SIZE, true);
	pages_held += n;
	TRACE("allocate pages", pages[0], n, 0);
	return 0;
}

void port_pages_trim(void)
{
	lock_may_sleep("port_pages_trim");
}

void port_pages_own(void **pages, unsigned int n, struct zs_pool *pool, void *owner)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct block *b = block_of(pages[i]);

		b->pool = pool;
		b->owner = owner;
		sim_sync_release(&b->sync);
	}
}

static void owner_lock_take(void)
{
	sched_point(&owner_lock, SIM_CHANGES);
	while (owner_lock.held) {
		owner_lock.waiters |= 1u << sim.self;
		sim.runnable &= ~(1u << sim.self);
		sched_block();
	}
	owner_lock.held = true;
	sim_sync_acquire(&owner_lock.sync);
	TRACE("lock owners", &owner_lock, 0, 0);
}

static void owner_lock_release(void)
{
	sched_point(&owner_lock, SIM_CHANGES);
	owner_lock.held = false;
	sim_sync_release(&owner_lock.sync);
	sched_wake(owner_lock.waiters);
	owner_lock.waiters = 0;
	TRACE("unlock owners", &owner_lock, 0, 0);
}

/* A reference to the page was dropped: was it the last? */
static void page_drop(struct block *b)
{
	if (b->isolated || !b->given_back)
		return;
	sim_sync_acquire(&b->sync);
	block_free(b->at, PORT_PAGE_SIZE, true);
}

static void page_free(void *page)
{
	struct block *b = block_of(page);

	if (!b || !b->page || !b->held)
		sim_fail("free of what is not a page: %p", page);
	if (b->isolated) {
		owner_lock_take();
		b->owner = NULL;
		owner_lock_release();
	}
	sim_sync_release(&b->sync);
	if (b->given_back)
		sim_fail("double free of a page");
	b->owner = NULL;
	b->given_back = true;
	page_drop(b);
}

void port_pages_free(void **pages, size_t n)
{
	size_t i;

	if (sim_me()->locks)
		sim_fail("port_pages_free() with a spinlock held");
	sched_point(NULL, SIM_LOADS);
	TRACE("free pages", pages[0], n, 0);
	for (i = 0; i < n; i++)
		page_free(pages[i]);
	pages_held -= n;
	sim_me()->pages_given += n;
}

void *port_meta_alloc(size_t size, enum port_alloc how)
{
	void *p;

	check_context("port_meta_alloc", how);
	sched_point(NULL, SIM_LOADS);
	if (memory_fails()) {
		TRACE("metadata: none", NULL, size, 0);
		return NULL;
	}
	p = block_alloc(size, false);
	meta_held += size;
	TRACE("allocate", p, size, 0);
	return p;
}

void port_meta_free(void *p, size_t size)
{
	if (!p)
		return;
	if (size > ATOMIC_FREE_MOST * PORT_PAGE_SIZE)
		lock_may_sleep("port_meta_free of a large block");
	sched_point(NULL, SIM_LOADS);
	TRACE("free", p, size, 0);
	block_free(p, size, false);
	meta_held -= size;
}

/* The @which-th of the pages that have an owner, or NULL. */
static struct block *page_to_move(u32 which)
{
	struct block *found = NULL;
	unsigned int i;
	u32 n = 0;

	for (i = 0; i < nr_blocks; i++)
		n += blocks[i].held && blocks[i].owner && !blocks[i].isolated;
	if (!n)
		return NULL;
	which %= n;
	for (i = 0; i < nr_blocks; i++) {
		struct block *b = &blocks[i];

		if (b->held && b->owner && !b->isolated && !which--) {
			found = b;
			break;
		}
	}
	return found;
}

/* The mover's reference. */
static void page_let_go(struct block *b)
{
	sim_sync_release(&b->sync);
	b->isolated = false;
	page_drop(b);
}

bool sim_move_page(u32 which)
{
	struct block *from, *to, *gone;
	bool moved = false;

	lock_may_sleep("sim_move_page");
	sched_point(NULL, SIM_LOADS);
	from = page_to_move(which);
	if (!from)
		return false;
	from->isolated = true;
	sim_sync_acquire(&from->sync);
	to = block_of(block_alloc(PORT_PAGE_SIZE, true));
	to->isolated = true;
	TRACE("isolate page", from->at, 0, 0);
	owner_lock_take();
	if (from->owner) {
		port_pages_own((void *[]){to->at}, 1, from->pool, from->owner);
		moved = core_move_page(from->pool, from->owner, from->at, to->at);
	}
	gone = moved ? from : to;
	gone->owner = NULL;
	gone->given_back = true;
	owner_lock_release();
	TRACE(moved ? "page moved" : "page not moved", from->at, 0, 0);
	sched_point(NULL, SIM_LOADS);
	page_let_go(from);
	page_let_go(to);
	return moved;
}

size_t port_memory_pages(void)
{
	return 1 << 18;
}

size_t sim_meta_outstanding(void)
{
	return meta_held;
}

size_t sim_pages_outstanding(void)
{
	return pages_held;
}

u64 sim_own_pages(void)
{
	return sim_me()->pages_given;
}

u64 sim_own_pages_before(void)
{
	return sim_me()->pages_at_yield[0];
}
