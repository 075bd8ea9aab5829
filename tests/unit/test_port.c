/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* The userspace home keeps the promises of port/port.h. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "test.h"
#include "advise.h"
#include "arena.h"
#include "fault.h"

/* ---- slots ---- */

/* More threads than slots, so that owned and shared ones are both exercised. */
enum { SLOT_THREADS = 160, SLOT_ROUNDS = 300 };

static int slot_holders[4096]; /* how many threads are in each slot now */
static int slot_violations;
static pthread_barrier_t slot_barrier;

static void *slot_thread(void *arg)
{
	pthread_barrier_wait(&slot_barrier); /* all alive at once */
	for (int i = 0; i < SLOT_ROUNDS; i++) {
		unsigned int slot = port_cpu_get();

		if (slot >= port_cpu_slots() ||
		    __atomic_fetch_add(&slot_holders[slot], 1, __ATOMIC_SEQ_CST))
			__atomic_fetch_add(&slot_violations, 1, __ATOMIC_SEQ_CST);
		if (i % 16 == 0)
			sched_yield(); /* as if preempted inside */
		__atomic_fetch_sub(&slot_holders[slot], 1, __ATOMIC_SEQ_CST);
		port_cpu_put();
	}
	pthread_barrier_wait(&slot_barrier);
	return arg;
}

static void slots_are_private(void **state)
{
	pthread_t t[SLOT_THREADS];

	(void)state;
	assert_true(port_cpu_slots() <= ARRAY_SIZE(slot_holders));
	assert_true(port_cpu_slots() < SLOT_THREADS);
	pthread_barrier_init(&slot_barrier, NULL, SLOT_THREADS);
	for (int i = 0; i < SLOT_THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, slot_thread, NULL), 0);
	for (int i = 0; i < SLOT_THREADS; i++)
		pthread_join(t[i], NULL);
	pthread_barrier_destroy(&slot_barrier);
	assert_int_equal(slot_violations, 0);
}

static void *slot_number(void *arg)
{
	*(unsigned int *)arg = port_cpu_get();
	port_cpu_put();
	assert_int_equal(port_cpu_get(), *(unsigned int *)arg); /* it owns it */
	port_cpu_put();
	return NULL;
}

/* A slot comes back when its thread exits: thousands of threads, few slots. */
static void slots_return_at_exit(void **state)
{
	unsigned int first = 0, slot = 0;
	pthread_t t;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(pthread_create(&t, NULL, slot_number, &slot), 0);
		pthread_join(t, NULL);
		if (!i)
			first = slot;
		assert_int_equal(slot, first);
	}
}

/* ---- locks ---- */

enum { LOCK_THREADS = 4, LOCK_ROUNDS = 20000 };

static port_spinlock lock_under_test;
static unsigned long lock_guarded; /* plain on purpose: the lock is the guard */

static void *lock_thread(void *arg)
{
	for (int i = 0; i < LOCK_ROUNDS; i++) {
		if (i % 2 || !port_spin_trylock(&lock_under_test))
			port_spin_lock(&lock_under_test);
		lock_guarded++;
		port_spin_unlock(&lock_under_test);
	}
	return arg;
}

static void spinlock_excludes(void **state)
{
	pthread_t t[LOCK_THREADS];

	(void)state;
	port_spin_init(&lock_under_test);
	for (int i = 0; i < LOCK_THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, lock_thread, NULL), 0);
	for (int i = 0; i < LOCK_THREADS; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(lock_guarded, LOCK_THREADS * LOCK_ROUNDS);
	port_spin_lock(&lock_under_test);
	assert_false(port_spin_trylock(&lock_under_test));
	port_spin_unlock(&lock_under_test);
	assert_true(port_spin_trylock(&lock_under_test));
	port_spin_unlock(&lock_under_test);
}

/* ---- atomics ---- */

