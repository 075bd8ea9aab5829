// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * From bios to pages.
 *
 * A bio is walked slot by slot rather than segment by segment. A segment that has
 * the whole of a slot, as in all swapping and nearly all other I/O, is compressed
 * from and decompressed to in place. Parts of a slot, and a slot whose bytes come
 * from two segments as they are not aligned to pages, go through a bounce page.
 * A whole page that is on the backing device comes later, and the bio ends later then.
 *
 * Lock order: partial_lock, then those of store.c.
 */
#include <linux/bio.h>
#include <linux/highmem.h>
#include <linux/pagemap.h>

#include "compat.h"
#include "zram.h"

#define PAGE_SECTORS_MASK (PAGE_SECTORS - 1)

/* What one bio (or call of rw_page) needs while it is worked on. */
struct zram_io {
	struct zram *zram;
	struct bio *bio; /* or NULL */
	bool is_write;
	u8 *bounce; /* a page, allocated when first needed */
};

static u8 *bounce_page(struct zram_io *io)
{
	if (!io->bounce)
		io->bounce = (u8 *)__get_free_page(GFP_NOIO);
	return io->bounce;
}

static int write_whole_page(struct zram_io *io, unsigned long index, struct page *page)
{
	void *content = kmap_local_page(page);
	int err;

	zram_partial_lock(io->zram, index);
	err = zram_store_page(io->zram, index, content, page_to_nid(page));
	zram_partial_unlock(io->zram, index);
	kunmap_local(content);
	return err;
}

/* Return: 0, also if the page comes when the bio ends; or a negative errno. */
static int read_whole_page(struct zram_io *io, unsigned long index, struct page *page)
{
	void *content;
	int ret;

	do {
		content = kmap_local_page(page);
		ret = zram_load_page(io->zram, index, content);
		kunmap_local(content);
		flush_dcache_page(page);
		if (ret != ZRAM_ON_BACKING)
			return ret;
		if (!io->bio)
			return -EOPNOTSUPP;
		ret = zram_read_backed(io->zram, index, page, io->bio);
	} while (ret == ZRAM_CHANGED);
	return ret;
}

static int io_whole_page(struct zram_io *io, unsigned long index, struct page *page)
{
	int err = io->is_write ? write_whole_page(io, index, page)
			       : read_whole_page(io, index, page);

	zram_touch(io->zram, index);
	return err;
}

/* Copy @len bytes between @buf and where @iter stands in @bio. */
static void copy_bio(struct bio *bio, struct bvec_iter iter, u8 *buf, unsigned int len,
		     bool from_bio)
{
	while (len) {
		struct bio_vec bv = bio_iter_iovec(bio, iter);
		unsigned int n = min(len, bv.bv_len);

		if (from_bio)
			memcpy_from_page(buf, bv.bv_page, bv.bv_offset, n);
		else
			memcpy_to_page(bv.bv_page, bv.bv_offset, buf, n);
		bio_advance_iter_single(bio, &iter, n);
		buf += n;
		len -= n;
	}
}

/*
 * Write @len bytes at @offset of a slot, of @bio or zeroes if it is NULL. A
 * part of a page is merged into the rest, which partial_lock keeps still.
 */
static int write_bounced(struct zram_io *io, struct bio *bio, struct bvec_iter iter,
			 unsigned long index, unsigned int offset, unsigned int len)
{
	u8 *bounce = bounce_page(io);
	int err = 0;

	if (!bounce)
		return -ENOMEM;
	zram_partial_lock(io->zram, index);
	if (len < PAGE_SIZE)
		err = zram_load_page_wait(io->zram, index, bounce);
	if (!err) {
		if (bio)
			copy_bio(bio, iter, bounce + offset, len, true);
		else
			memset(bounce + offset, 0, len);
		err = zram_store_page(io->zram, index, bounce, ZS_NO_NODE);
	}
	zram_partial_unlock(io->zram, index);
	zram_touch(io->zram, index);
	return err;
}

static int read_bounced(struct zram_io *io, struct bio *bio, struct bvec_iter iter,
			unsigned long index, unsigned int offset, unsigned int len)
{
	u8 *bounce = bounce_page(io);
	int err;

	if (!bounce)
		return -ENOMEM;
	err = zram_load_page_wait(io->zram, index, bounce);
	if (!err)
		copy_bio(bio, iter, bounce + offset, len, false);
	zram_touch(io->zram, index);
	return err;
}

static int io_read_write(struct zram_io *io, struct bio *bio)
{
	struct bvec_iter iter = bio->bi_iter;
	int err = 0;

	while (iter.bi_size && !err) {
		unsigned long index = iter.bi_sector >> PAGE_SECTORS_SHIFT;
		unsigned int offset = (iter.bi_sector & PAGE_SECTORS_MASK)
				      << SECTOR_SHIFT;
		unsigned int len = min_t(unsigned int, PAGE_SIZE - offset, iter.bi_size);
		struct bio_vec bv = bio_iter_iovec(bio, iter);

		/* A single-page segment of this length begins at the page. */
		if (len == PAGE_SIZE && bv.bv_len == PAGE_SIZE)
			err = io_whole_page(io, index, bv.bv_page);
		else if (io->is_write)
			err = write_bounced(io, bio, iter, index, offset, len);
		else
			err = read_bounced(io, bio, iter, index, offset, len);
		bio_advance_iter(bio, &iter, len);
		/* Of a slow codec, some hundred pages are many milliseconds. */
		if (iter.bi_size)
			cond_resched();
	}
	return err;
}

/*
 * Discard, or write zeroes to, a range. Both empty the slots that lie in it as
 * a whole. A discard leaves parts of a slot at the ends as they are, which it
 * may; zeroes are written there.
 */
