/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * What the core needs from the place it runs in: pages, locks, atomics,
 * per-CPU slots, deferred work, time. A home implements it in port_home.h
 * (types, and whatever is worth inlining) and one or more source files.
 * Nothing else of the outside world reaches core/.
 *
 * port_home.h must define the types
 *   u8 u16 u32 u64 bool size_t
 *   port_atomic      64 bits, changed only through port_atomic_*()
 *   port_spinlock    not recursive, need not disable interrupts
 *   port_work        a piece of deferred work
 * the constants
 *   PORT_PAGE_SHIFT PORT_PAGE_SIZE PORT_CACHELINE
 * and the attributes
 *   PORT_CACHE_ALIGNED (on a struct member or type), likely(), unlikely(),
 *   PORT_NOINLINE
 *
 * Every function below may be a static inline there; the declarations here
 * then only confirm its shape.
 */
#ifndef LETHE_PORT_H
#define LETHE_PORT_H

#include "port_home.h"

struct zs_pool;

/* Where the compiler would call, by its estimate of the size. */
#ifndef PORT_ALWAYS_INLINE
#define PORT_ALWAYS_INLINE inline __attribute__((always_inline))
#endif

#define PORT_EINVAL 22
#define PORT_ENOMEM 12
#define PORT_ENOSPC 28

/* ---- memory ---- */

/* How hard an allocation may try. */
enum port_alloc {
	PORT_ALLOC_TRY, /* what is free at once: never sleeps, does not reclaim */
	PORT_ALLOC_RESERVES, /* the same, and what is kept for a task that reclaims */
	PORT_ALLOC_WAIT, /* may sleep and reclaim, but must not start I/O */
};

/* Memory of any node. */
#define PORT_NO_NODE (-1)

/*
 * Allocate @n pages of PORT_PAGE_SIZE bytes, each aligned to its size, content
 * undefined, into @pages[0..n-1]. All or nothing. They come from NUMA node @node if it
 * has free ones, else from other nodes; a home without nodes ignores it.
 * Pre: none of the core's locks held, in no slot; PORT_ALLOC_WAIT: process context,
 * else any context. Post: 0, or -PORT_ENOMEM and @pages holds nothing to be
 * freed.
 */
int port_pages_alloc(void **pages, unsigned int n, enum port_alloc how, int node);

/*
 * Give @n pages back, in bulk. @pages is scratch afterwards. They have no owner any more,
 * and no move of them is at work: see "pages that move".
 * Pre: any context that may hold the caller's spinlocks, none of the core's
 * class locks (not for correctness: it is slow).
 */
void port_pages_free(void **pages, size_t n);

/*
 * Compaction is over: give the system what the home keeps of free pages, even
 * where that takes a while. Pre: process context, no lock held.
 */
void port_pages_trim(void);

/*
 * Allocate @size bytes of zeroed metadata, aligned to at least 8 bytes, and
 * to PORT_CACHELINE if @size is a multiple of it. NULL if there is none.
 * Pre: as port_pages_alloc(); with preemption off: up to two pages.
 */
void *port_meta_alloc(size_t size, enum port_alloc how);

/* Bytes that a block of @size bytes takes, for statistics: rounded as the home does. */
size_t port_meta_size(size_t size);

/*
 * Free what port_meta_alloc(@size) gave; NULL is allowed. Pre: any context for
 * up to two pages, process context for more.
 */
void port_meta_free(void *p, size_t size);

/*
 * A number that stands for the address of a block of metadata, small if the
 * home can have it so: the kernel counts from where its direct map begins.
 */
u64 port_meta_pack(const void *p);
void *port_meta_unpack(u64 packed); /* the inverse */
/* From here on @p may be known by its packed address alone: it is no leak. */
void port_meta_hide(const void *p);

void port_memcpy(void *dst, const void *src, size_t len);
void port_memset(void *dst, int byte, size_t len);

/* Pages of memory in the machine, for budgets that scale with it. At least 1. */
size_t port_memory_pages(void);

