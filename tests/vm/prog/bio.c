// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Block I/O of every shape against a model of the device in memory: direct
 * reads and writes of one to many blocks, vectored I/O, buffered I/O of any
 * byte range, discard, zeroing, and fsync. A block is what the device says it
 * is; where it is less than a page, parts of pages are read and written. With an
 * alignment below the block size, a block reaches the driver in pieces.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "vmtest.h"

#define MAX_BLOCKS 80 /* of one operation: more than one bio may hold as pieces */
#define MAX_PARTS 6

struct device {
	int direct, buffered;
	size_t blocks, unit; /* bytes of a block */
	unsigned char *model;
	unsigned char *buffer; /* MAX_BLOCKS and some to misalign in */
	uint64_t random;
	size_t alignment; /* of the memory that direct I/O is done from */
};

static size_t below(struct device *d, size_t n)
{
	return content_random(&d->random) % n;
}

/* A random run of blocks: mostly short, at times as long as it gets. */
static size_t pick_run(struct device *d, size_t *first)
{
	size_t n = 1 + below(d, below(d, 4) ? 5 : MAX_BLOCKS);

	*first = below(d, d->blocks - n + 1);
	return n;
}

/* Cut @n blocks into parts, each starting anywhere that the alignment allows. */
static int cut(struct device *d, struct iovec *parts, size_t n)
{
	unsigned char *at = d->buffer;
	int count = 0;
	size_t blocks;

	while (n) {
		blocks = count == MAX_PARTS - 1 ? n : 1 + below(d, n);
		at += d->alignment * below(d, page_bytes / d->alignment);
		parts[count].iov_base = at;
		parts[count++].iov_len = blocks * d->unit;
		at += blocks * d->unit;
		n -= blocks;
	}
	return count;
}

static void fill_parts(struct device *d, const struct iovec *parts, int count,
		       size_t first)
{
	unsigned char *model = d->model + first * d->unit;
	static _Alignas(8) unsigned char page[PAGE_MOST];
	size_t offset;
	int i;

	for (i = 0; i < count; i++) {
		for (offset = 0; offset < parts[i].iov_len; offset += d->unit) {
			content_page(page, content_random(&d->random), 0);
			memcpy(model, page, d->unit);
			memcpy((char *)parts[i].iov_base + offset, page, d->unit);
			model += d->unit;
		}
	}
}

static void direct_write(struct device *d)
{
	struct iovec parts[MAX_PARTS];
	size_t first, n = pick_run(d, &first);
	int count = cut(d, parts, n);
	ssize_t done;

	fill_parts(d, parts, count, first);
	done = pwritev(d->direct, parts, count, first * d->unit);
	if (done != (ssize_t)(n * d->unit))
		die("direct write of %zu blocks at %zu: %zd (%s)", n, first, done,
		    strerror(errno));
}

static void direct_read(struct device *d)
{
	struct iovec parts[MAX_PARTS];
	size_t first, n = pick_run(d, &first);
	int i, count = cut(d, parts, n);
	unsigned char *model = d->model + first * d->unit;
	ssize_t done = preadv(d->direct, parts, count, first * d->unit);

	if (done != (ssize_t)(n * d->unit))
		die("direct read of %zu blocks at %zu: %zd (%s)", n, first, done,
		    strerror(errno));
	for (i = 0; i < count; i++) {
		if (memcmp(parts[i].iov_base, model, parts[i].iov_len))
			die("direct read of %zu blocks at %zu differs", n, first);
		model += parts[i].iov_len;
	}
}

/* Any bytes, any length, through the page cache. */
static void buffered_write(struct device *d)
{
	size_t first, bytes = pick_run(d, &first) * d->unit;
	size_t skip = below(d, bytes), length = 1 + below(d, bytes - skip);
	size_t at = first * d->unit + skip;

	memset(d->model + at, (int)below(d, 256), length);
	if (pwrite(d->buffered, d->model + at, length, at) != (ssize_t)length)
		die("buffered write of %zu bytes at %zu: %s", length, at,
		    strerror(errno));
	/* Direct I/O of the other descriptor must not meet dirty pages. */
	if (fdatasync(d->buffered))
		die("fdatasync: %s", strerror(errno));
}

static void buffered_read(struct device *d)
{
	size_t first, bytes = pick_run(d, &first) * d->unit;
	size_t skip = below(d, bytes), length = 1 + below(d, bytes - skip);
	size_t at = first * d->unit + skip;

	if (pread(d->buffered, d->buffer, length, at) != (ssize_t)length)
		die("buffered read of %zu bytes at %zu: %s", length, at, strerror(errno));
	if (memcmp(d->buffer, d->model + at, length))
		die("buffered read of %zu bytes at %zu differs", length, at);
}