static void atomics_give_back_what_the_contract_says(void **state)
{
	port_atomic a;
	u64 old = 7;

	(void)state;
	port_atomic_store(&a, 5);
	port_atomic_add(&a, 3);
	assert_int_equal(port_atomic_load_acquire(&a), 8);
	assert_int_equal(port_atomic_load_consume(&a), 8);
	assert_int_equal(port_atomic_sub_return_release(&a, 2), 6);
	assert_int_equal(port_atomic_xchg(&a, 1), 6);
	port_atomic_or(&a, 6);
	port_atomic_and(&a, 5);
	assert_int_equal(port_atomic_load(&a), 5);
	assert_false(port_atomic_test_and_set_bit(&a, 63));
	assert_true(port_atomic_test_and_set_bit(&a, 63));
	assert_false(port_atomic_cmpxchg_acquire(&a, &old, 9));
	assert_true(old == (5 | 1ull << 63));
	assert_true(port_atomic_cmpxchg_acquire(&a, &old, 9));
	port_counter_add(&a, 1);
	port_atomic_fence();
	assert_int_equal(port_atomic_load(&a), 10);
	assert_int_equal(port_ctz64(1ull << 40), 40);
}

/* ---- pages ---- */

#define PAGES_MIB 64u
#define PAGES_NR ((PAGES_MIB << 20) >> PORT_PAGE_SHIFT)

/* Bytes of these pages that the system still keeps for us. */
static size_t resident_bytes(void **pages, size_t n)
{
	size_t sys = (size_t)sysconf(_SC_PAGESIZE);
	size_t bytes = 0;

	for (size_t i = 0; i < n; i++) {
		for (size_t at = 0; at < PORT_PAGE_SIZE; at += sys) {
			unsigned char in;

			if (!mincore((char *)pages[i] + at, sys, &in) && (in & 1))
				bytes += sys;
		}
	}
	return bytes;
}

static int compare_pointers(const void *a, const void *b)
{
	uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;

	return (x > y) - (x < y);
}

static void pages_are_aligned_distinct_and_return(void **state)
{
	void **pages = malloc(PAGES_NR * sizeof(*pages));
	void **copy = malloc(PAGES_NR * sizeof(*copy));

	(void)state;
	assert_int_equal(user_pages_outstanding(), 0);
	for (unsigned int i = 0; i < PAGES_NR; i += 8)
		assert_int_equal(
			port_pages_alloc(pages + i, 8, PORT_ALLOC_WAIT, PORT_NO_NODE), 0);
	assert_int_equal(user_pages_outstanding(), PAGES_NR);
	for (unsigned int i = 0; i < PAGES_NR; i++) {
		assert_int_equal((uintptr_t)pages[i] % PORT_PAGE_SIZE, 0);
		memset(pages[i], (int)i, PORT_PAGE_SIZE);
	}
	memcpy(copy, pages, PAGES_NR * sizeof(*pages));
	qsort(copy, PAGES_NR, sizeof(*copy), compare_pointers);
	for (unsigned int i = 1; i < PAGES_NR; i++)
		assert_ptr_not_equal(copy[i], copy[i - 1]);
	assert_int_equal(resident_bytes(copy, PAGES_NR), PAGES_MIB << 20);
	port_pages_free(pages, PAGES_NR);
	assert_int_equal(user_pages_outstanding(), 0);
	/* One arena's worth may be kept for reuse, no more. */
	assert_true(resident_bytes(copy, PAGES_NR) <= ARENA_SIZE);
	free(pages);
	free(copy);
}

/* Every arena keeps one page in use: none can be unmapped, and still it returns. */
static void pages_return_from_arenas_in_use(void **state)
{
	const unsigned int stride = ARENA_PAGES; /* as they are handed out in order */
	void **pages = malloc(PAGES_NR * sizeof(*pages));
	void **gone = malloc(PAGES_NR * sizeof(*gone));
	size_t n = 0, kept;

	(void)state;
	for (unsigned int i = 0; i < PAGES_NR; i++)
		assert_int_equal(
			port_pages_alloc(&pages[i], 1, PORT_ALLOC_WAIT, PORT_NO_NODE), 0);
	for (unsigned int i = 0; i < PAGES_NR; i++)
		memset(pages[i], (int)i, PORT_PAGE_SIZE);
	for (unsigned int i = 0; i < PAGES_NR; i++) {
		void *page = pages[i];

		if (i % stride == 0)
			continue;
		gone[n++] = page;
		port_pages_free(&page, 1);
	}
	kept = PAGES_NR - n;
	assert_int_equal(user_pages_outstanding(), kept);
	/* An arena's worth, and what was freed since the last look: half as much. */
	assert_true(resident_bytes(gone, n) <= ARENA_SIZE / 2 * 3);
	for (unsigned int i = 0; i < PAGES_NR; i += stride) {
		assert_int_equal(*(unsigned char *)pages[i], (unsigned char)i);
		port_pages_free(&pages[i], 1);
	}
	assert_int_equal(user_pages_outstanding(), 0);
	free(pages);
	free(gone);
}

