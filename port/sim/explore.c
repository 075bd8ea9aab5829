/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* A depth-first walk of the tree of decisions: see explore.h. */
#include <string.h>

#include "explore.h"
#include "world.h"

enum { DEPTH_MAX = 4096, OBJECTS = 1 << 14 };

/* A decision on the path to the schedule that runs. */
struct branch {
	u32 chosen, n;
};

/* What is known of the use of an address. */
struct object {
	const void *p;
	u32 users, loaders, adders, changers; /* threads, a bit each */
};

/* Choices other than 0 in a schedule, by enum explore_kind: at most, and so far. */
static u32 most[EXPLORE_ODD + 1], spent[EXPLORE_ODD + 1];
static struct branch path[DEPTH_MAX];
static u32 depth; /* of the path */
static u32 at; /* on the path */
static bool began, learning, learnt;
static u64 count;
static struct object objects[OBJECTS];

static struct object *object_of(const void *p)
{
	u32 i = (u32)((uintptr_t)p >> 3) * 2654435761u >> 18;

	while (objects[i].p && objects[i].p != p)
		i = (i + 1) % OBJECTS;
	objects[i].p = p;
	return &objects[i];
}

static bool is_shared(const struct object *o)
{
	u32 u = o->users;

	if (!(u & (u - 1)))
		return false;
	return o->changers || (o->adders && o->loaders);
}

void explore_use(const void *p, enum sim_use use)
{
	struct object *o;
	bool before;

	if (!learning || !p)
		return;
	o = object_of(p);
	before = is_shared(o);
	o->users |= 1u << sim.self;
	if (use == SIM_CHANGES)
		o->changers |= 1u << sim.self;
	else if (use == SIM_ADDS)
		o->adders |= 1u << sim.self;
	else
		o->loaders |= 1u << sim.self;
	if (is_shared(o) != before)
		learnt = true;
}

bool explore_is_shared(const void *p)
{
	return p && is_shared(object_of(p));
}

u32 explore_choose(u32 n, enum explore_kind kind)
{
	struct branch *b;

	if (n < 2 || spent[kind] >= most[kind])
		return 0;
	if (depth == DEPTH_MAX)
		sim_fail("too many decisions to explore");
	b = &path[at];
	if (at++ == depth)
		path[depth++] = (struct branch){.n = n};
	spent[kind] += !!b->chosen;
	return b->chosen;
}

void explore_learn(bool on)
{
	learning = on;
}

static void start_over(void)
{
	depth = 0;
	count = 0;
	began = false;
	learnt = false;
}

void explore_begin(const struct explore_bounds *b)
{
	most[EXPLORE_FREE] = ~0u;
	most[EXPLORE_PREEMPTION] = b->preemptions;
	most[EXPLORE_STALE] = b->stale;
	most[EXPLORE_ODD] = b->odd;
	memset(objects, 0, sizeof(objects));
	learning = true;
	start_over();
}

bool explore_next(void)
{
	if (learnt)
		start_over();
	if (began) {
		while (depth && path[depth - 1].chosen + 1 == path[depth - 1].n)
			depth--;
		if (!depth) {
			learning = false;
			return false;
		}
		path[depth - 1].chosen++;
	}
	began = true;
	at = 0;
	memset(spent, 0, sizeof(spent));
	count++;
	return true;
}

u64 explore_count(void)
{
	return count;
}
