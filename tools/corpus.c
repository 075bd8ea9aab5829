// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "corpus.h"

#include <string.h>

#include "interrupt.h"
#include "memory.h"
#include "progress.h"

/* Pages between two looks at signals and the progress bar. */
#define PAGES_A_LOOK 256

/* Handles, samples, forms, and the pool's own tables: at most this a page. */
#define TABLE_BYTES_A_PAGE 128
#define FIXED_BYTES ((uint64_t)16 << 20)

uint64_t corpus_bytes_needed(size_t pages, size_t page_size)
{
	return (uint64_t)pages * (3 * page_size + TABLE_BYTES_A_PAGE) + FIXED_BYTES;
}

/* The compressed copies together never exceed the originals; the last needs more. */
static size_t packed_room(const struct corpus *corpus)
{
	return corpus->max_pages * corpus->page_size + codec_bound(corpus->page_size);
}

enum outcome corpus_reserve(struct corpus *corpus)
{
	corpus->originals = memory_map(corpus->max_pages * corpus->page_size);
	corpus->packed = memory_map(packed_room(corpus));
	corpus->forms = memory_map(corpus->max_pages * sizeof(*corpus->forms));
	if (!corpus->originals || !corpus->packed || !corpus->forms)
		return fail("not enough memory for %zu pages of %zu bytes",
			    corpus->max_pages, corpus->page_size);
	if (!corpus->codec->open())
		return fail("not enough memory for the codec %s", corpus->codec->name);
	return OK;
}

void corpus_release(struct corpus *corpus)
{
	corpus->codec->close();
	memory_unmap(corpus->forms, corpus->max_pages * sizeof(*corpus->forms));
	memory_unmap(corpus->packed, packed_room(corpus));
	memory_unmap(corpus->originals, corpus->max_pages * corpus->page_size);
	corpus->forms = NULL;
	corpus->packed = NULL;
	corpus->originals = NULL;
}

/* A page equal to itself shifted by a word holds one word over and over. */
static bool is_same_filled(const unsigned char *page, size_t page_size, uint64_t *fill)
{
	memcpy(fill, page, sizeof(*fill));
	return !memcmp(page, page + sizeof(*fill), page_size - sizeof(*fill));
}

/* Decide on page @i. Returns how many bytes of @packed it uses. */
static size_t compress_page(struct corpus *corpus, size_t i, unsigned char *packed)
{
	const unsigned char *page = corpus->originals + i * corpus->page_size;
	struct page_form *form = &corpus->forms[i];
	size_t len;

	if (is_same_filled(page, corpus->page_size, &form->fill)) {
		corpus->same_filled++;
		return 0;
	}
	corpus->stored++;
	len = corpus->codec->compress(page, corpus->page_size, packed);
	if (!len || len >= corpus->huge_size) {
		form->data = page;
		form->len = (uint32_t)corpus->page_size;
		corpus->raw++;
		corpus->payload += corpus->page_size;
		return 0;
	}
	form->data = packed;
	form->len = (uint32_t)len;
	corpus->payload += len;
	return len;
}

enum outcome corpus_compress(struct corpus *corpus)
{
	unsigned char *packed = corpus->packed;

	for (size_t i = 0; i < corpus->pages; i++) {
		if (i % PAGES_A_LOOK == 0) {
			if (interrupt_caught())
				return INTERRUPTED;
			progress_update((double)i / (double)corpus->pages);
		}
		packed += compress_page(corpus, i, packed);
	}
	if (!corpus->stored)
		return fail("every page of the input is same-filled: there is nothing to "
			    "store");
	return OK;
}

static void refill(unsigned char *page, size_t page_size, uint64_t fill)
{
	for (size_t at = 0; at < page_size; at += sizeof(fill))
		memcpy(page + at, &fill, sizeof(fill));
}

bool corpus_page_matches(const struct corpus *corpus, size_t i, const void *data,
			 unsigned char *scratch)
{
	const unsigned char *original = corpus->originals + i * corpus->page_size;
	const struct page_form *form = &corpus->forms[i];

	if (!form->data) {
		refill(scratch, corpus->page_size, form->fill);
		data = scratch;
	} else if (form->len < corpus->page_size) {
		if (corpus->codec->decompress(data, form->len, scratch,
					      corpus->page_size) != corpus->page_size)
			return false;
		data = scratch;
	}
	return !memcmp(data, original, corpus->page_size);
}