static void range_ioctl(struct device *d, unsigned long request, const char *name,
			size_t keeps)
{
	size_t first, n = pick_run(d, &first);
	uint64_t range[2] = {first * d->unit, n * d->unit};
	uint64_t from = (range[0] + keeps - 1) / keeps * keeps;
	uint64_t to = (range[0] + range[1]) / keeps * keeps;

	if (ioctl(d->direct, request, range))
		die("%s of %zu blocks at %zu: %s", name, n, first, strerror(errno));
	if (from < to)
		memset(d->model + from, 0, to - from);
}

/*
 * The driver leaves parts of pages as they are. The page cache does not, where it
 * has such a page: it is to have none.
 */
static void discard(struct device *d)
{
	if (posix_fadvise(d->buffered, 0, 0, POSIX_FADV_DONTNEED))
		die("posix_fadvise fails");
	range_ioctl(d, BLKDISCARD, "discard", page_bytes);
}

static void zero(struct device *d)
{
	range_ioctl(d, BLKZEROOUT, "zeroing", d->unit);
}

static void one_operation(struct device *d)
{
	switch (below(d, 10)) {
	case 0 ... 2:
		direct_write(d);
		break;
	case 3 ... 5:
		direct_read(d);
		break;
	case 6:
		buffered_write(d);
		break;
	case 7:
		buffered_read(d);
		break;
	case 8:
		discard(d);
		break;
	default:
		zero(d);
	}
}

static void check_all(struct device *d)
{
	size_t i;

	for (i = 0; i < d->blocks; i++) {
		if (pread(d->direct, d->buffer, d->unit, i * d->unit) != (ssize_t)d->unit)
			die("last read of block %zu: %s", i, strerror(errno));
		if (memcmp(d->buffer, d->model + i * d->unit, d->unit))
			die("block %zu differs at the end", i);
	}
}

static void must_fail(ssize_t result, int error, const char *what)
{
	if (result >= 0 || errno != error)
		die("%s: got %zd (%s), not %s", what, result, strerror(errno),
		    strerror(error));
}

/* What the block layer must refuse, because of the block size that is declared. */
static void check_refusals(struct device *d)
{
	size_t end = d->blocks * d->unit;
	uint64_t beyond[2] = {end, d->unit};

	must_fail(pread(d->direct, d->buffer, d->unit / 2, 0), EINVAL,
		  "direct read of half a block");
	must_fail(pread(d->direct, d->buffer, d->unit, d->unit / 2), EINVAL,
		  "direct read from half a block on");
	must_fail(pwrite(d->direct, d->buffer, d->unit, end), ENOSPC,
		  "write beyond the end");
	must_fail(ioctl(d->direct, BLKDISCARD, beyond), EINVAL, "discard beyond the end");
	if (pread(d->direct, d->buffer, d->unit, end) != 0)
		die("read at the end is not empty");
}

int cmd_bio(int argc, char **argv)
{
	struct device d = {};
	uint64_t bytes;
	unsigned long i, operations;
	int unit;

	if (argc != 5)
		die("needs DEVICE SEED OPERATIONS ALIGNMENT");
	d.random = number(argv[2]);
	operations = number(argv[3]);
	d.alignment = number(argv[4]);
	if (d.alignment < 512 || page_bytes % d.alignment)
		die("an alignment of %zu will not do", d.alignment);
	d.direct = open(argv[1], O_RDWR | O_DIRECT);
	d.buffered = open(argv[1], O_RDWR);
	if (d.direct < 0 || d.buffered < 0 || ioctl(d.direct, BLKGETSIZE64, &bytes) ||
	    ioctl(d.direct, BLKSSZGET, &unit))
		die("%s: %s", argv[1], strerror(errno));
	d.unit = unit;
	d.blocks = bytes / d.unit;
	if (d.blocks < MAX_BLOCKS)
		die("%s is too small", argv[1]);
	d.model = map_pages(bytes / page_bytes);
	d.buffer = map_pages(MAX_BLOCKS + MAX_PARTS + 1);

	check_all(&d); /* a fresh device reads as zeroes */
	for (i = 0; i < operations; i++)
		one_operation(&d);
	check_all(&d);
	check_refusals(&d);
	return 0;
}
