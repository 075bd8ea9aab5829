/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The pages to store, compressed once and kept beside the originals, so that
 * every round stores the same bytes and can be verified against the originals.
 * What becomes of a page is decided as zram does it.
 */
#ifndef LETHE_TOOLS_CORPUS_H
#define LETHE_TOOLS_CORPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec.h"
#include "input.h"
#include "say.h"

/** What becomes of one page. */
struct page_form {
	const unsigned char *data; /**< what is stored; NULL for a same-filled page */
	uint32_t len; /**< bytes stored; the page size if it is stored raw */
	uint64_t fill; /**< the word that fills a same-filled page */
};

struct corpus {
	const struct codec *codec;
	size_t page_size;
	size_t huge_size; /**< compressed to this or more: stored raw */
	size_t max_pages; /**< room */
	size_t pages; /**< read */
	size_t same_filled; /**< hold one word over and over: take no object */
	size_t raw; /**< incompressible: stored as they are */
	size_t stored; /**< objects: all pages but the same-filled ones */
	size_t payload; /**< bytes of all objects */
	unsigned char *originals;
	unsigned char *packed; /**< the compressed pages, end to end */
	struct page_form *forms; /**< one for each page */
};

/**
 * corpus_bytes_needed() - memory for a run over @pages pages at most
 *
 * Return: bytes; originals, compressed copies, the pool at its fullest,
 * and the tables.
 */
uint64_t corpus_bytes_needed(size_t pages, size_t page_size);

/**
 * corpus_reserve() - get room for the pages
 * @corpus: codec, page_size, huge_size and max_pages are set, the rest is zero
 *
 * Return: OK, or FAILED, and said why. corpus_release() in either case.
 */
enum outcome corpus_reserve(struct corpus *corpus);

/**
 * corpus_compress() - decide on every page and compress it
 * @corpus: @pages of originals have been read
 *
 * Return: OK; FAILED, and said why, if nothing is left to store; INTERRUPTED.
 */
enum outcome corpus_compress(struct corpus *corpus);

/**
 * corpus_page_matches() - compare a page that was read back with the original
 * @corpus: the pages
 * @i: which
 * @data: what was read back: as many bytes as were stored; unused if none were
 * @scratch: room for a page
 *
 * Decompresses or refills the page and compares it bit for bit.
 */
bool corpus_page_matches(const struct corpus *corpus, size_t i, const void *data,
			 unsigned char *scratch);

/** corpus_release() - give all memory back. */
void corpus_release(struct corpus *corpus);

#endif /* LETHE_TOOLS_CORPUS_H */
