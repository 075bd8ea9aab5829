/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Types and inlines of the userspace home (see port/port.h for the contract).
 * Includes freestanding headers only, since core/ is compiled with it: what
 * needs libc or the system is behind an opaque pointer or an extern function.
 */
#ifndef LETHE_PORT_HOME_H
#define LETHE_PORT_HOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if UINTPTR_MAX != UINT64_MAX
#error "Lethe runs on 64-bit machines only: a handle entry and a bitmap word are 64 bits."
#endif

#ifndef LETHE_PAGE_SHIFT
#define LETHE_PAGE_SHIFT 12
#endif
#if LETHE_PAGE_SHIFT != 12 && LETHE_PAGE_SHIFT != 14 && LETHE_PAGE_SHIFT != 16
#error "LETHE_PAGE_SHIFT must be 12, 14 or 16 (pages of 4, 16 or 64 KiB)."
#endif

/* The kernel's types, so that a mix-up fails to compile here already. */
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;

#define PORT_PAGE_SHIFT LETHE_PAGE_SHIFT
#define PORT_PAGE_SIZE (1UL << PORT_PAGE_SHIFT)
#define PORT_CACHELINE 64
#define PORT_CACHE_ALIGNED __attribute__((aligned(PORT_CACHELINE)))
#define PORT_NOINLINE __attribute__((noinline))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#if defined(__SANITIZE_THREAD__)
#define PORT_USER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define PORT_USER_TSAN 1
#endif
#endif

typedef struct {
	u64 v;
} port_atomic;

typedef struct {
	int locked;
} port_spinlock;

struct user_work;
typedef struct {
	struct user_work *impl; /* see work.c */
} port_work;

/* ---- memory ---- */

void port_user_copy(void *dst, const void *src, size_t len);

/*
 * Of the copy of an object, which is at most a page long, the compiler would make a
 * string instruction; the library knows better.
 */
static inline void port_memcpy(void *dst, const void *src, size_t len)
{
	if (__builtin_constant_p(len))
		__builtin_memcpy(dst, src, len);
	else
		port_user_copy(dst, src, len);
}

static inline void port_memset(void *dst, int byte, size_t len)
{
	__builtin_memset(dst, byte, len);
}

static inline u64 port_meta_pack(const void *p)
{
	return (uintptr_t)p;
}

static inline void *port_meta_unpack(u64 packed)
{
	return (void *)(uintptr_t)packed;
}

static inline size_t port_meta_size(size_t size)
{
	return size;
}

static inline void port_meta_hide(const void *p)
{
	(void)p;
}

struct zs_pool;

/* Pages stay where they are: the system moves what is behind them. */
static inline void port_pages_own(void **pages, unsigned int n, struct zs_pool *pool,
				  void *owner)
{
	(void)pages;
	(void)n;
	(void)pool;
	(void)owner;
}

/* ---- atomics ---- */

#ifdef PORT_USER_TSAN
extern u64 port_user_fence_word;
#endif

