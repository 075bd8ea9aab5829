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

static void catch_one(int sig)
{
	struct sigaction old, new;

	if (sigaction(sig, NULL, &old) || old.sa_handler == SIG_IGN)
		return;
	memset(&new, 0, sizeof(new));
	new.sa_handler = note;
	new.sa_flags = (int)SA_RESETHAND;
	sigaction(sig, &new, NULL);
}

void interrupt_catch(void)
{
	catch_one(SIGINT);
	catch_one(SIGTERM);
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
