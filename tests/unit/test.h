/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* What every unit test starts from: cmocka, and waiting without racing. */
#ifndef LETHE_TEST_H
#define LETHE_TEST_H

/* cmocka wants these first, in this order. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched.h>
#include <time.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline void test_sleep_ms(unsigned int ms)
{
	struct timespec ts = {.tv_sec = ms / 1000,
			      .tv_nsec = (long)(ms % 1000) * 1000000};

	nanosleep(&ts, NULL);
}

/*
 * Wait for something that another thread brings about. Sanitizers and a busy
 * machine make it slow, so the limit is generous; it is only for not hanging.
 */
#define TEST_WAIT_MS 20000
#define TEST_WAIT_UNTIL(condition)                                                       \
	do {                                                                             \
		unsigned int waited_ = 0;                                                \
		while (!(condition)) {                                                   \
			if (++waited_ > TEST_WAIT_MS)                                    \
				fail_msg("never came true: %s", #condition);             \
			test_sleep_ms(1);                                                \
		}                                                                        \
	} while (0)

/* The same without sleeping, for what is timed. */
#define TEST_WAIT_UNTIL_BUSY(condition)                                                  \
	do {                                                                             \
		time_t from_ = time(NULL);                                               \
		while (!(condition)) {                                                   \
			if (time(NULL) > from_ + TEST_WAIT_MS / 1000)                    \
				fail_msg("never came true: %s", #condition);             \
			sched_yield();                                                   \
		}                                                                        \
	} while (0)

#endif /* LETHE_TEST_H */
