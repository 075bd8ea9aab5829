// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Reading pages from the backing device.
 *
 * A whole page, of a swap-in or of a file system, is read by a bio of its own into the
 * memory that it is wanted in. The bio that asks for it ends when all of its pages are
 * there, and no task waits here. A page that is compressed on the backing device is
 * decompressed by a worker, in place.
 *
 * Where a part of a page is wanted, the caller waits. A task that is in submit_bio() must
 * not wait for a bio that it submits, as the block layer starts that bio only when the
 * task is back. So a worker submits it. The bio is on the worker's stack: the ones set
 * aside may all belong to bios that the task has submitted and that have not started.
 *
 * While it is read, a block is pinned: it may be given up, but it is not used for another
 * page (backing.c says how). So what is read is the page that the slot held when it was
 * pinned, even if the slot is freed or written meanwhile.
 *
 * Lock order: none taken here.
 */
#include <linux/highmem.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

#include "backing.h"
#include "zram.h"

/* Bios set aside, so that a page can be read when there is no memory. */
#define RESERVED_READS 16

/* A page on its way from the backing device. */
struct page_read {
	struct zram *zram;
	struct bio *parent; /* the bio that asks for it */
	u64 word;
	struct work_struct work;
	struct bio bio; /* the last: its vector follows it */
};

/* Return: whether the slot names a block, which is pinned and not used otherwise then. */
static bool pin(struct zram *zram, unsigned long index, u64 *word)
{
	atomic_t *readers;

	*word = slot_peek(&zram->slots[index]);
	if (slot_kind(*word) != SLOT_BACKED)
		return false;
	readers = zram_block_readers(zram->backing, slot_payload(*word));
	atomic_inc(readers);
	/* Pairs with find_block(). */
	smp_mb__after_atomic();
	if (slot_peek(&zram->slots[index]) == *word)
		return true;
	atomic_dec(readers);
	return false;
}

static void unpin(struct zram_backing *backing, u64 word)
{
	/* The block's content has been read before. */
	smp_mb__before_atomic();
	atomic_dec(zram_block_readers(backing, slot_payload(word)));
}

static bool is_compressed(const struct zram *zram, u64 word)
{
	return zram->compressed_writeback && slot_size(word) < PAGE_SIZE;
}

static void page_read_done(struct page_read *read, blk_status_t status)
{
	struct zram_backing *backing = read->zram->backing;
	struct bio *parent = read->parent;
	u64 word = read->word;

	if (status) {
		zram_count(read->zram, ZRAM_FAILED_READS, 1);
		WRITE_ONCE(parent->bi_status, status);
	} else {
		flush_dcache_page(bio_first_page_all(&read->bio));
	}
	bio_put(&read->bio);
	bio_endio(parent);
	/* The last step: zram_reads_exit() waits for it. */
	unpin(backing, word);
}

static void decompress_read(struct work_struct *work)
{
	struct page_read *read = container_of(work, struct page_read, work);
	void *content = kmap_local_page(bio_first_page_all(&read->bio));
	int err = zram_decompress_page(read->zram, read->word, content);

	kunmap_local(content);
	page_read_done(read, err ? BLK_STS_IOERR : BLK_STS_OK);
}

static void page_read_end(struct bio *bio)
{
	struct page_read *read = container_of(bio, struct page_read, bio);

	if (!bio->bi_status && is_compressed(read->zram, read->word)) {
		INIT_WORK(&read->work, decompress_read);
		queue_work(read->zram->backing->workqueue, &read->work);
		return;
	}
	page_read_done(read, bio->bi_status);
}

/**
 * zram_read_backed() - start to read a page from the backing device
 * @zram: the device, set up
 * @index: the slot
 * @page: where the content goes
 * @parent: the bio that wants it, which does not end before it is there. If it cannot be
 *	    read, the bio has an error by then
 *
 * Context: process context. May sleep for memory; waits for no I/O but that of other
 * pages that are being read.
 * Return: 0 or, if the page is not on the backing device any more, ZRAM_CHANGED.
 */
int zram_read_backed(struct zram *zram, unsigned long index, struct page *page,
		     struct bio *parent)
{
	blk_opf_t opf = REQ_OP_READ |
			(parent->bi_opf & (REQ_SYNC | REQ_META | REQ_PRIO | REQ_RAHEAD));
	struct zram_backing *backing = zram->backing;
	struct page_read *read;
	struct bio *bio;
	u64 word;

