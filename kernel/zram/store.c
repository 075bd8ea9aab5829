// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * One page in, out, gone.
 *
 * A page is stored by making the object first, then exchanging the slot's word
 * in one step; what the old word named is freed after that, at once. A slot
 * never names an object that is not whole, and no lock is held while an object
 * is freed.
 *
 * A writer compresses with its CPU's stream held, and takes the object under it only if
 * memory for it is there at once: free, or of the reserves, which a task that swaps out
 * to reclaim memory may use. If not, the writer lets the stream go, drains pending
 * frees, reclaims and waits for memory with nothing held, and compresses again into the
 * object that it then has. So a task holds a stream as long as a page takes to be
 * compressed, never as long as memory takes to be found.
 *
 * A page is loaded by locking its slot for as long as its bytes are copied
 * out, no longer: they are decompressed from the stream's buffer after the
 * slot is unlocked. Copying 1 KiB costs some 50 ns, of a decompression's 1 to
 * 10 us; a writer that waits for the reader, by spinning, waits that much less.
 *
 * What a page fault can wait for here: for a stream nothing, as its holder is not
 * preempted; for a slot lock, spinning, another reader that copies the same page. With
 * PREEMPT_RT, for a task that was preempted on this CPU with a stream as well, which is
 * lent the fault's priority. For memory, a whole drain, or a task that sleeps: never. A
 * holder of a stream may free a slice of 64 pending frees on its way, some microseconds:
 * to make room for an object (defer_drain_slice()), or past the budget of pending frees.
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

/* Pages that the pool has above mem_limit. */
static size_t pages_over_limit(struct zram *zram)
{
	unsigned long limit = READ_ONCE(zram->limit_pages);
	size_t pages = zs_get_total_pages(zram->pool);

	return limit && pages > limit ? pages - limit : 0;
}

static bool within_limit(struct zram *zram)
{
	return !pages_over_limit(zram);
}

/*
 * The object of @handle has taken the pool past its limit. Pending frees are
 * memory that no one uses: drain as much as is over. That may leave room in zspages which
 * the object came too early for, so let it go and allocate it anew.
 */
