// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Writeback: pages are written to the backing device, and their memory is freed.
 *
 * A slot goes through three states, all of them in its word (slot.h):
 *
 *   in memory         SLOT_OBJECT or SLOT_HUGE
 *   being written     the same, with the bit SLOT_HELD
 *   on the backing    SLOT_BACKED, which names a block
 *   device
 *
 * Each change is one compare-and-swap by the task that writes back, and no lock is held
 * between them. It holds the slot, copies the page out, takes a block and starts the
 * write. While the page is written, its object stays, and is what readers read. When the
 * write has ended well, the task puts the block in the word in place of the object,
 * if the slot is still held. All that frees or overwrites the slot takes the bit away
 * with the rest of the word, and an idle page that is read is not idle any more, nor
 * held: then the slot is left as it is, and the block is free again. So nothing waits for
 * a write but this task, and a write that fails changes nothing.
 *
 * Memory ordering: the write has ended before the word is exchanged, which is a full
 * barrier; a reader finds the block by that word. The block has no reader of before
 * (zram_block_get()).
 *
 * Up to writeback_batch_size writes are in flight. The interrupt that ends one puts it on
 * a list and completes "ended" once; the task waits for as many completions as it has
 * started writes, so nothing refers to its stack when it is done.
 *
 * Lock order: init_lock, which the caller holds; holder; those of store.c, none of which
 * is held during a write.
 */
#include <linux/completion.h>
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/llist.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "compat.h"
#include "zram.h"

/* Pages of a range of slots. */
struct target {
	u64 first, last;
	bool is_type; /* the range is all of them */
	bool huge_only, idle_only, incompressible_only;
};

/* One write: from when the slot is held until its word is settled. */
struct page_write {
	struct writeback *writeback;
	struct llist_node node; /* on writeback.done or .spare */
	unsigned long index;
	u64 held; /* what the slot holds */
	u32 block;
	void *page; /* what is written */
	struct bio_vec vec;
	struct bio bio;
};

struct writeback {
	struct zram *zram;
	struct llist_head done; /* writes that have ended */
	struct completion ended; /* once for each of them */
	struct llist_head spare; /* that may be used again */
	unsigned int nr; /* of struct page_write there are */
	unsigned int in_flight; /* whose end this task has not seen */
	unsigned long above; /* no slot from here on has one in flight */
	int err; /* of the first that failed */
};

/* ---- what is asked for ---- */

static int parse_type(struct target *t, const char *value)
{
	t->is_type = true;
	t->huge_only = !strcmp(value, "huge") || !strcmp(value, "huge_idle");
	t->idle_only = !strcmp(value, "idle") || !strcmp(value, "huge_idle");
	t->incompressible_only = !strcmp(value, "incompressible");
	return t->huge_only || t->idle_only || t->incompressible_only ? 0 : -EINVAL;
}

static int parse_index(const char *value, u64 *index)
{
	int err = kstrtou64(value, 10, index);

	return err == -ERANGE ? COMPAT_ZRAM_NO_SUCH_PAGE : err;
}

/* LOW-HIGH */
static int parse_range(struct target *t, char *value)
{
	char *high = strchr(value, '-');
	int err;

	if (!high)
		return -EINVAL;
	*high++ = '\0';
	err = parse_index(value, &t->first);
	return err ?: parse_index(high, &t->last);
}

static int parse_word(struct zram *zram, struct target *t, char *key, char *value)
{
	int err;

	*t = (struct target){.last = zram->nr_slots - 1};
	if (!value)
		return parse_type(t, key);
	if (!strcmp(key, "type"))
		return parse_type(t, value);
	if (!strcmp(key, "page_index")) {
		err = parse_index(value, &t->first);
		t->last = t->first;
	} else if (!strcmp(key, "page_indexes")) {
		err = parse_range(t, value);
	} else {
		/* No page at all */
		*t = (struct target){.first = 1};
		return COMPAT_ZRAM_WRITEBACK_KEYS ? 0 : -EINVAL;
	}
	if (err)
		return err;
	return t->first <= t->last && t->last < zram->nr_slots ? 0
							       : COMPAT_ZRAM_NO_SUCH_PAGE;
}

static bool is_meant(const struct target *t, u64 word)
{
	enum slot_kind kind = slot_kind(word);

	if (kind != SLOT_HUGE && (kind != SLOT_OBJECT || t->huge_only))
		return false;
	if (t->idle_only && !(word & SLOT_IDLE))
		return false;
	if (t->incompressible_only && !(word & SLOT_INCOMPRESSIBLE))
		return false;
	/* Held: it is being written already. */
	return !(word & SLOT_HELD);
}

/* ---- a write ---- */

/* The slot is as it was before, unless it has come to hold something else. */
static void let_go(struct page_write *w)
{
	slot_settle(&w->writeback->zram->slots[w->index], w->held, w->held & ~SLOT_HELD);
}