/* ---- locks ---- */

void port_spin_init(port_spinlock *lock);
void port_spin_lock(port_spinlock *lock); /* acquire */
bool port_spin_trylock(port_spinlock *lock); /* acquire if true; never waits */
void port_spin_unlock(port_spinlock *lock); /* release */

/* ---- atomics ----
 *
 * "acquire" and "release" as in C11. A fully ordered operation is also a
 * full fence on both of its sides, so a later load cannot pass it.
 */

u64 port_atomic_load(const port_atomic *a); /* relaxed */
u64 port_atomic_load_acquire(const port_atomic *a);
/*
 * Of a pointer: accesses through it, and no others, come after what was done before its
 * release. No CPU has to wait for that.
 */
u64 port_atomic_load_consume(const port_atomic *a);
void port_atomic_store(port_atomic *a, u64 v); /* relaxed */
void port_atomic_store_release(port_atomic *a, u64 v);
void port_atomic_add(port_atomic *a, u64 v); /* relaxed read-modify-write */
u64 port_atomic_sub_return_release(port_atomic *a, u64 v); /* the new value */
u64 port_atomic_xchg(port_atomic *a, u64 v); /* fully ordered; the old value */
void port_atomic_or(port_atomic *a, u64 bits); /* fully ordered */
void port_atomic_and(port_atomic *a, u64 bits); /* fully ordered */
/* Set one bit, 0 to 63. Fully ordered. Post: whether it was set before. */
bool port_atomic_test_and_set_bit(port_atomic *a, unsigned int bit);
/*
 * If *@a is *@old store @new. Post: true with acquire ordering if stored;
 * else false, relaxed, and *@old is the value found.
 */
bool port_atomic_cmpxchg_acquire(port_atomic *a, u64 *old, u64 new_value);
/* The same, but fully ordered if stored. */
bool port_atomic_cmpxchg(port_atomic *a, u64 *old, u64 new_value);
void port_atomic_fence(void); /* full fence */

/*
 * A plain counter with one writer at a time (the holder of a CPU slot, or of a lock),
 * which any task may read: no read-modify-write cycle.
 */
void port_counter_add(port_atomic *a, u64 v);

/* ---- per-CPU slots ----
 *
 * A slot is private to its holder from port_cpu_get() to port_cpu_put():
 * no other thread is given the same number in between. In between, the
 * holder does not sleep and does not call port_cpu_get() again. It may take one
 * spinlock in the slot; no slot is taken under a spinlock. [L4]
 */

unsigned int port_cpus(void); /* CPUs of the machine, at least 1 */
unsigned int port_cpu_slots(void); /* how many slots there are; constant */
/*
 * 0 to port_cpu_slots() - 1. Waits for no task, unless the home's spinlocks sleep: then
 * for a task that was preempted in the slot of this CPU, and may wait for a spinlock.
 */
unsigned int port_cpu_get(void);
void port_cpu_put(void);

/*
 * Other tasks spin until the caller is through, so the caller keeps its CPU: a more
 * urgent task that took it could spin for ever. In between the caller takes no lock and
 * no slot, does not sleep, and needs some microseconds at most. pool_misuse() may be
 * called here, so it counts in the pool and not in a slot. [L5]
 */
void port_preempt_off(void);
void port_preempt_on(void);

/* ---- deferred work ---- */

/*
 * Prepare @work to call @fn(@arg) in process context on a thread of its own, at normal
 * priority. It must be able to run while memory is being reclaimed.
 * Never two at once for the same work. Post: 0 or -PORT_ENOMEM.
 */
int port_work_init(port_work *work, void (*fn)(void *arg), void *arg);

/*
 * Have @work run @delay_ms from now or soon after; 0 is as soon as possible.
 * If it is scheduled already, the earlier time stands. If it is running, it
 * will run once more. Fully ordered before the run that it causes. No call is lost. [W2]
 * Pre: any context.
 */
void port_work_schedule(port_work *work, unsigned int delay_ms);