	if (!pin(zram, index, &word))
		return ZRAM_CHANGED;
	zram_count(zram, ZRAM_BACKED_READS, 1);
	bio = bio_alloc_bioset(backing->bdev, 1, opf, GFP_NOIO, &backing->reads);
	bio->bi_iter.bi_sector = zram_block_sector(slot_payload(word));
	bio->bi_end_io = page_read_end;
	bio->bi_ioprio = parent->bi_ioprio;
	__bio_add_page(bio, page, PAGE_SIZE, 0);
	read = container_of(bio, struct page_read, bio);
	read->zram = zram;
	read->parent = parent;
	read->word = word;
	bio_inc_remaining(parent);
	submit_bio(bio);
	return 0;
}

/* ---- and wait for it ---- */

struct waiting_read {
	struct work_struct work;
	struct zram_backing *backing;
	u32 block;
	void *buf; /* a page of the kernel's own */
	int err;
};

static void read_block(struct work_struct *work)
{
	struct waiting_read *read = container_of(work, struct waiting_read, work);
	struct bio_vec vec;
	struct bio bio;

	bio_init(&bio, read->backing->bdev, &vec, 1, REQ_OP_READ | REQ_SYNC);
	bio.bi_iter.bi_sector = zram_block_sector(read->block);
	__bio_add_page(&bio, virt_to_page(read->buf), PAGE_SIZE, 0);
	read->err = submit_bio_wait(&bio);
	bio_uninit(&bio);
}

static int read_and_wait(struct zram *zram, unsigned long index, void *buf)
{
	struct waiting_read read = {.backing = zram->backing, .buf = buf};
	u64 word;

	if (!pin(zram, index, &word))
		return ZRAM_CHANGED;
	zram_count(zram, ZRAM_BACKED_READS, 1);
	read.block = slot_payload(word);
	INIT_WORK_ONSTACK(&read.work, read_block);
	if (current->bio_list) {
		queue_work(zram->backing->workqueue, &read.work);
		flush_work(&read.work);
	} else {
		read_block(&read.work);
	}
	destroy_work_on_stack(&read.work);
	unpin(zram->backing, word);
	if (!read.err && is_compressed(zram, word))
		read.err = zram_decompress_page(zram, word, buf);
	return read.err;
}

/**
 * zram_load_page_wait() - load a page, wherever it is
 * @zram: the device, set up
 * @index: the slot
 * @buf: where the content goes: a page from __get_free_page()
 *
 * Context: process context, may sleep, also in submit_bio().
 * Return: 0; -EIO or another negative errno if what is stored cannot be made a page
 * again.
 */
int zram_load_page_wait(struct zram *zram, unsigned long index, void *buf)
{
	int ret;

	do {
		ret = zram_load_page(zram, index, buf);
		if (ret == ZRAM_ON_BACKING)
			ret = read_and_wait(zram, index, buf);
	} while (ret == ZRAM_CHANGED);
	return ret;
}

/* ---- what it takes ---- */

/**
 * zram_reads_init() - get ready to read from a backing device
 * @backing: the backing device
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int zram_reads_init(struct zram_backing *backing)
{
	int err = bioset_init(&backing->reads, RESERVED_READS,
			      offsetof(struct page_read, bio),
			      BIOSET_NEED_BVECS | BIOSET_NEED_RESCUER);

	if (err)
		return err;
	backing->workqueue = alloc_workqueue("zram_read", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	if (backing->workqueue)
		return 0;
	bioset_exit(&backing->reads);
	return -ENOMEM;
}

static bool is_read(struct zram_backing *backing)
{
	unsigned int i;

	for (i = 0; i < ZRAM_READ_COUNTS; i++)
		if (atomic_read(&backing->readers[i]))
			return true;
	return false;
}

/**
 * zram_reads_exit() - undo zram_reads_init()
 * @backing: the backing device, of which nothing more is read
 *
 * A task that has what it has read may close the device before the read has taken its
 * last step.
 *
 * Context: process context, may sleep.
 */
void zram_reads_exit(struct zram_backing *backing)
{
	while (is_read(backing))
		schedule_timeout_uninterruptible(1);
	destroy_workqueue(backing->workqueue);
	bioset_exit(&backing->reads);
}