/* The page is on the backing device. */
static void settle(struct page_write *w)
{
	struct zram *zram = w->writeback->zram;
	u64 word = slot_word(SLOT_BACKED, w->block, slot_size(w->held));

	word |= w->held &
		(SLOT_PRIORITY_MASK << SLOT_PRIORITY_SHIFT | SLOT_INCOMPRESSIBLE);
	zram_count(zram, ZRAM_BACKED_WRITES, 1);
	if (!slot_settle(&zram->slots[w->index], w->held, word)) {
		zram_block_put(zram->backing, w->block);
		return;
	}
	zram_account(zram, word, 1);
	zram_account(zram, w->held, -1);
	zs_free(zram->pool, slot_handle(w->held));
}

static void write_free(struct page_write *w)
{
	free_page((unsigned long)w->page);
	kfree(w);
}

static struct page_write *write_alloc(struct writeback *wb)
{
	/* The first has to be there. For more, nothing has to be given up. */
	gfp_t gfp = wb->nr ? GFP_NOIO | __GFP_NORETRY | __GFP_NOWARN : GFP_KERNEL;
	struct page_write *w = kmalloc(sizeof(*w), gfp);

	if (!w)
		return NULL;
	w->writeback = wb;
	w->page = (void *)__get_free_page(gfp);
	if (!w->page) {
		kfree(w);
		return NULL;
	}
	wb->nr++;
	return w;
}

/* A write has ended, and "ended" was completed for it. */
static struct page_write *write_finish(struct writeback *wb)
{
	struct page_write *w =
		llist_entry(llist_del_first(&wb->done), struct page_write, node);
	int err = blk_status_to_errno(w->bio.bi_status);

	wb->in_flight--;
	bio_uninit(&w->bio);
	if (!err) {
		settle(w);
		return w;
	}
	let_go(w);
	zram_block_put(wb->zram->backing, w->block);
	if (!wb->err)
		wb->err = err;
	return w;
}

/* Return: one that is not in use; NULL if there is no memory for any. */
static struct page_write *write_get(struct writeback *wb)
{
	struct llist_node *spare;
	struct page_write *w;

	if (try_wait_for_completion(&wb->ended))
		return write_finish(wb);
	spare = llist_del_first(&wb->spare);
	if (spare)
		return llist_entry(spare, struct page_write, node);
	if (wb->nr < READ_ONCE(wb->zram->writeback_batch)) {
		w = write_alloc(wb);
		if (w)
			return w;
	}
	if (!wb->in_flight)
		return NULL;
	wait_for_completion_io(&wb->ended);
	return write_finish(wb);
}

static void write_put(struct page_write *w)
{
	llist_add(&w->node, &w->writeback->spare);
}

static void wait_for_all(struct writeback *wb)
{
	while (wb->in_flight) {
		wait_for_completion_io(&wb->ended);
		write_put(write_finish(wb));
	}
	wb->above = 0;
}

static void write_ended(struct bio *bio)
{
	struct page_write *w = container_of(bio, struct page_write, bio);
	struct writeback *wb = w->writeback;

	llist_add(&w->node, &wb->done);
	complete(&wb->ended);
}

static void start_write(struct page_write *w)
{
	struct writeback *wb = w->writeback;

	bio_init(&w->bio, wb->zram->backing->bdev, &w->vec, 1, REQ_OP_WRITE);
	w->bio.bi_iter.bi_sector = zram_block_sector(w->block);
	w->bio.bi_end_io = write_ended;
	__bio_add_page(&w->bio, virt_to_page(w->page), PAGE_SIZE, 0);
	wb->in_flight++;
	submit_bio(&w->bio);
}

/* ---- a slot ---- */

/* Return: whether the slot is one of those meant, and held. */
static bool hold(struct page_write *w, const struct target *t, unsigned long index)
{
	zram_slot *slot = &w->writeback->zram->slots[index];
	u64 word = slot_peek(slot);

	while (is_meant(t, word)) {
		w->index = index;
		w->held = word | SLOT_HELD;
		if (slot_replace(slot, word, w->held))
			return true;
		word = slot_peek(slot);
	}
	return false;
}

/* Return: 0; ZRAM_CHANGED if the slot holds something else now, or a negative errno. */
static int copy_page_out(struct page_write *w)
{
	struct zram *zram = w->writeback->zram;
	int ret;

	if (!zram->compressed_writeback) {
		ret = zram_load_page(zram, w->index, w->page);
		return ret > 0 ? ZRAM_CHANGED : ret;
	}
	ret = zram_copy_object(zram, &zram->slots[w->index], w->held, w->page);
	if (ret <= 0)
		return ret ?: ZRAM_CHANGED;
	/* The rest of the block says nothing of the kernel's memory. */
	memset(w->page + ret, 0, PAGE_SIZE - ret);
	return 0;
}