enum { PAGES_THREADS = 4, PAGES_ROUNDS = 400, PAGES_BULK = 40 };

/* So does what lies in short runs between pages in use, where a call takes many. */
static void pages_return_from_short_runs(void **state)
{
	const unsigned int stride = 8;
	void **pages = malloc(PAGES_NR * sizeof(*pages));
	void **gone = malloc(PAGES_NR * sizeof(*gone));
	size_t n = 0;

	(void)state;
	for (unsigned int i = 0; i < PAGES_NR; i++) {
		assert_int_equal(
			port_pages_alloc(&pages[i], 1, PORT_ALLOC_WAIT, PORT_NO_NODE), 0);
		memset(pages[i], (int)i, PORT_PAGE_SIZE);
	}
	for (unsigned int i = 0; i < PAGES_NR; i++) {
		void *page = pages[i];

		if (i % stride == 0)
			continue;
		gone[n++] = page;
		port_pages_free(&page, 1);
	}
	if (advise_takes_many())
		assert_true(resident_bytes(gone, n) <= 2 * ARENA_SIZE);
	port_pages_trim();
	assert_int_equal(resident_bytes(gone, n), 0);
	for (unsigned int i = 0; i < PAGES_NR; i += stride) {
		const unsigned char *bytes = pages[i];

		for (size_t at = 0; at < PORT_PAGE_SIZE; at++)
			assert_int_equal(bytes[at], (unsigned char)i);
		port_pages_free(&pages[i], 1);
	}
	assert_int_equal(user_pages_outstanding(), 0);
	free(pages);
	free(gone);
}

#define SMALL_NR 4000u
#define SMALL_MAX 576u /* more than a slab serves */

static size_t small_size(unsigned int i)
{
	return PORT_CACHELINE * (1 + i % (SMALL_MAX / PORT_CACHELINE));
}

/* Each piece is zeroed, aligned, and nobody else's; none of it counts as pages. */
static void small_metadata_is_apart(void **state)
{
	static unsigned char *piece[SMALL_NR];
	const unsigned int stride = 7; /* coprime to SMALL_NR: every piece once */
	size_t before = user_meta_outstanding();

	(void)state;
	for (unsigned int turn = 0; turn < 2; turn++) {
		for (unsigned int i = 0; i < SMALL_NR; i++) {
			piece[i] = port_meta_alloc(small_size(i), PORT_ALLOC_WAIT);
			assert_non_null(piece[i]);
			assert_int_equal((uintptr_t)piece[i] % PORT_CACHELINE, 0);
			for (size_t at = 0; at < small_size(i); at++)
				assert_int_equal(piece[i][at], 0);
			memset(piece[i], (int)i, small_size(i));
		}
		assert_int_equal(user_pages_outstanding(), 0);
		for (unsigned int k = 0; k < SMALL_NR; k++) {
			unsigned int i = k * stride % SMALL_NR;

			for (size_t at = 0; at < small_size(i); at++)
				assert_int_equal(piece[i][at], (unsigned char)i);
			port_meta_free(piece[i], small_size(i));
		}
		assert_int_equal(user_meta_outstanding(), before);
	}
}

