/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
#include "fault.h"
#include "work.h"

#define NEVER (~0u)
#define WORKS 2

struct user_work {
	void (*fn)(void *arg);
	void *arg;
	unsigned int delay_ms;
};

/* In use if it has a function. */
static struct user_work works[WORKS];

int port_work_init(port_work *work, void (*fn)(void *arg), void *arg)
{
	struct user_work *w = works;

	if (user_fault_fails(USER_FAULT_WORK))
		return -PORT_ENOMEM;
	while (w->fn)
		if (++w == works + WORKS)
			return -PORT_ENOMEM;
	*w = (struct user_work){.fn = fn, .arg = arg, .delay_ms = NEVER};
	work->impl = w;
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

bool port_cpu_wanted(void)
{
	return false;
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

static bool is_scheduled(const struct user_work *w)
{
	return w->fn && w->delay_ms != NEVER;
}

void fuzz_work_run(void)
{
	for (struct user_work *w = works; w < works + WORKS; w++) {
		if (!is_scheduled(w))
			continue;
		w->delay_ms = NEVER;
		w->fn(w->arg);
	}
}

bool fuzz_work_exists(void)
{
	return works[0].fn || works[1].fn;
}

bool fuzz_work_scheduled(void)
{
	return is_scheduled(&works[0]) || is_scheduled(&works[1]);
}

bool fuzz_work_urgent(void)
{
	return fuzz_work_scheduled() && (!works[0].delay_ms || !works[1].delay_ms);
}
