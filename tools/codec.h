/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* Compressors of single pages, with the settings that zram uses by default. */
#ifndef LETHE_TOOLS_CODEC_H
#define LETHE_TOOLS_CODEC_H

#include <stdbool.h>
#include <stddef.h>

/** A compressor. Not for use by two threads at once: each keeps scratch memory. */
struct codec {
	const char *name;

	/** open() - get scratch memory. Return: false if there is none. */
	bool (*open)(void);

	/** close() - release it; harmless if open() failed or was never called. */
	void (*close)(void);

	/**
	 * compress() - compress one page
	 * @src: the page
	 * @len: its size
	 * @dst: room for codec_bound(@len) bytes
	 *
	 * Return: the compressed size; 0 if it could not be compressed.
	 */
	size_t (*compress)(const void *src, size_t len, void *dst);

	/**
	 * decompress() - the reverse, safe on damaged data
	 * @src: the compressed page
	 * @len: its compressed size
	 * @dst: room for a page
	 * @cap: the size of a page
	 *
	 * Return: the size of the result; 0 if the data is damaged.
	 */
	size_t (*decompress)(const void *src, size_t len, void *dst, size_t cap);
};

/** codec_by_name() - Return: the codec of that name, or NULL. */
const struct codec *codec_by_name(const char *name);

/** codec_at() - Return: the codec number @i, from 0; NULL past the last one. */
const struct codec *codec_at(size_t i);

/** codec_bound() - the most that any codec makes out of @len bytes. */
size_t codec_bound(size_t len);

#endif /* LETHE_TOOLS_CODEC_H */