static int io_clear(struct zram_io *io, struct bio *bio, bool must_zero)
{
	u64 pos = (u64)bio->bi_iter.bi_sector << SECTOR_SHIFT;
	u64 end = pos + bio->bi_iter.bi_size;
	unsigned long first = DIV_ROUND_UP_ULL(pos, PAGE_SIZE), nr;
	unsigned long last = end >> PAGE_SHIFT; /* the first slot not cleared whole */
	unsigned int head = (first << PAGE_SHIFT) - pos, tail = offset_in_page(end);
	int err = 0;

	nr = last > first ? last - first : 0;
	zram_clear_pages(io->zram, first, nr);
	/* Empty ones too, as the kernel's own zram counts. */
	zram_count(io->zram, ZRAM_NOTIFY_FREE, nr);
	if (!must_zero)
		return 0;
	if (last < first) /* the range lies inside one slot */
		return write_bounced(io, NULL, bio->bi_iter, last, offset_in_page(pos),
				     end - pos);
	if (head)
		err = write_bounced(io, NULL, bio->bi_iter, first - 1, PAGE_SIZE - head,
				    head);
	if (tail && !err)
		err = write_bounced(io, NULL, bio->bi_iter, last, 0, tail);
	return err;
}

static bool range_is_valid(struct zram *zram, sector_t sector, unsigned int bytes)
{
	/* Pairs with zram_device_setup(): no slots, or a device that is complete. */
	u64 size = (u64)smp_load_acquire(&zram->nr_slots) << PAGE_SHIFT;
	u64 pos = (u64)sector << SECTOR_SHIFT;

	return IS_ALIGNED(pos | bytes, ZRAM_BLOCK_SIZE) && pos < size &&
	       bytes <= size - pos;
}

static blk_status_t io_bio(struct zram_io *io, struct bio *bio)
{
	int err;

	if (!range_is_valid(io->zram, bio->bi_iter.bi_sector, bio->bi_iter.bi_size)) {
		zram_count(io->zram, ZRAM_INVALID_IO, 1);
		return BLK_STS_IOERR;
	}
	switch (bio_op(bio)) {
	case REQ_OP_READ:
	case REQ_OP_WRITE:
		err = io_read_write(io, bio);
		break;
	case REQ_OP_DISCARD:
		err = io_clear(io, bio, false);
		break;
	case REQ_OP_WRITE_ZEROES:
		err = io_clear(io, bio, true);
		break;
	default:
		return BLK_STS_NOTSUPP;
	}
	if (!err)
		return BLK_STS_OK;
	zram_count(io->zram, io->is_write ? ZRAM_FAILED_WRITES : ZRAM_FAILED_READS, 1);
	return BLK_STS_IOERR;
}

static void io_end(struct zram_io *io)
{
	free_page((unsigned long)io->bounce);
}

/* The status of @bio, unless a page that was read from the backing device has set it. */
static void io_bio_status(struct zram_io *io, struct bio *bio)
{
	blk_status_t status = io_bio(io, bio);

	if (status)
		WRITE_ONCE(bio->bi_status, status);
}

/**
 * zram_submit_bio() - carry out a bio, and end it
 * @bio: the bio
 *
 * Pages that are read from the backing device end the bio, if they are the last to be
 * there. The time that this takes is not in the disk's `stat`.
 *
 * Context: process context, may sleep; safe during reclaim.
 */
void zram_submit_bio(struct bio *bio)
{
	struct zram_io io = {
		.zram = bio->bi_bdev->bd_disk->private_data,
		.bio = bio,
		.is_write = op_is_write(bio_op(bio)),
	};
	unsigned long start;

	/* As the kernel's own zram: its users know no time of a discard. */
	if (bio_op(bio) == REQ_OP_READ || bio_op(bio) == REQ_OP_WRITE) {
		start = bio_start_io_acct(bio);
		io_bio_status(&io, bio);
		bio_end_io_acct(bio, start);
	} else {
		io_bio_status(&io, bio);
	}
	io_end(&io);
	bio_endio(bio);
}

#ifdef COMPAT_HAS_RW_PAGE
/**
 * zram_rw_page() - read or write one page, without a bio
 * @bdev: the disk
 * @sector: where
 * @page: the page
 * @op: REQ_OP_READ or REQ_OP_WRITE
 *
 * Swapping takes this way on kernels that have it, and takes a disk that has
 * it for one that is done when it returns.
 *
 * Context: process context, may sleep; safe during reclaim.
 * Return: 0 and the page's I/O is ended, or a negative errno, upon which the
 * caller sends a bio. That is what a page on the backing device takes.
 */
int zram_rw_page(struct block_device *bdev, sector_t sector, struct page *page,
		 enum req_op op)
{
	struct zram_io io = {
		.zram = bdev->bd_disk->private_data,
		.is_write = op_is_write(op),
	};
	unsigned long index = sector >> PAGE_SECTORS_SHIFT, start;
	int err;

	if (PageTransHuge(page) || (sector & PAGE_SECTORS_MASK) ||
	    !range_is_valid(io.zram, sector, PAGE_SIZE))
		return -EOPNOTSUPP;
	if (!io.is_write && slot_kind(slot_peek(&io.zram->slots[index])) == SLOT_BACKED)
		return -EOPNOTSUPP;

	start = bdev_start_io_acct(bdev, PAGE_SECTORS, op, jiffies);
	err = io_whole_page(&io, index, page);
	bdev_end_io_acct(bdev, op, start);
	io_end(&io);
	if (!err)
		page_endio(page, io.is_write, 0);
	return err;
}
#endif