static void *pages_thread(void *arg)
{
	void *pages[PAGES_BULK];
	unsigned char tag = *(unsigned char *)arg;

	for (int r = 0; r < PAGES_ROUNDS; r++) {
		unsigned int n = 1 + (unsigned int)r % PAGES_BULK;

		if (port_pages_alloc(pages, n, PORT_ALLOC_TRY, PORT_NO_NODE))
			return arg;
		for (unsigned int i = 0; i < n; i++)
			*(unsigned char *)pages[i] = tag;
		for (unsigned int i = 0; i < n; i++)
			if (*(unsigned char *)pages[i] != tag)
				return arg;
		port_pages_free(pages, n);
	}
	return NULL;
}

static void pages_survive_threads(void **state)
{
	unsigned char tag[PAGES_THREADS];
	pthread_t t[PAGES_THREADS];
	void *failed;

	(void)state;
	for (int i = 0; i < PAGES_THREADS; i++) {
		tag[i] = (unsigned char)(i + 1);
		assert_int_equal(pthread_create(&t[i], NULL, pages_thread, &tag[i]), 0);
	}
	for (int i = 0; i < PAGES_THREADS; i++) {
		pthread_join(t[i], &failed);
		assert_null(failed);
	}
	assert_int_equal(user_pages_outstanding(), 0);
}

/* ---- metadata ---- */

static void metadata_is_zeroed_aligned_and_counted(void **state)
{
	static const size_t sizes[] = {1, 8, 24, 64, 100, 4096, 8200, 300000, 1 << 20};
	size_t before = user_meta_outstanding();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		char *p = port_meta_alloc(sizes[i], PORT_ALLOC_WAIT);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 8, 0);
		if (sizes[i] % PORT_CACHELINE == 0)
			assert_int_equal((uintptr_t)p % PORT_CACHELINE, 0);
		for (size_t b = 0; b < sizes[i]; b++)
			assert_int_equal(p[b], 0);
		memset(p, 0xa5, sizes[i]); /* the next one is zeroed again */
		assert_int_equal(user_meta_outstanding(), before + sizes[i]);
		port_meta_free(p, sizes[i]);
	}
	port_meta_free(NULL, 64);
	assert_int_equal(user_meta_outstanding(), before);
}

/* ---- fault injection ---- */

static void faults_hit_the_chosen_call(void **state)
{
	void *page, *p;

	(void)state;
	user_fault_arm(USER_FAULT_META, 2, 1);
	p = port_meta_alloc(64, PORT_ALLOC_WAIT);
	assert_non_null(p);
	assert_int_equal(port_pages_alloc(&page, 1, PORT_ALLOC_WAIT, PORT_NO_NODE), 0);
	assert_null(port_meta_alloc(64, PORT_ALLOC_WAIT));
	port_meta_free(p, 64);
	p = port_meta_alloc(64, PORT_ALLOC_WAIT);
	assert_non_null(p);
	assert_int_equal(user_fault_disarm(), 1);
	port_meta_free(p, 64);
	port_pages_free(&page, 1);

	user_fault_arm(USER_FAULT_PAGES, 1, ~0ull);
	assert_int_equal(port_pages_alloc(&page, 1, PORT_ALLOC_WAIT, PORT_NO_NODE),
			 -PORT_ENOMEM);
	assert_int_equal(port_pages_alloc(&page, 1, PORT_ALLOC_WAIT, PORT_NO_NODE),
			 -PORT_ENOMEM);
	assert_int_equal(user_fault_disarm(), 2);
	assert_int_equal(user_pages_outstanding(), 0);
}

/* ---- work ---- */

struct work_probe {
	port_work work;
	u64 runs;
	u64 ran_at_ns;
	u64 done;
	unsigned int run_ms; /* how long a run takes */
	bool again; /* schedules itself */
	bool held; /* a run does not end before this is cleared */
	int priority;
};

static void work_probe_run(void *arg)
{
	struct work_probe *p = arg;

	__atomic_store_n(&p->ran_at_ns, port_now_ns(), __ATOMIC_RELAXED);
	p->priority = getpriority(PRIO_PROCESS, 0);
	__atomic_fetch_add(&p->runs, 1, __ATOMIC_SEQ_CST);
	if (p->run_ms)
		test_sleep_ms(p->run_ms);
	while (__atomic_load_n(&p->held, __ATOMIC_ACQUIRE))
		test_sleep_ms(1);
	if (p->again)
		port_work_schedule(&p->work, 0);
	__atomic_fetch_add(&p->done, 1, __ATOMIC_SEQ_CST);
}

