/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The kernel as a home of the core: Linux 6.1 and later; see kernel/require.h.
 */
#ifndef LETHE_PORT_HOME_H
#define LETHE_PORT_HOME_H

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kasan.h>
#include <linux/kmemleak.h>
#include <linux/kthread.h>
#include <linux/local_lock.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/prefetch.h>
#include <linux/rtmutex.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/types.h>

#define PORT_PAGE_SHIFT PAGE_SHIFT
#define PORT_PAGE_SIZE PAGE_SIZE
#define PORT_CACHELINE L1_CACHE_BYTES

#define PORT_CACHE_ALIGNED __aligned(L1_CACHE_BYTES)
#define PORT_NOINLINE noinline
#define PORT_ALWAYS_INLINE __always_inline

/* ---- memory ---- */

static __always_inline void port_memcpy(void *dst, const void *src, size_t len)
{
	memcpy(dst, src, len);
}

static __always_inline void port_memset(void *dst, int byte, size_t len)
{
	memset(dst, byte, len);
}

/*
 * Without the tag that KASAN keeps in an address's upper bits (arm64). An address
 * without one may be used, and freed, as well: the kernel's own tag matches all.
 */
static __always_inline u64 port_meta_pack(const void *p)
{
	return (unsigned long)kasan_reset_tag(p) - PAGE_OFFSET;
}

static __always_inline void *port_meta_unpack(u64 packed)
{
	return (void *)(PAGE_OFFSET + (unsigned long)packed);
}

static inline void port_meta_hide(const void *p)
{
	kmemleak_not_leak(p);
}

static inline size_t port_memory_pages(void)
{
	return totalram_pages();
}

/* A free page is the kernel's at once: nothing is kept. */
static inline void port_pages_trim(void)
{
}

/* ---- locks ---- */

typedef spinlock_t port_spinlock;

/*
 * To lockdep, all locks initialised in one source file are one class: the core
 * never nests two of them.
 */
static inline void port_spin_init(port_spinlock *lock)
{
	spin_lock_init(lock);
}

static __always_inline void port_spin_lock(port_spinlock *lock) __acquires(lock)
{
	spin_lock(lock);
}

static __always_inline bool port_spin_trylock(port_spinlock *lock)
{
	return spin_trylock(lock);
}

static __always_inline void port_spin_unlock(port_spinlock *lock) __releases(lock)
{
	spin_unlock(lock);
}

/* ---- atomics ---- */

typedef atomic64_t port_atomic;

static __always_inline u64 port_atomic_load(const port_atomic *a)
{
	return (u64)atomic64_read(a);
}

static __always_inline u64 port_atomic_load_acquire(const port_atomic *a)
{
	return (u64)atomic64_read_acquire(a);
}

/* READ_ONCE(): the accesses depend on the address. */
static __always_inline u64 port_atomic_load_consume(const port_atomic *a)
{
	return (u64)atomic64_read(a);
}

static __always_inline void port_atomic_store(port_atomic *a, u64 v)
{
	atomic64_set(a, (s64)v);
}

static __always_inline void port_atomic_store_release(port_atomic *a, u64 v)
{
	atomic64_set_release(a, (s64)v);
}

static __always_inline void port_atomic_add(port_atomic *a, u64 v)
{
	atomic64_add((s64)v, a);
}

static __always_inline u64 port_atomic_sub_return_release(port_atomic *a, u64 v)
{
	return (u64)atomic64_sub_return_release((s64)v, a);
}

static __always_inline u64 port_atomic_xchg(port_atomic *a, u64 v)
{
	return (u64)atomic64_xchg(a, (s64)v);
}

/* Operations without a result are not ordered by themselves. */
static __always_inline void port_atomic_or(port_atomic *a, u64 bits)
{
	smp_mb__before_atomic();
	atomic64_or((s64)bits, a);
	smp_mb__after_atomic();
}

static __always_inline void port_atomic_and(port_atomic *a, u64 bits)
{
	smp_mb__before_atomic();
	atomic64_and((s64)bits, a);
	smp_mb__after_atomic();
}

/*
 * One instruction where there is one (x86: lock bts). Bit numbers of a long
 * and of a 64-bit value agree on 64-bit machines, of either byte order.
 */
static __always_inline bool port_atomic_test_and_set_bit(port_atomic *a, unsigned int bit)
{
	return test_and_set_bit(bit, (unsigned long *)&a->counter);
}

static __always_inline bool port_atomic_cmpxchg_acquire(port_atomic *a, u64 *old,
							u64 new_value)
{
	return atomic64_try_cmpxchg_acquire(a, (s64 *)old, (s64)new_value);
}

static __always_inline bool port_atomic_cmpxchg(port_atomic *a, u64 *old, u64 new_value)
{
	return atomic64_try_cmpxchg(a, (s64 *)old, (s64)new_value);
}

static __always_inline void port_atomic_fence(void)
{
	smp_mb();
}

static __always_inline void port_counter_add(port_atomic *a, u64 v)
{
	atomic64_set(a, atomic64_read(a) + (s64)v);
}

/*
 * ---- per-CPU slots: a slot is a CPU, held by a local lock ----
 *
 * That is by not being preempted, at no cost. On PREEMPT_RT it is a lock that
 * sleeps, as spinlocks there do and may be taken in it, and by not migrating.
 */

struct port_cpu {
	local_lock_t lock;
};

DECLARE_PER_CPU(struct port_cpu, port_cpu);

/*
 * Drain threads are made once, so CPUs that are off just now count; not those that a
 * virtual machine could be given one day, which may be hundreds.
 */
static inline unsigned int port_cpus(void)
{
	return num_present_cpus();
}

static inline unsigned int port_cpu_slots(void)
{
	return nr_cpu_ids;
}

static __always_inline unsigned int port_cpu_get(void)
{
	local_lock(&port_cpu.lock);
	return (unsigned int)smp_processor_id();
}

static __always_inline void port_cpu_put(void)
{
	local_unlock(&port_cpu.lock);
}

/* The caller is in a slot, or holds a spinlock: only on PREEMPT_RT it is preemptible. */
static __always_inline void port_preempt_off(void)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		preempt_disable();
}

static __always_inline void port_preempt_on(void)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		preempt_enable();
}

/* ---- deferred work ---- */

struct port_work {
	struct kthread_delayed_work dwork;
	struct kthread_worker *worker;
	void (*fn)(void *arg);
	void *arg;
	atomic_t due; /* scheduled, and neither run nor cancelled since */
	atomic_t cancelling; /* callers of port_work_cancel() that wait for the run */
	struct rt_mutex
		running; /* held during a run: its waiters lend it their priority */
};

typedef struct port_work port_work;

/* ---- time and waiting ---- */

static inline u64 port_now_ns(void)
{
	return ktime_get_ns();
}

static inline void port_yield(void)
{
	cond_resched();
}

static inline void port_nap(void)
{
	usleep_range(500, 1000);
}

static __always_inline void port_cpu_relax(void)
{
	cpu_relax();
}

/* ---- bits ---- */

static __always_inline unsigned int port_ctz64(u64 v)
{
	return (unsigned int)__ffs(v);
}

static __always_inline void port_prefetch(const void *p)
{
	prefetch(p);
}

#endif /* LETHE_PORT_HOME_H */