static inline void port_atomic_fence(void)
{
#ifdef PORT_USER_TSAN
	/* ThreadSanitizer does not know fences, but knows this. */
	__atomic_fetch_add(&port_user_fence_word, 1, __ATOMIC_SEQ_CST);
#else
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/*
 * C11's sequentially consistent read-modify-write is not a fence for other
 * accesses. On x86 the locked instruction is one anyway.
 */
static inline void port_user_full_order(void)
{
#if defined(__x86_64__)
	__asm__ volatile("" ::: "memory");
#else
	port_atomic_fence();
#endif
}

static inline u64 port_atomic_load(const port_atomic *a)
{
	return __atomic_load_n(&a->v, __ATOMIC_RELAXED);
}

static inline u64 port_atomic_load_acquire(const port_atomic *a)
{
	return __atomic_load_n(&a->v, __ATOMIC_ACQUIRE);
}

/* Compilers take it for an acquire, which costs nothing on x86. */
static inline u64 port_atomic_load_consume(const port_atomic *a)
{
	return __atomic_load_n(&a->v, __ATOMIC_CONSUME);
}

static inline void port_atomic_store(port_atomic *a, u64 v)
{
	__atomic_store_n(&a->v, v, __ATOMIC_RELAXED);
}

static inline void port_atomic_store_release(port_atomic *a, u64 v)
{
	__atomic_store_n(&a->v, v, __ATOMIC_RELEASE);
}

static inline void port_atomic_add(port_atomic *a, u64 v)
{
	__atomic_fetch_add(&a->v, v, __ATOMIC_RELAXED);
}

static inline u64 port_atomic_sub_return_release(port_atomic *a, u64 v)
{
	return __atomic_sub_fetch(&a->v, v, __ATOMIC_RELEASE);
}

static inline u64 port_atomic_xchg(port_atomic *a, u64 v)
{
	u64 old;

	port_user_full_order();
	old = __atomic_exchange_n(&a->v, v, __ATOMIC_SEQ_CST);
	port_user_full_order();
	return old;
}

static inline void port_atomic_or(port_atomic *a, u64 bits)
{
	port_user_full_order();
	__atomic_fetch_or(&a->v, bits, __ATOMIC_SEQ_CST);
	port_user_full_order();
}

static inline void port_atomic_and(port_atomic *a, u64 bits)
{
	port_user_full_order();
	__atomic_fetch_and(&a->v, bits, __ATOMIC_SEQ_CST);
	port_user_full_order();
}

static inline bool port_atomic_test_and_set_bit(port_atomic *a, unsigned int bit)
{
	u64 mask = 1ull << bit; /* named: gcc then makes it one "lock bts" */
	u64 old;

	port_user_full_order();
	old = __atomic_fetch_or(&a->v, mask, __ATOMIC_SEQ_CST);
	port_user_full_order();
	return (old & mask) != 0;
}

static inline bool port_atomic_cmpxchg_acquire(port_atomic *a, u64 *old, u64 new_value)
{
	return __atomic_compare_exchange_n(&a->v, old, new_value, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

static inline bool port_atomic_cmpxchg(port_atomic *a, u64 *old, u64 new_value)
{
	bool stored;

	port_user_full_order();
	stored = __atomic_compare_exchange_n(&a->v, old, new_value, false,
					     __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
	port_user_full_order();
	return stored;
}

static inline void port_counter_add(port_atomic *a, u64 v)
{
	port_atomic_store(a, port_atomic_load(a) + v);
}

/* ---- locks ---- */

/* In `locked`: a thread has waited for the lock since it was last let go. */
#define PORT_USER_WAITED 2

void port_user_spin_wait(port_spinlock *lock);

/* Is a thread waiting for this lock, which the caller holds? For tests. */
static inline bool port_user_lock_waited(const port_spinlock *lock)
{
	return __atomic_load_n(&lock->locked, __ATOMIC_RELAXED) == PORT_USER_WAITED;
}

static inline void port_spin_init(port_spinlock *lock)
{
	__atomic_store_n(&lock->locked, 0, __ATOMIC_RELAXED);
}

static inline bool port_spin_trylock(port_spinlock *lock)
{
	return !__atomic_load_n(&lock->locked, __ATOMIC_RELAXED) &&
	       !__atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE);
}

static inline void port_spin_lock(port_spinlock *lock)
{
	if (unlikely(__atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE)))
		port_user_spin_wait(lock);
}

static inline void port_spin_unlock(port_spinlock *lock)
{
	__atomic_store_n(&lock->locked, 0, __ATOMIC_RELEASE);
}

/* ---- per-CPU slots: see slot.c ---- */

/* The slot that this thread owns; negative: it owns none (yet). */
extern __thread int port_user_slot __attribute__((tls_model("initial-exec")));

unsigned int port_user_slot_get_slow(void);
void port_user_slot_put_slow(void);

static inline unsigned int port_cpu_get(void)
{
	int slot = port_user_slot;

	if (likely(slot >= 0))
		return (unsigned int)slot;
	return port_user_slot_get_slow();
}

static inline void port_cpu_put(void)
{
	if (unlikely(port_user_slot < 0))
		port_user_slot_put_slow();
}

/* A process cannot keep a CPU. A thread that spins is preempted in turn. */
static inline void port_preempt_off(void)
{
}

static inline void port_preempt_on(void)
{
}

/* ---- bits ---- */

static inline unsigned int port_ctz64(u64 v)
{
	return (unsigned int)__builtin_ctzll(v);
}

static inline void port_prefetch(const void *p)
{
	__builtin_prefetch(p);
}

#endif /* LETHE_PORT_HOME_H */