/* For @work itself to ask: does a port_work_cancel() wait for this run to end? */
bool port_work_cancelled(const port_work *work);

/*
 * For a port_work to ask, once it runs: is another task ready to run on its CPU? Then
 * the scheduler has found no idle CPU for it. A home that cannot tell says no.
 */
bool port_cpu_contended(void);

/*
 * Post: @work is neither scheduled nor running, unless it was scheduled since. A home
 * with real-time priorities lends the run that is waited for the caller's.
 * Pre: process context, not from @work itself.
 */
void port_work_cancel(port_work *work);

/* Pre: cancelled, and never scheduled again. */
void port_work_fini(port_work *work);

/* ---- time and waiting ---- */

u64 port_now_ns(void); /* monotonic */
/* Let other tasks run, if the system does not by itself. Pre: process context. */
void port_yield(void);
void port_nap(void); /* sleep about 1 ms. Pre: process context */
void port_cpu_relax(void); /* in a loop that waits for another CPU */

/* ---- bits ---- */

unsigned int port_ctz64(u64 v); /* lowest set bit. Pre: v != 0 */
void port_prefetch(const void *p); /* a hint; any address is allowed */

/*
 * ---- pages that move ----
 *
 * A home may want the memory of a page for something else (the kernel: a huge page, CMA,
 * memory that goes offline). It then moves the page's content to another page, by
 * core_move_page(). It remembers the owner of each page, and has a lock of its own, under
 * which it reads the owner and moves the page, and without which port_pages_free() takes
 * no owner away from a page that may be moved. So an owner that was found is there.
 */

/*
 * From here to port_pages_free(), @pages[0..n-1] are owned by @owner, of @pool, and may
 * be moved. A home that moves no pages does nothing. Pre: as port_pages_free().
 */
void port_pages_own(void **pages, unsigned int n, struct zs_pool *pool, void *owner);

/*
 * The core's, for the home: move the content of page @from of @owner to page @to, which
 * takes its place. True: @to is owned by @owner, and @from is the home's. False: nothing
 * has changed, as a task reads or writes in the page, or @owner is about to give it back.
 * Pre: the home's lock of owners is held, and @from has @owner, of @pool. @to has it,
 * too, and a reference of the home: before this returns, a task may give @to back.
 * Context: as for a spinlock. At most 256 compare-and-swaps and the copy of a page.
 */
bool core_move_page(struct zs_pool *pool, void *owner, const void *from, void *to);

/* ---- the pool and its home ---- */

/*
 * Called once when a pool is complete and before its creator sees it: the home
 * may publish it (debugfs, shrinker). Post: 0, or a negative errno and creation
 * fails. The pool's public API may be used on it from here until
 * port_pool_detach() returns. @home is kept for the latter.
 */
int port_pool_attach(struct zs_pool *pool, const char *name, void **home);
/*
 * The home withdraws the pool. Post: nothing of the home calls into it any more. @home
 * stays until port_pool_forget(), for port_pool_show_pending().
 */
void port_pool_detach(struct zs_pool *pool, void *home);
void port_pool_forget(void *home);

/*
 * About @pages pages of the pool are held by pending frees, for the home to show as
 * memory that can be had. @home is port_pool_attach()'s. Context: any.
 */
void port_pool_show_pending(void *home, size_t pages);

/*
 * A caller misused the API. A debug build (LETHE_DEBUG) says so with all three
 * names and stops, or warns with a stack trace where it cannot stop. In other builds
 * the core only counts.
 */
void port_misuse(const char *pool, unsigned long handle, const char *call,
		 const char *what);

#ifdef LETHE_DEBUG
void port_assert_failed(const char *expr, const char *file, int line);
#define PORT_ASSERT(expr)                                                                \
	((expr) ? (void)0 : port_assert_failed(#expr, __FILE__, __LINE__))
#else
#define PORT_ASSERT(expr) ((void)0)
#endif

#endif /* LETHE_PORT_H */
