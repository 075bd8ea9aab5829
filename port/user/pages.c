/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Pages of the userspace home, from arenas (arena.h).
 *
 * Pages are made resident some at a time, ahead of their use: a page fault for each
 * costs half as much again (measured: 1.5 us a page in a virtual machine, 1.0 so).
 *
 * Freed memory really returns to the system. An arena without a held page is
 * unmapped, except one, kept so that a pool that breathes around an arena's size
 * does not map and unmap for ever. In arenas that do hold pages, free ones stay
 * resident for reuse up to an eighth of what is held (or an arena's worth). Beyond
 * that, port_pages_free() now and then makes a round of the arenas and discards
 * (MADV_DONTNEED) what is free, one system call an arena. Where the system takes
 * only one run of pages a call, runs shorter than RUN_LONG stay: see advise.h.
 * After compaction nothing that is free stays.
 *
 * Locks: pages_lock, the innermost; never held over a system call.
 */
#include "advise.h"
#include "arena.h"
#include "fault.h"
#include "pages.h"

enum {
	RETAIN_SHARE = 8,
	RUN_LONG = (256 << 10) >> PORT_PAGE_SHIFT, /* pages: 256 KiB */
	WORTH_A_CALL = (64 << 10) >> PORT_PAGE_SHIFT, /* pages to be discarded by one */
	POPULATE = (64 << 10) >> PORT_PAGE_SHIFT, /* pages made resident by one */
	FREE_SLICE = 64, /* pages freed in one lock hold */
};

static port_spinlock pages_lock;
static struct arena *arenas_head; /* arenas with a free page, */
static struct arena *arenas_tail; /* the one last full is first */
static size_t arenas_listed; /* how many they are, and */
static unsigned int arenas_empty; /* of them, those without a held page */
static size_t pages_held;
static size_t pages_own; /* of them, by the home itself */
static size_t pages_dirty; /* free but resident, in all arenas */
static size_t pages_freed; /* since the last round of discarding */
static bool pages_populated = POPULATE > 1; /* ahead of use; false: cannot be */

static void arena_list_add_head(struct arena *a)
{
	a->prev = NULL;
	a->next = arenas_head;
	if (arenas_head)
		arenas_head->prev = a;
	else
		arenas_tail = a;
	arenas_head = a;
	a->listed = true;
	arenas_listed++;
}

static void arena_list_del(struct arena *a)
{
	if (a->prev)
		a->prev->next = a->next;
	else
		arenas_head = a->next;
	if (a->next)
		a->next->prev = a->prev;
	else
		arenas_tail = a->prev;
	a->listed = false;
	arenas_listed--;
}

/* What @a adds to the totals is taken out before it changes, */
static void arena_begin(const struct arena *a)
{
	pages_dirty -= a->nr_dirty;
	arenas_empty -= a->nr_free == ARENA_PAGES;
}

/* and put back after it has changed. */
static void arena_count(const struct arena *a)
{
	pages_dirty += a->nr_dirty;
	arenas_empty += a->nr_free == ARENA_PAGES;
}

/*
 * What arena_begin() began. Post: @a is in the list iff it has a free page. True if @a is
 * empty and one too many: it is unlisted then, and the caller unmaps it.
 */
static bool arena_end(struct arena *a)
{
	arena_count(a);
	if (a->nr_free == ARENA_PAGES && arenas_empty > 1) {
		arena_begin(a);
		if (a->listed)
			arena_list_del(a);
		return true;
	}
	if (a->nr_free && !a->listed)
		arena_list_add_head(a);
	else if (!a->nr_free && a->listed)
		arena_list_del(a);
	return false;
}

/*
 * Take up to @n pages that are at hand. Post: how many. If the next ones should
 * be made resident first, @claim has them, of the arena *@cold.
 */
static unsigned int pages_take(void **pages, unsigned int n, struct arena **cold,
			       struct arena_claim *claim)
{
	unsigned int got = 0;

	*cold = NULL;
	port_spin_lock(&pages_lock);
	while (got < n && arenas_head && !*cold) {
		struct arena *a = arenas_head;

		/* Either takes a page at least, so the arena stays. */
		arena_begin(a);
		if (pages_populated && !a->nr_dirty) {
			arena_claim_cold(a, claim, POPULATE);
			*cold = a;
		}
		while (got < n && (pages_populated ? a->nr_dirty : a->nr_free))
			pages[got++] = arena_take(a);
		arena_end(a);
	}
	pages_held += got;
	port_spin_unlock(&pages_lock);
	return got;
}

/* End a claim of @a's pages. */
static void pages_unclaim(struct arena *a, const struct arena_claim *claim, bool resident)
{
	bool unmap;

	port_spin_lock(&pages_lock);
	arena_begin(a);
	arena_unclaim(a, claim, resident);
	unmap = arena_end(a);
	port_spin_unlock(&pages_lock);
	if (unmap)
		arena_unmap(a);
}

/* Make the claimed pages resident. It is not tried again if the system cannot. */
static void pages_populate(struct arena *a, const struct arena_claim *claim)
{
	bool resident = arena_populate(a, claim);

	if (!resident) {
		port_spin_lock(&pages_lock);
		pages_populated = false;
		port_spin_unlock(&pages_lock);
	}
	pages_unclaim(a, claim, resident);
}

/* Post: whether there is a new arena to take pages from. */
static bool pages_grow(void)
{
	struct arena *a = arena_map();

	if (!a)
		return false;
	port_spin_lock(&pages_lock);
	arena_count(a);
	arena_list_add_head(a);
	port_spin_unlock(&pages_lock);
	return true;
}

static int pages_alloc(void **pages, unsigned int n)
{
	struct arena_claim claim;
	struct arena *cold;
	unsigned int got = 0;

	for (;;) {
		got += pages_take(pages + got, n - got, &cold, &claim);
		if (cold) {
			pages_populate(cold, &claim);
		} else if (got == n) {
			return 0;
		} else if (!pages_grow()) {
			port_pages_free(pages, got);
			return -PORT_ENOMEM;
		}
	}
}

int port_pages_alloc(void **pages, unsigned int n, enum port_alloc how, int node)
{
	(void)node; /* the system takes that of the CPU that first touches a page */
	/* The system itself reclaims, or not, as it likes. */
	if (user_fault_fails_alloc(USER_FAULT_PAGES, how))
		return -PORT_ENOMEM;
	return pages_alloc(pages, n);
}

/* Free pages that may stay resident without question. Pre: pages_lock held. */
static size_t pages_retainable(void)
{
	size_t share = pages_held / RETAIN_SHARE;

	return share > ARENA_SLOTS ? share : ARENA_SLOTS;
}

/* Is it time for a round? Not so often that it would cost much. Pre: as above. */
static bool pages_over(void)
{
	size_t most = pages_retainable();

	return pages_dirty > most && pages_freed > most / 2;
}

/* Give back up to FREE_SLICE pages of one arena. Post: how many. */
static size_t pages_put(void **pages, size_t n, bool *over)
{
	struct arena *a = arena_of(pages[0]);
	size_t done = 0;
	bool unmap;

	port_spin_lock(&pages_lock);
	arena_begin(a);
	while (done < n && done < FREE_SLICE && arena_of(pages[done]) == a)
		arena_put(a, pages[done++]);
	unmap = arena_end(a);
	pages_held -= done;
	pages_freed += done;
	*over = pages_over();
	port_spin_unlock(&pages_lock);
	if (unmap)
		arena_unmap(a);
	return done;
}

/* Begin a round. Post: how many arenas there are to look at. */
static size_t pages_begin_round(void)
{
	size_t n;

	port_spin_lock(&pages_lock);
	pages_freed = 0;
	n = arenas_listed;
	port_spin_unlock(&pages_lock);
	return n;
}

/*
 * Claim what is to be discarded of @a: everything if @all, else what is worth a
 * system call. Pre: @a is unlisted.
 */
static void pages_claim(struct arena *a, struct arena_claim *claim, bool all)
{
	arena_begin(a);
	if (all)
		arena_claim_runs(a, claim, 1);
	else if (!advise_takes_many())
		arena_claim_runs(a, claim, RUN_LONG);
	else if (a->nr_dirty >= WORTH_A_CALL)
		arena_claim_runs(a, claim, 1);
	else
		claim->nr = 0;
	/* It may be one too many by now: the next call that changes it unmaps it. */
	arena_count(a);
	if (a->nr_free)
		arena_list_add_head(a);
}

/*
 * Take the last arena, claim what is to be discarded of it, and make it the first,
 * so that a round leaves the list as it was. NULL: the round is over.
 */
static struct arena *pages_claim_next(struct arena_claim *claim, bool all)
{
	struct arena *a;

	port_spin_lock(&pages_lock);
	a = all || pages_dirty > pages_retainable() / 2 ? arenas_tail : NULL;
	if (a) {
		arena_list_del(a);
		pages_claim(a, claim, all);
	}
	port_spin_unlock(&pages_lock);
	return a;
}

static PORT_NOINLINE void pages_discard_round(bool all)
{
	struct arena_claim claim;
	struct arena *a;
	size_t n;

	for (n = pages_begin_round(); n && (a = pages_claim_next(&claim, all)); n--) {
		if (!claim.nr)
			continue;
		arena_discard(a, &claim);
		pages_unclaim(a, &claim, false);
	}
}

void port_pages_free(void **pages, size_t n)
{
	bool over = false;
	size_t done = 0;

	while (done < n)
		done += pages_put(pages + done, n - done, &over);
	if (unlikely(over))
		pages_discard_round(false);
}

void port_pages_trim(void)
{
	pages_discard_round(true);
}

static void pages_count_own(size_t more)
{
	port_spin_lock(&pages_lock);
	pages_own += more;
	port_spin_unlock(&pages_lock);
}

void *user_page_alloc(void)
{
	void *page;

	if (pages_alloc(&page, 1))
		return NULL;
	pages_count_own(1);
	return page;
}

void user_page_free(void *page)
{
	pages_count_own((size_t)-1);
	port_pages_free(&page, 1);
}

size_t user_pages_outstanding(void)
{
	size_t held;

	port_spin_lock(&pages_lock);
	held = pages_held - pages_own;
	port_spin_unlock(&pages_lock);
	return held;
}

size_t user_pages_retained(void)
{
	size_t dirty;

	port_spin_lock(&pages_lock);
	dirty = pages_dirty;
	port_spin_unlock(&pages_lock);
	return dirty;
}
