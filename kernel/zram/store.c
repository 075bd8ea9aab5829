// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * One page in, out, gone.
 *
 * A page is stored by making the object first, then exchanging the slot's word
 * in one step; what the old word named is freed after that, at once. A slot
 * never names an object that is not whole, and no lock is held while an object
 * is made or freed.
 *
 * A page is loaded by locking its slot for as long as its bytes are copied
 * out, no longer: they are decompressed from the stream's buffer after the
 * slot is unlocked. Copying 1 KiB costs some 50 ns, of a decompression's 1 to
 * 10 us; in return preemption is off for the copy only, also with a slow codec
 * and 64 KiB pages, and a swap notification that meets the reader (and is then
 * lost, see swap.c) is so much rarer.
 *
 * Lock order: partial_lock (in zram_clear_pages()), stream, slot lock.
 */
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "codec.h"
#include "fill.h"
#include "stream.h"
#include "zram.h"

/* Handles gathered for one zs_free_batch(). */
#define CLEAR_BATCH 64

static bool within_limit(struct zram *zram)
{
	unsigned long limit = READ_ONCE(zram->limit_pages);

	return !limit || zs_get_total_pages(zram->pool) <= limit;
}

/*
 * The object of @handle has taken the pool past its limit. Pending frees are
 * memory that nobody wants: drain them. That may leave room in zspages which
 * the object came too early for, so let it go and allocate it anew.
 */
static noinline unsigned long malloc_at_limit(struct zram *zram, unsigned long handle,
					      size_t size)
{
	zs_drain_deferred(zram->pool, ZS_FLUSH_LIMIT);
	if (within_limit(zram))
		return handle;

	zs_free(zram->pool, handle);
	handle = zs_malloc(zram->pool, size);
	if (zs_handle_error(handle) || within_limit(zram))
		return handle;

	zs_free(zram->pool, handle);
	return -ENOMEM;
}

static void note_usage(struct zram *zram)
{
	long used = zs_get_total_pages(zram->pool);
	long max = atomic_long_read(&zram->max_used_pages);

	while (used > max && !atomic_long_try_cmpxchg(&zram->max_used_pages, &max, used))
		;
}

static int store_object(struct zram *zram, enum slot_kind kind, const void *src,
			size_t size, u64 *word)
{
	unsigned long handle = zs_malloc(zram->pool, size);
	int err;

	if (!zs_handle_error(handle) && unlikely(!within_limit(zram)))
		handle = malloc_at_limit(zram, handle, size);
	err = zs_handle_error(handle);
	if (err)
		return err;

	err = zs_obj_write(zram->pool, handle, src, size);
	if (err) {
		zs_free(zram->pool, handle);
		return err;
	}
	note_usage(zram);
	*word = slot_word(kind, handle, size);
	return 0;
}

static int store_compressed(struct zram *zram, const void *page, u64 *word)
{
	bool stalled, waits_for_memory = !(current->flags & PF_MEMALLOC);
	struct zram_stream *stream;
	int len, err;

	stream = zram_stream_get(zram->streams, waits_for_memory, &stalled);
	if (stalled)
		zram_count(zram, ZRAM_WRITE_STALL, 1);
	len = zram->streams->codec->compress(stream->work, page, stream->buffer);
	if (len > 0 && len < zram->huge_size)
		err = store_object(zram, SLOT_OBJECT, stream->buffer, len, word);
	else
		err = min(len, 0);
	zram_stream_put(stream);

	if (!err && len >= zram->huge_size) {
		err = store_object(zram, SLOT_HUGE, page, PAGE_SIZE, word);
		if (!err)
			zram_count(zram, ZRAM_HUGE_PAGES_SINCE, 1);
	}
	return err;
}

static void release_word(struct zram *zram, u64 word)
{
	if (slot_has_object(word))
		zs_free(zram->pool, slot_payload(word));
	else
		zram_fill_release(&zram->fills, word);
}

/**
 * zram_store_page() - store a page
 * @zram: the device, set up
 * @index: the slot
 * @page: the page's content, which does not change meanwhile
 *
 * Context: process context, may sleep; safe during reclaim. With partial I/O,
 * the caller has the page's partial lock.
 * Return: 0; -ENOMEM without memory or past mem_limit, or another negative
 * errno. The slot holds what it held before, then.
 */
