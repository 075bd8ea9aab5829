// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Recompression: pages that are stored already are compressed again, with algorithms
 * that take longer and make them smaller.
 *
 * The task goes over the slots once. It holds a slot (slot.h), copies the page out,
 * compresses the copy with one algorithm after another, and replaces the slot's word by
 * one of a smaller object, unless something else was put there meanwhile. Readers,
 * writers and swap notifications never wait for it.
 *
 * Lock order: init_lock, which the caller holds; holder; those of store.c.
 */
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "zram.h"

/* Which pages are meant, and what to do with them. */
struct recompress {
	struct zram *zram;
	void *page; /* a copy */
	bool huge_only, idle_only;
	unsigned long threshold; /* bytes: smaller ones are left as they are */
	unsigned long max_pages; /* how many to try; 0: all */
	int first, last; /* priorities */
	int lowest, highest; /* of those that have an algorithm */
};

static int parse_type(struct recompress *r, const char *value)
{
	r->huge_only = !strcmp(value, "huge") || !strcmp(value, "huge_idle");
	r->idle_only = !strcmp(value, "idle") || !strcmp(value, "huge_idle");
	return r->huge_only || r->idle_only ? 0 : -EINVAL;
}

static int parse_word(struct recompress *r, const char *key, const char *value)
{
	int priority;

	if (!strcmp(key, "type"))
		return parse_type(r, value);
	if (!strcmp(key, "threshold"))
		return kstrtoul(value, 10, &r->threshold);
	if (!strcmp(key, "max_pages"))
		return kstrtoul(value, 10, &r->max_pages);
	if (!strcmp(key, "algo"))
		priority = zram_algorithm_find(r->zram->algorithms, value);
	else if (strcmp(key, "priority") || kstrtoint(value, 10, &priority))
		return -EINVAL;
	if (priority < 1 || priority >= ZRAM_ALGORITHMS || !r->zram->streams[priority])
		return -EINVAL;
	r->first = r->last = priority;
	return 0;
}

static int parse(struct recompress *r, char *line)
{
	char *key, *value;
	int err = 0;

	for (line = skip_spaces(line); *line && !err;) {
		line = next_arg(line, &key, &value);
		err = value && *value ? parse_word(r, key, value) : -EINVAL;
	}
	/* A page of that size or more is as good as one that is not compressed. */
	if (!err && r->threshold >= r->zram->huge_size)
		err = -EINVAL;
	return err;
}

static bool is_meant(const struct recompress *r, u64 word)
{
	enum slot_kind kind = slot_kind(word);

	if (kind != SLOT_HUGE && (kind != SLOT_OBJECT || r->huge_only))
		return false;
	if (r->idle_only && !(word & SLOT_IDLE))
		return false;
	/* The last algorithm of those wanted has done it already. */
	return !(word & SLOT_INCOMPRESSIBLE) && slot_size(word) >= r->threshold &&
	       slot_priority(word) < r->last;
}

/* Return: whether the slot is held, as @held. */
static bool hold(const struct recompress *r, zram_slot *slot, u64 *held)
{
	u64 word = slot_peek(slot);

	while (is_meant(r, word)) {
		*held = word | SLOT_HELD;
		if (slot_replace(slot, word, *held))
			return true;
		word = slot_peek(slot);
	}
	return false;
}

/* Return: 0, also if the page got no smaller; or a negative errno. */
static int try_algorithms(struct recompress *r, unsigned long index, u64 held)
{
	size_t below = slot_size(held);
	int priority = max_t(int, r->first, slot_priority(held) + 1), ret = 1;

	if (r->threshold)
		below = min_t(size_t, below, r->threshold);
	for (; priority <= r->last && ret > 0; priority++) {
		if (r->zram->streams[priority])
			ret = zram_restore_page(r->zram, index, held, r->page, priority,
						below);
	}
	return ret;
}

static int recompress_slot(struct recompress *r, unsigned long index, u64 held)
{
	zram_slot *slot = &r->zram->slots[index];
	/* A page that has been tried is not idle any more, as in-tree. */
	u64 word = held & ~(SLOT_HELD | SLOT_IDLE);
	int ret = zram_load_page(r->zram, index, r->page);

	if (!ret)
		ret = try_algorithms(r, index, held);
	if (!ret || ret == -EAGAIN)
		return 0;
	/* All that there are have been tried in vain, whatever size was wanted. */
	if (ret > 0 && r->first <= r->lowest && r->last == r->highest && !r->threshold &&
	    !slot_priority(word))
		word |= SLOT_INCOMPRESSIBLE;
	/* If not, something else is there, and the bit is gone. */
	slot_settle(slot, held, word);
	return min(ret, 0);
}

static int recompress_slots(struct recompress *r)
{
	unsigned long index, tried = 0;
	u64 held;
	int err = 0;

	for (index = 0; index < r->zram->nr_slots && !err; index++) {
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
		if (!hold(r, &r->zram->slots[index], &held))
			continue;
		err = recompress_slot(r, index, held);
		if (++tried == r->max_pages)
			break;
	}
	return err;
}

/**
 * zram_recompress() - recompress pages
 * @zram: the device, set up; the caller holds its init_lock
 * @line: which and how, as it is written to recompress
 *
 * Context: process context, may sleep; does no I/O.
 * Return: 0; -EINVAL for what cannot be understood, or without an algorithm to do it
 * with; -EAGAIN if another task is at it; -ENOMEM; -EINTR if the caller is killed.
 */
int zram_recompress(struct zram *zram, const char *line)
{
	struct recompress r = {.zram = zram};
	char *copy = kstrdup(line, GFP_KERNEL);
	int err, i;

	if (!copy)
		return -ENOMEM;
	for (i = ZRAM_ALGORITHMS - 1; i >= 1; i--) {
		if (!zram->streams[i])
			continue;
		r.lowest = i;
		r.highest = max(r.highest, i);
	}
	r.first = 1;
	r.last = r.highest;
	err = parse(&r, copy);
	kfree(copy);
	if (!err && !r.highest)
		err = -EINVAL;
	if (err)
		return err;
	if (!mutex_trylock(&zram->holder))
		return -EAGAIN;
	r.page = (void *)__get_free_page(GFP_KERNEL);
	err = r.page ? recompress_slots(&r) : -ENOMEM;
	free_page((unsigned long)r.page);
	mutex_unlock(&zram->holder);
	return err;
}