static u64 work_probe_runs(struct work_probe *p)
{
	return __atomic_load_n(&p->runs, __ATOMIC_SEQ_CST);
}

static u64 work_probe_done(struct work_probe *p)
{
	return __atomic_load_n(&p->done, __ATOMIC_SEQ_CST);
}

static void work_probe_start(struct work_probe *p)
{
	assert_int_equal(port_work_init(&p->work, work_probe_run, p), 0);
}

static void work_probe_end(struct work_probe *p)
{
	port_work_cancel(&p->work);
	port_work_fini(&p->work);
}

static void work_runs_soon_and_at_normal_priority(void **state)
{
	struct work_probe p = {0};

	(void)state;
	work_probe_start(&p);
	test_sleep_ms(20);
	assert_int_equal(work_probe_runs(&p), 0); /* not before it is asked to */
	port_work_schedule(&p.work, 0);
	TEST_WAIT_UNTIL(work_probe_done(&p) == 1);
	test_sleep_ms(20);
	assert_int_equal(work_probe_runs(&p), 1); /* once, not for ever */
	assert_int_equal(p.priority, getpriority(PRIO_PROCESS, 0));
	work_probe_end(&p);
}

static void work_waits_for_its_delay(void **state)
{
	struct work_probe p = {0};
	u64 start;

	(void)state;
	work_probe_start(&p);
	start = port_now_ns();
	port_work_schedule(&p.work, 60);
	TEST_WAIT_UNTIL(work_probe_done(&p) == 1);
	/* Times are kept in microseconds. */
	assert_true(p.ran_at_ns + 1000 >= start + 60 * 1000000ull);
	work_probe_end(&p);
}

static void work_earlier_time_stands(void **state)
{
	struct work_probe p = {0};

	(void)state;
	work_probe_start(&p);
	port_work_schedule(&p.work, 3600 * 1000);
	port_work_schedule(&p.work, 5); /* earlier: takes over */
	TEST_WAIT_UNTIL(work_probe_done(&p) == 1);
	port_work_schedule(&p.work, 1);
	port_work_schedule(&p.work, 3600 * 1000); /* later: changes nothing */
	TEST_WAIT_UNTIL(work_probe_done(&p) == 2);
	work_probe_end(&p);
}

static void work_scheduled_while_running_runs_again(void **state)
{
	struct work_probe p = {.held = true};

	(void)state;
	work_probe_start(&p);
	port_work_schedule(&p.work, 0);
	TEST_WAIT_UNTIL(work_probe_runs(&p) == 1);
	port_work_schedule(&p.work, 0);
	port_work_schedule(&p.work, 0);
	test_sleep_ms(20);
	assert_int_equal(work_probe_runs(&p), 1); /* never two at once */
	__atomic_store_n(&p.held, false, __ATOMIC_RELEASE);
	TEST_WAIT_UNTIL(work_probe_done(&p) == 2);
	test_sleep_ms(50);
	assert_int_equal(work_probe_runs(&p), 2);
	work_probe_end(&p);
}

static void work_cancel_waits_and_unschedules(void **state)
{
	struct work_probe p = {.run_ms = 100};

	(void)state;
	work_probe_start(&p);
	port_work_schedule(&p.work, 400);
	port_work_cancel(&p.work); /* not begun: never runs */
	test_sleep_ms(500);
	assert_int_equal(work_probe_runs(&p), 0);
	port_work_schedule(&p.work, 0);
	TEST_WAIT_UNTIL(work_probe_runs(&p) == 1);
	port_work_cancel(&p.work); /* begun: waited for */
	assert_int_equal(work_probe_done(&p), 1);
	work_probe_end(&p);
}

