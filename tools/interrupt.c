// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

static volatile sig_atomic_t caught;

static void note(int sig)
{
	caught = sig;
}

static void catch_one(int sig, int flags)
{
	struct sigaction old, new;

	if (sigaction(sig, NULL, &old) || old.sa_handler == SIG_IGN)
		return;
	memset(&new, 0, sizeof(new));
	new.sa_handler = note;
	new.sa_flags = flags;
	sigaction(sig, &new, NULL);
}

void interrupt_catch(void)
{
	catch_one(SIGINT, (int)SA_RESETHAND);
	catch_one(SIGTERM, (int)SA_RESETHAND);
}

void interrupt_hold(void)
{
	catch_one(SIGINT, 0);
	catch_one(SIGTERM, 0);
	catch_one(SIGHUP, 0);
}

bool interrupt_caught(void)
{
	return caught != 0;
}

void interrupt_pass_on(void)
{
	signal(caught, SIG_DFL);
	raise(caught);
}
