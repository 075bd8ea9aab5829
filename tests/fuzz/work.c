/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
#include "fault.h"
#include "work.h"

#define NEVER (~0u)
#define WORKS 64

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

bool port_work_cancelled(const port_work *work)
{
	(void)work;
	return false;
}

bool port_cpu_contended(void)
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
	for (struct user_work *w = works; w < works + WORKS; w++)
		if (w->fn)
			return true;
	return false;
}

bool fuzz_work_scheduled(void)
{
	for (struct user_work *w = works; w < works + WORKS; w++)
		if (is_scheduled(w))
			return true;
	return false;
}

bool fuzz_work_urgent(void)
{
	for (struct user_work *w = works; w < works + WORKS; w++)
		if (is_scheduled(w) && !w->delay_ms)
			return true;
	return false;
}
