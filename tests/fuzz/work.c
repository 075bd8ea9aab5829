/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
#include "fault.h"
#include "work.h"

#define NEVER (~0u)

struct user_work {
	void (*fn)(void *arg);
	void *arg;
	unsigned int delay_ms;
};

/* In use if it has a function. */
static struct user_work the_work;

int port_work_init(port_work *work, void (*fn)(void *arg), void *arg)
{
	if (user_fault_fails(USER_FAULT_WORK))
		return -PORT_ENOMEM;
	the_work = (struct user_work){.fn = fn, .arg = arg, .delay_ms = NEVER};
	work->impl = &the_work;
	return 0;
}

void port_work_schedule(port_work *work, unsigned int delay_ms)
{
	if (delay_ms < work->impl->delay_ms)
		work->impl->delay_ms = delay_ms;
}

void port_work_yield(port_work *work)
{
	(void)work;
}

void port_work_cancel(port_work *work)
{
	work->impl->delay_ms = NEVER;
}

void port_work_fini(port_work *work)
{
	work->impl->fn = NULL;
	work->impl = NULL;
}

void fuzz_work_run(void)
{
	if (!fuzz_work_scheduled())
		return;
	the_work.delay_ms = NEVER;
	the_work.fn(the_work.arg);
}

bool fuzz_work_exists(void)
{
	return the_work.fn != NULL;
}

bool fuzz_work_scheduled(void)
{
	return the_work.fn && the_work.delay_ms != NEVER;
}

bool fuzz_work_urgent(void)
{
	return fuzz_work_scheduled() && !the_work.delay_ms;
}