int zram_store_page(struct zram *zram, unsigned long index, const void *page)
{
	u64 value, word, old;
	int err;

	if (!zram_page_same_filled(page, &value) ||
	    !zram_fill_encode(&zram->fills, value, &word)) {
		err = store_compressed(zram, page, &word);
		if (err)
			return err;
	}
	old = slot_exchange(&zram->slots[index], word);
	zram_account(zram, word, 1);
	zram_account(zram, old, -1);
	release_word(zram, old);
	return 0;
}

/*
 * Copy the object of a slot to @dst, if the slot still holds one of @kind.
 * Return: its size; 0 if the slot has come to hold something else, and
 * -EIO if the allocator does not know the object.
 */
static int copy_object(struct zram *zram, zram_slot *slot, enum slot_kind kind, void *dst)
{
	u64 word = slot_lock(slot);
	u32 size = slot_size(word);
	const void *src;
	int ret = 0;

	if (slot_kind(word) != kind)
		goto unlock;
	ret = -EIO;
	src = zs_obj_read_begin(zram->pool, slot_payload(word), size, dst);
	if (!src)
		goto unlock;
	if (src != dst)
		memcpy(dst, src, size);
	zs_obj_read_end(zram->pool, slot_payload(word));
	ret = size;
unlock:
	slot_unlock(slot, word);
	return ret;
}

static int load_compressed(struct zram *zram, zram_slot *slot, void *page)
{
	struct zram_stream *stream;
	bool stalled;
	int ret;

	stream = zram_stream_get(zram->streams, false, &stalled);
	ret = copy_object(zram, slot, SLOT_OBJECT, stream->buffer);
	if (ret > 0 &&
	    zram->streams->codec->decompress(stream->work, stream->buffer, ret, page))
		ret = -EIO;
	zram_stream_put(stream);
	return ret;
}

static int load_fill(struct zram *zram, zram_slot *slot, void *page)
{
	u64 word = slot_lock(slot), value;
	bool is_fill = slot_kind(word) != SLOT_EMPTY && !slot_has_object(word);

	if (is_fill)
		value = zram_fill_decode(&zram->fills, word);
	slot_unlock(slot, word);
	if (is_fill)
		memset64(page, value, PAGE_SIZE / sizeof(u64));
	return is_fill;
}

/**
 * zram_load_page() - load a page
 * @zram: the device, set up
 * @index: the slot
 * @page: where the content goes
 *
 * Context: process context, may sleep, never for memory.
 * Return: 0; -EIO if what is stored cannot be made a page again.
 */
int zram_load_page(struct zram *zram, unsigned long index, void *page)
{
	zram_slot *slot = &zram->slots[index];
	int ret;

	/* 0 means that the slot changed since it was looked at. Look again. */
	do {
		switch (slot_kind(slot_peek(slot))) {
		case SLOT_EMPTY:
			clear_page(page);
			return 0;
		case SLOT_OBJECT:
			ret = load_compressed(zram, slot, page);
			break;
		case SLOT_HUGE:
			ret = copy_object(zram, slot, SLOT_HUGE, page);
			break;
		default:
			ret = load_fill(zram, slot, page);
		}
	} while (!ret);

	if (ret < 0)
		pr_err_ratelimited("%s: page %lu cannot be read back\n",
				   zram->disk->disk_name, index);
	return min(ret, 0);
}

/**
 * zram_clear_pages() - empty a range of slots
 * @zram: the device, set up
 * @first: the first slot
 * @nr: how many, all of them there
 *
 * Context: process context, may sleep.
 * Return: how many slots were not empty.
 */
unsigned long zram_clear_pages(struct zram *zram, unsigned long first, unsigned long nr)
{
	unsigned long handles[CLEAR_BATCH];
	unsigned long i, freed = 0;
	size_t n = 0;
	u64 old;

	for (i = first; i < first + nr; i++) {
		if (i % 1024 == 0)
			cond_resched();
		if (slot_kind(slot_peek(&zram->slots[i])) == SLOT_EMPTY)
			continue;
		zram_partial_lock(zram, i);
		old = slot_exchange(&zram->slots[i], slot_word(SLOT_EMPTY, 0, 0));
		zram_partial_unlock(zram, i);
		freed += slot_kind(old) != SLOT_EMPTY;
		zram_account(zram, old, -1);
		if (slot_has_object(old))
			handles[n++] = slot_payload(old);
		else
			zram_fill_release(&zram->fills, old);
		if (n == CLEAR_BATCH) {
			zs_free_batch(zram->pool, handles, n);
			n = 0;
		}
	}
	zs_free_batch(zram->pool, handles, n);
	return freed;
}