/* One that keeps scheduling itself ends too when cancelled in the middle. */
static void work_cancel_ends_self_scheduling(void **state)
{
	struct work_probe p = {.run_ms = 1, .again = true};
	u64 runs;

	(void)state;
	work_probe_start(&p);
	for (int i = 0; i < 20; i++) {
		port_work_schedule(&p.work, 0);
		TEST_WAIT_UNTIL(work_probe_runs(&p) > 2 * (u64)i);
		port_work_cancel(&p.work);
		runs = work_probe_runs(&p);
		test_sleep_ms(4);
		assert_int_equal(work_probe_runs(&p), runs);
	}
	work_probe_end(&p);
}

/* What was written before scheduling is seen by the run, without other locks. */
enum { WORK_SCHEDULERS = 4, WORK_POSTS = 5000 };

struct work_mailbox {
	port_work work;
	port_atomic posted[WORK_SCHEDULERS];
	u64 seen; /* sum over the mailboxes, written by the work alone */
};

static void work_mailbox_run(void *arg)
{
	struct work_mailbox *m = arg;
	u64 sum = 0;

	for (int i = 0; i < WORK_SCHEDULERS; i++)
		sum += port_atomic_load(&m->posted[i]);
	__atomic_store_n(&m->seen, sum, __ATOMIC_RELEASE);
}

struct work_scheduler {
	struct work_mailbox *mailbox;
	int which;
};

static void *work_scheduler_thread(void *arg)
{
	struct work_scheduler *s = arg;

	for (int i = 0; i < WORK_POSTS; i++) {
		port_atomic *box = &s->mailbox->posted[s->which];

		port_atomic_store(box, port_atomic_load(box) + 1);
		port_work_schedule(&s->mailbox->work, (unsigned int)i % 2);
	}
	return NULL;
}

static void work_loses_no_wakeup(void **state)
{
	struct work_scheduler s[WORK_SCHEDULERS];
	struct work_mailbox m = {.seen = 0};
	pthread_t t[WORK_SCHEDULERS];

	(void)state;
	assert_int_equal(port_work_init(&m.work, work_mailbox_run, &m), 0);
	for (int round = 1; round <= 3; round++) {
		u64 all = (u64)round * WORK_SCHEDULERS * WORK_POSTS;

		for (int i = 0; i < WORK_SCHEDULERS; i++) {
			s[i] = (struct work_scheduler){&m, i};
			assert_int_equal(
				pthread_create(&t[i], NULL, work_scheduler_thread, &s[i]),
				0);
		}
		for (int i = 0; i < WORK_SCHEDULERS; i++)
			pthread_join(t[i], NULL);
		TEST_WAIT_UNTIL(__atomic_load_n(&m.seen, __ATOMIC_ACQUIRE) == all);
	}
	port_work_cancel(&m.work);
	port_work_fini(&m.work);
}

static void time_and_memory_are_plausible(void **state)
{
	u64 start = port_now_ns();

	(void)state;
	test_sleep_ms(5);
	assert_true(port_now_ns() - start >= 5 * 1000000ull);
	assert_true(port_memory_pages() > (16u << 20) >> PORT_PAGE_SHIFT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_are_private),
		cmocka_unit_test(slots_return_at_exit),
		cmocka_unit_test(spinlock_excludes),
		cmocka_unit_test(atomics_give_back_what_the_contract_says),
		cmocka_unit_test(pages_are_aligned_distinct_and_return),
		cmocka_unit_test(pages_return_from_arenas_in_use),
		cmocka_unit_test(pages_return_from_short_runs),
		cmocka_unit_test(small_metadata_is_apart),
		cmocka_unit_test(pages_survive_threads),
		cmocka_unit_test(metadata_is_zeroed_aligned_and_counted),
		cmocka_unit_test(faults_hit_the_chosen_call),
		cmocka_unit_test(work_runs_soon_and_at_normal_priority),
		cmocka_unit_test(work_waits_for_its_delay),
		cmocka_unit_test(work_earlier_time_stands),
		cmocka_unit_test(work_scheduled_while_running_runs_again),
		cmocka_unit_test(work_cancel_waits_and_unschedules),
		cmocka_unit_test(work_cancel_ends_self_scheduling),
		cmocka_unit_test(work_loses_no_wakeup),
		cmocka_unit_test(time_and_memory_are_plausible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