static noinline unsigned long malloc_at_limit(struct zram *zram, unsigned long handle,
					      size_t size, int node)
{
	size_t over = pages_over_limit(zram);

	if (over)
		zs_drain_deferred(zram->pool, ZS_FLUSH_LIMIT, over);
	if (within_limit(zram))
		return handle;

	zs_free(zram->pool, handle);
	handle = zs_malloc_node(zram->pool, size, ZS_ALLOC_WAIT, node);
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

/* A page on its way into an object. */
struct store {
	struct zram *zram;
	const void *page;
	int node; /* of NUMA, that it is on; or ZS_NO_NODE */
	unsigned int priority; /* of the algorithm */
	size_t below; /* bytes; a page that needs as many or more is stored as it is */
	bool replaces; /* a larger object, which goes then: mem_limit does not matter */
	unsigned long handle; /* the object, not yet in a word; or 0 */
	size_t room; /* that it has, in bytes; 0 without one */
};

static void store_drop_object(struct store *s)
{
	if (s->handle)
		zs_free(s->zram->pool, s->handle);
	s->handle = 0;
	s->room = 0;
}

/* An object of @size bytes, if that takes no waiting. Caller: may hold a stream. */
static void store_try_object(struct store *s, size_t size)
{
	unsigned long handle =
		zs_malloc_node(s->zram->pool, size, ZS_ALLOC_RESERVES, s->node);

	if (zs_handle_error(handle))
		return;
	s->handle = handle;
	s->room = size;
	if (unlikely(!s->replaces && !within_limit(s->zram)))
		store_drop_object(s);
}

/* An object of @size bytes instead of the one of @s: drains, reclaims and sleeps for it.
 * Caller: holds no stream. */
static int store_wait_object(struct store *s, size_t size)
{
	struct zram *zram = s->zram;
	unsigned long handle;
	int err;

	store_drop_object(s);
	handle = zs_malloc_node(zram->pool, size, ZS_ALLOC_WAIT, s->node);
	if (!zs_handle_error(handle) && unlikely(!s->replaces && !within_limit(zram)))
		handle = malloc_at_limit(zram, handle, size, s->node);
	err = zs_handle_error(handle);
	if (err)
		return err;
	s->handle = handle;
	s->room = size;
	return 0;
}

/* Write @src, for which the object has room, and name it in @word. */
static int store_write(struct store *s, enum slot_kind kind, const void *src, size_t size,
		       u64 *word)
{
	int err = zs_obj_write(s->zram->pool, s->handle, src, size);

	if (err)
		return err;
	*word = slot_word(kind, s->handle, size) | (u64)s->priority
							   << SLOT_PRIORITY_SHIFT;
	s->handle = 0;
	return 0;
}

/*
 * Compress the page, and write it if @s has room for it or can have it without waiting.
 * Return: 0: written; the bytes that the page needs, s->below or more if it is
 * incompressible; or a negative errno.
 */
static int store_try(struct store *s, u64 *word)
{
	struct zram_streams *streams = s->zram->streams[s->priority];
	struct zram_stream *stream = zram_stream_get(streams);
	int len = streams->codec->compress(stream->work, s->page, stream->buffer);

	if (len > 0 && len < s->below) {
		if (!s->handle)
			store_try_object(s, len);
		if (len <= s->room)
			len = store_write(s, SLOT_OBJECT, stream->buffer, len, word);
	}
	zram_stream_put(streams);
	return len;
}

static int store_huge(struct store *s, u64 *word)
{
	int err = s->room < PAGE_SIZE ? store_wait_object(s, PAGE_SIZE) : 0;

	if (!err)
		err = store_write(s, SLOT_HUGE, s->page, PAGE_SIZE, word);
	if (!err)
		zram_count(s->zram, ZRAM_HUGE_PAGES_SINCE, 1);
	return err;
}

/* Return: as store_try(), but that the page is written if it is compressible. */
static int store_compressed(struct store *s, u64 *word)
{
	int need = store_try(s, word), err;

	/*
	 * Direct I/O writes from memory that its owner may change meanwhile, so that the
	 * page needs more the next time. The second object has room for whatever it may
	 * be compressed to: the loop ends.
	 */
	while (unlikely(need > 0 && need < s->below)) {
		if (!s->handle)
			zram_count(s->zram, ZRAM_WRITE_STALL, 1);
		err = store_wait_object(s, s->handle ? PAGE_SIZE : need);
		if (err)
			return err;
		need = store_try(s, word);
	}
	return need;
}

/*
 * Unlock a slot. If a swap notification has doomed it meanwhile, do what the
 * notification would have done (swap.c).
 */
static void unlock_slot(struct zram *zram, zram_slot *slot, u64 word)
{
	if (likely(slot_unlock(slot, word)))
		return;
	zs_free_deferred(zram->pool, slot_handle(word));
	zram_release_block(zram, word);
	if (slot_kind(word) != SLOT_EMPTY)
		zram_count(zram, ZRAM_NOTIFY_FREE, 1);
	zram_account(zram, word, -1);
}

/**
 * zram_store_page() - store a page
 * @zram: the device, set up
 * @index: the slot
 * @page: the page's content. If it changes meanwhile, any mixture is stored
 * @node: the NUMA node that the page is on, or ZS_NO_NODE
 *
 * Context: process context, may sleep; safe during reclaim. With partial I/O,
 * the caller has the page's partial lock.
 * Return: 0; -ENOMEM without memory or past mem_limit, or another negative
 * errno. The slot holds what it held before, then.
 */
int zram_store_page(struct zram *zram, unsigned long index, const void *page, int node)
{
	struct store store = {
		.zram = zram,
		.page = page,
		.node = node,
		.below = zram->huge_size,
	};
	u64 value, word, old;
	int err = 0;

	if (!zram_page_same_filled(page, &value) ||
	    !zram_fill_encode(zram, index, value, &word))
		err = store_compressed(&store, &word);
	if (err > 0)
		err = store_huge(&store, &word);
	store_drop_object(&store);
	if (err)
		return err;
	if (slot_has_object(word))
		note_usage(zram);
	old = slot_exchange(&zram->slots[index], word);
	zram_account(zram, word, 1);
	zram_account(zram, old, -1);
	zs_free(zram->pool, slot_handle(old));
	zram_release_block(zram, old);
	return 0;
}

/**
 * zram_restore_page() - put a page into its slot again, smaller
 * @zram: the device, set up
 * @index: the slot
 * @held: what it holds, with the bit SLOT_HELD
 * @page: the page's content
 * @priority: of the algorithm to do it with
 * @below: bytes that it has to be smaller than
 *
 * Context: process context, may sleep; the caller has zram->holder.
 * Return: 0; 1 if it does not get so small, or would take as much memory; -EAGAIN if the
 * slot has come to hold something else; or another negative errno. With 1 and the last,
 * nothing has changed.
 */
int zram_restore_page(struct zram *zram, unsigned long index, u64 held, const void *page,
		      unsigned int priority, size_t below)
{
	struct store store = {
		.zram = zram,
		.page = page,
		.node = ZS_NO_NODE,
		.priority = priority,
		.below = min(below, zram->huge_size),
		.replaces = true,
	};
	u64 word;
	int err = store_compressed(&store, &word);

	store_drop_object(&store);
	if (err)
		return min(err, 1);
	note_usage(zram);
	/* What the slot holds would fit into that object, too: nothing is gained. */
	if (slot_size(held) <= zs_obj_size(zram->pool, slot_handle(word))) {
		zs_free(zram->pool, slot_handle(word));
		return 1;
	}
	if (!slot_settle(&zram->slots[index], held, word)) {
		zs_free(zram->pool, slot_handle(word));
		return -EAGAIN;
	}
	zram_account(zram, word, 1);
	zram_account(zram, held, -1);
	zs_free(zram->pool, slot_handle(held));
	return 0;
}

/**
 * zram_copy_object() - copy the object of a slot
 * @zram: the device, set up
 * @slot: the slot
 * @like: what it held: only an object of that kind, and compressed by the same algorithm,
 *	  is copied
 * @dst: where to
 *
 * Context: any context in which a slot may be locked.
 * Return: its size; 0 if the slot has come to hold something else, and
 * -EIO if the allocator does not know the object.
 */
int zram_copy_object(struct zram *zram, zram_slot *slot, u64 like, void *dst)
{
	u64 word = slot_lock(slot);
	u32 size = slot_size(word);
	const void *src;
	int ret = 0;

	if (slot_kind(word) != slot_kind(like) ||
	    slot_priority(word) != slot_priority(like))
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
	unlock_slot(zram, slot, word);
	return ret;
}

static int load_compressed(struct zram *zram, zram_slot *slot, u64 word, void *page)
{
	struct zram_streams *streams = zram->streams[slot_priority(word)];
	struct zram_stream *stream = zram_stream_get(streams);
	int ret;

	ret = zram_copy_object(zram, slot, word, stream->buffer);
	if (ret > 0 &&
	    streams->codec->decompress(stream->work, stream->buffer, ret, page))
		ret = -EIO;
	zram_stream_put(streams);
	return ret;
}

/**
 * zram_decompress_page() - decompress a page that has been read from the backing device
 * @zram: the device, set up
 * @word: of the slot that it was read for
 * @page: what has been read, and where the content goes
 *
 * Context: process context, as zram_load_page().
 * Return: 0; -EIO if it is not what was written there.
 */
int zram_decompress_page(struct zram *zram, u64 word, void *page)
{
	struct zram_streams *streams = zram->streams[slot_priority(word)];
	struct zram_stream *stream = zram_stream_get(streams);
	u32 size = slot_size(word);
	int err;

	memcpy(stream->buffer, page, size);
	err = streams->codec->decompress(stream->work, stream->buffer, size, page);
	zram_stream_put(streams);
	return err ? -EIO : 0;
}

/**
 * zram_load_page() - load a page that is in memory
 * @zram: the device, set up
 * @index: the slot
 * @page: where the content goes
 *
 * Context: process context. Does not sleep, but with PREEMPT_RT: see above.
 * Return: 0; ZRAM_ON_BACKING if the page is not in memory (readback.c), -EIO if what is
 * stored cannot be made a page again.
 */
int zram_load_page(struct zram *zram, unsigned long index, void *page)
{
	zram_slot *slot = &zram->slots[index];
	u64 word;
	int ret;

	/* 0 means that the slot changed since it was looked at. Look again. */
	do {
		word = slot_peek(slot);
		switch (slot_kind(word)) {
		case SLOT_EMPTY:
			clear_page(page);
			return 0;
		case SLOT_OBJECT:
			ret = load_compressed(zram, slot, word, page);
			break;
		case SLOT_BACKED:
			return ZRAM_ON_BACKING;
		case SLOT_HUGE:
			ret = zram_copy_object(zram, slot, word, page);
			break;
		default:
			memset64(page, zram_fill_decode(zram, index, word),
				 PAGE_SIZE / sizeof(u64));
			return 0;
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
 */
void zram_clear_pages(struct zram *zram, unsigned long first, unsigned long nr)
{
	unsigned long handles[CLEAR_BATCH];
	unsigned long i;
	size_t n = 0;
	u64 old;

	for (i = first; i < first + nr; i++) {
		if (i % 1024 == 0)
			cond_resched();
		if (slot_kind(slot_peek(&zram->slots[i])) == SLOT_EMPTY)
			continue;
		zram_partial_lock(zram, i);
		old = slot_exchange(&zram->slots[i], SLOT_WORD_EMPTY);
		zram_partial_unlock(zram, i);
		zram_account(zram, old, -1);
		zram_release_block(zram, old);
		if (slot_has_object(old))
			handles[n++] = slot_payload(old);
		if (n == CLEAR_BATCH) {
			zs_free_batch(zram->pool, handles, n);
			n = 0;
		}
	}
	zs_free_batch(zram->pool, handles, n);
}
