/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Plain memory. The core is compiled with ThreadSanitizer's instrumentation, but
 * linked with these entry points instead of its library: so every access that
 * is not of the port comes here too. Two accesses to the same bytes of which one
 * is a write, and which no lock, acquire or release has ordered, are a race; any
 * access to memory that was freed is an error.
 *
 * The unit is 4 bytes. For each: which thread wrote last and when, and the last readers.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "world.h"

enum {
	UNIT_SHIFT = 2,
	READERS = 3,
	WRITER_GONE = 15, /* in place of a thread: freed */
	WRITER_GAP = 14, /* never was allocated */
	SAMPLE = 64,
	PLAIN_ACCESSES_MAX = 100 * 1000 * 1000,
};

/* A thread and a time of it. */
typedef u32 epoch;

struct unit {
	epoch writer;
	epoch reader[READERS];
};

static struct unit *shadow; /* of the arena */

static epoch epoch_make(unsigned int thread, u32 time)
{
	return thread << SIM_EPOCH_BITS | time;
}

static u32 epoch_time(epoch e)
{
	return e & ((1u << SIM_EPOCH_BITS) - 1);
}

static unsigned int epoch_thread(epoch e)
{
	return e >> SIM_EPOCH_BITS;
}

void plain_begin(void)
{
	size_t size = (MEMORY_SIZE >> UNIT_SHIFT) * sizeof(*shadow);

	if (shadow)
		munmap(shadow, size);
	shadow = mmap(NULL, size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (shadow == MAP_FAILED) {
		perror("sim: shadow memory");
		__builtin_trap();
	}
}

static struct unit *unit_of(const void *p)
{
	return &shadow[(size_t)((const char *)p - memory_arena) >> UNIT_SHIFT];
}

static void mark(const void *p, size_t size, epoch writer)
{
	struct unit *u = unit_of(p);
	struct unit *end = unit_of((const char *)p + size - 1) + 1;

	for (; u < end; u++)
		*u = (struct unit){.writer = writer};
}

void plain_allocated(const void *p, size_t size, bool reused)
{
	struct sim_thread *t = sim_me();

	/* What earlier schedules left is in the past as it is. */
	if (sim.alone && !reused)
		return;
	mark(p, size, epoch_make(sim.self, t->hb.of[sim.self]));
}

void plain_gap(const void *p, size_t size)
{
	mark(p, size, epoch_make(WRITER_GAP, sim.base + 1));
}

static __attribute__((noinline)) void
fail_access(const void *p, epoch other, const char *how, const char *did, const void *pc)
{
	char what[96];

	if (!sim_describe || !sim_describe(p, what, sizeof(what)))
		snprintf(what, sizeof(what), "memory +%#zx",
			 (size_t)((const char *)p - memory_arena));
	TRACE(how, p, 0, 0);
	if (epoch_thread(other) == WRITER_GONE)
		sim_fail("use of freed memory: %s %ss %s at %p", sim_me()->name, how,
			 what, pc);
	if (epoch_thread(other) == WRITER_GAP)
		sim_fail("access out of bounds: %s %ss %s at %p", sim_me()->name, how,
			 what, pc);
	sim_fail("data race: %s %ss %s, which %s has %s, at %p", sim_me()->name, how,
		 what, sim.thread[epoch_thread(other)].name, did, pc);
}

/* Is what @e stands for not ordered before the present of thread @t? */
static inline bool races(epoch e, const struct sim_thread *t)
{
	unsigned int thread = epoch_thread(e);

	if (thread == sim.self || epoch_time(e) <= sim.base)
		return false;
	return thread >= SIM_THREADS || t->hb.of[thread] < epoch_time(e);
}

static void unit_read(struct unit *u, const void *p, const void *pc)
{
	struct sim_thread *t = sim_me();
	epoch now = epoch_make(sim.self, t->hb.of[sim.self]);
	unsigned int i, place = READERS - 1;

	if (u->reader[0] == now || u->writer == now)
		return;
	if (unlikely(races(u->writer, t)))
		fail_access(p, u->writer, "read", "written", pc);
	for (i = READERS; i-- > 0;) {
		epoch e = u->reader[i];

		if (epoch_thread(e) == sim.self || !races(e, t))
			place = i;
	}
	u->reader[place] = now;
}

static void unit_write(struct unit *u, const void *p, const void *pc)
{
	struct sim_thread *t = sim_me();
	unsigned int i;

	if (unlikely(races(u->writer, t)))
		fail_access(p, u->writer, "write", "written", pc);
	for (i = 0; i < READERS; i++) {
		if (unlikely(races(u->reader[i], t)))
			fail_access(p, u->reader[i], "write", "read", pc);
	}
	*u = (struct unit){.writer = epoch_make(sim.self, t->hb.of[sim.self])};
}

static void access_range(const void *p, size_t size, bool write, const void *pc)
{
	struct unit *u, *end;

	if (++sim.plain_accesses > PLAIN_ACCESSES_MAX)
		sim_fail("livelock: the core goes on without a step");
	if (!memory_has(p) || !size)
		return;
	u = unit_of(p);
	end = unit_of((const char *)p + size - 1) + 1;
	for (; u < end; u++) {
		if (write)
			unit_write(u, p, pc);
		else
			unit_read(u, p, pc);
	}
}

/*
 * At the end of a pool, when the main thread and the workers are all there is, a sample
 * of each block is looked at: to go through all of it would take most of the time.
 */
static void freed_at_end(const char *p, size_t size)
{
	size_t at;

	for (at = 0; at < size; at += SAMPLE) {
		access_range(p + at, 1, true, __builtin_return_address(0));
		unit_of(p + at)->writer = epoch_make(WRITER_GONE, sim.base + 1);
	}
}

void plain_freed(const void *p, size_t size)
{
	if (sim.watched && !(sim.alive & ~SIM_WORKERS & ~1u)) {
		freed_at_end(p, size);
		return;
	}
	if (sim.watched)
		access_range(p, size, true, __builtin_return_address(0));
	mark(p, size, epoch_make(WRITER_GONE, sim.base + 1));
}

void plain_check_alive(const void *p)
{
	epoch e;

	if (!memory_has(p))
		return;
	e = unit_of(p)->writer;
	if (unlikely(epoch_thread(e) >= WRITER_GAP) && epoch_time(e) > sim.base)
		fail_access(p, e, "use", "", __builtin_return_address(0));
}

/* ---- the port ---- */

static inline bool judged(void)
{
	return sim.watched && !sim.frozen;
}

void port_memcpy(void *dst, const void *src, size_t len)
{
	if (judged()) {
		access_range(src, len, false, __builtin_return_address(0));
		access_range(dst, len, true, __builtin_return_address(0));
	}
	memcpy(dst, src, len);
}

void port_memset(void *dst, int byte, size_t len)
{
	if (judged())
		access_range(dst, len, true, __builtin_return_address(0));
	memset(dst, byte, len);
}

/* ---- what instrumented code calls ---- */

#define HOOK(name, size, write)                                                          \
	void name(void *p);                                                              \
	void name(void *p)                                                               \
	{                                                                                \
		if (judged())                                                            \
			access_range(p, size, write, __builtin_return_address(0));       \
	}

HOOK(__tsan_read1, 1, false)
HOOK(__tsan_read2, 2, false)
HOOK(__tsan_read4, 4, false)
HOOK(__tsan_read8, 8, false)
HOOK(__tsan_read16, 16, false)
HOOK(__tsan_write1, 1, true)
HOOK(__tsan_write2, 2, true)
HOOK(__tsan_write4, 4, true)
HOOK(__tsan_write8, 8, true)
HOOK(__tsan_write16, 16, true)
HOOK(__tsan_unaligned_read2, 2, false)
HOOK(__tsan_unaligned_read4, 4, false)
HOOK(__tsan_unaligned_read8, 8, false)
HOOK(__tsan_unaligned_read16, 16, false)
HOOK(__tsan_unaligned_write2, 2, true)
HOOK(__tsan_unaligned_write4, 4, true)
HOOK(__tsan_unaligned_write8, 8, true)
HOOK(__tsan_unaligned_write16, 16, true)

#define HOOK_RANGE(name, write)                                                          \
	void name(void *p, size_t size);                                                 \
	void name(void *p, size_t size)                                                  \
	{                                                                                \
		if (judged())                                                            \
			access_range(p, size, write, __builtin_return_address(0));       \
	}

HOOK_RANGE(__tsan_read_range, false)
HOOK_RANGE(__tsan_write_range, true)

void __tsan_init(void);
void __tsan_init(void)
{
}

void __tsan_func_entry(void *pc);
void __tsan_func_entry(void *pc)
{
	(void)pc;
}

void __tsan_func_exit(void);
void __tsan_func_exit(void)
{
}
