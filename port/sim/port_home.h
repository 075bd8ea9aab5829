/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The simulator as a home of the core (see port/port.h for the contract): every
 * function is a call into it. Includes freestanding headers only, since core/
 * is compiled with it.
 */
#ifndef LETHE_PORT_HOME_H
#define LETHE_PORT_HOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef LETHE_PAGE_SHIFT
#define LETHE_PAGE_SHIFT 12
#endif
#if LETHE_PAGE_SHIFT != 12
#error "The simulator has pages of 4 KiB: its stacks and its arena are sized for them."
#endif

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

/*
 * So that short schedules come to the end of everything: of slices, batches,
 * leaves and nodes of the handle table.
 */
#define TABLE_SHIFT 6
#define TABLE_GROUP 4u
#define TABLE_STEP 8u
#define FREE_LOCK_SLICE 3
#define FREE_SMALL_BATCH 8
#define FREE_LARGE_BATCH 16u
#define DEFER_BACKLOG 3
#define DEFER_SCAN_MOST 200
#define DEFER_CPUS_PER_THREAD 3

/* Most threads of a simulation: the main one, actors, and the four that run works. */
#define SIM_THREADS 10

/* A time of each thread. What is 0 in memory just allocated is before all. */
struct sim_clock {
	u32 of[SIM_THREADS];
};

typedef struct {
	u64 newest;
	u32 store; /* the record of that store, which leads to older ones; 0: none */
} port_atomic;

typedef struct {
	u32 holder; /* thread + 1 */
	u32 waiters; /* a bit each */
	struct sim_clock hb, seen; /* released with it: see clock.h */
} port_spinlock;

typedef struct {
	u32 id; /* see work.c */
} port_work;

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

static inline unsigned int port_ctz64(u64 v)
{
	return (unsigned int)__builtin_ctzll(v);
}

static inline void port_prefetch(const void *p)
{
	(void)p;
}

#endif /* LETHE_PORT_HOME_H */