static bool is_limited(struct zram *zram)
{
	return READ_ONCE(zram->writeback_limited) &&
	       (u64)atomic64_read(&zram->writeback_limit) < ZRAM_BACKING_UNITS;
}

/* The limit may be set anew meanwhile. */
static void charge(struct zram *zram)
{
	s64 left = atomic64_read(&zram->writeback_limit), next;

	if (!READ_ONCE(zram->writeback_limited))
		return;
	do {
		next = (u64)left < ZRAM_BACKING_UNITS ? 0 : left - ZRAM_BACKING_UNITS;
	} while (!atomic64_try_cmpxchg(&zram->writeback_limit, &left, next));
}

/* Return: 0: the write has been started; ZRAM_CHANGED, or a negative errno. */
static int write_held(struct page_write *w)
{
	struct zram *zram = w->writeback->zram;
	int ret = copy_page_out(w);

	if (!ret)
		ret = zram_block_get(zram->backing, &w->block);
	if (ret)
		return ret;
	charge(zram);
	start_write(w);
	return 0;
}

/*
 * A write that has failed is no reason not to try others: the disk may be bad in a place.
 * Return: 0, or a negative errno, after which no more is written.
 */
static int write_slot(struct writeback *wb, const struct target *t, unsigned long index)
{
	struct page_write *w;
	int ret;

	if (is_limited(wb->zram))
		return -EIO;
	/*
	 * A slot has one write at a time. Otherwise the first could not tell its own held
	 * bit from that of the second, for another page in the same object.
	 */
	if (index < wb->above)
		wait_for_all(wb);
	w = write_get(wb);
	if (!w)
		return -ENOMEM;
	if (!hold(w, t, index)) {
		write_put(w);
		return 0;
	}
	ret = write_held(w);
	if (ret) {
		let_go(w);
		write_put(w);
		return min(ret, 0);
	}
	wb->above = index + 1;
	return 0;
}

static int write_target(struct writeback *wb, const struct target *t)
{
	unsigned long index;
	int err;

	for (index = t->first; index <= t->last; index++) {
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
		if (!COMPAT_ZRAM_WRITEBACK_KEYS && is_limited(wb->zram))
			return -EIO;
		if (!is_meant(t, slot_peek(&wb->zram->slots[index])))
			continue;
		err = write_slot(wb, t, index);
		if (err)
			return err;
	}
	return 0;
}

/* ---- all of it ---- */

/* Have each word of @line understood and, with @wb, done. */
static int each_word(struct zram *zram, const char *line, struct writeback *wb)
{
	char *copy = kstrdup(line, GFP_KERNEL), *at, *key, *value;
	struct target t = {};
	int err = 0;

	if (!copy)
		return -ENOMEM;
	for (at = skip_spaces(copy); *at && !err;) {
		at = next_arg(at, &key, &value);
		err = parse_word(zram, &t, key, value);
		if (!err && wb)
			err = write_target(wb, &t);
		if (t.is_type && COMPAT_ZRAM_WRITEBACK_KEYS)
			break;
	}
	kfree(copy);
	return err;
}

static int write_words(struct zram *zram, const char *line)
{
	struct writeback wb = {.zram = zram};
	struct llist_node *spare;
	struct blk_plug plug;
	int err;

	init_llist_head(&wb.done);
	init_llist_head(&wb.spare);
	init_completion(&wb.ended);

	blk_start_plug(&plug);
	err = each_word(zram, line, &wb);
	blk_finish_plug(&plug);
	wait_for_all(&wb);
	while ((spare = llist_del_first(&wb.spare)))
		write_free(llist_entry(spare, struct page_write, node));
	return err ?: wb.err;
}

/**
 * zram_writeback() - write pages to the backing device
 * @zram: the device, set up; the caller holds its init_lock
 * @line: which, as it is written to writeback
 *
 * Pages that are same-filled, or on the backing device already, are passed over.
 *
 * Context: process context, may sleep; waits for the writes that it has started.
 * Return: 0; -ENODEV without a backing device; -EINVAL, or the kernel's own errno for a
 * page that the device does not have, and nothing has been written. With some of
 * the pages written: -EIO at the limit, -ENOSPC if the backing device is full, -ENOMEM,
 * -EINTR if the caller is killed. With all written that could be: what the first write
 * failed with that did. -EAGAIN if another task
 * writes back or recompresses.
 */
int zram_writeback(struct zram *zram, const char *line)
{
	int err = each_word(zram, line, NULL);

	/* Before 6.16 there was one word, always. */
	if (!COMPAT_ZRAM_WRITEBACK_KEYS && !*skip_spaces(line))
		err = -EINVAL;
	if (!zram->backing && (!err || COMPAT_ZRAM_WRITEBACK_KEYS))
		err = -ENODEV;
	if (err)
		return err;
	if (!mutex_trylock(&zram->holder))
		return -EAGAIN;
	err = write_words(zram, line);
	mutex_unlock(&zram->holder);
	return err;
}
