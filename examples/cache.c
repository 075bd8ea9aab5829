/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* A cache that keeps blocks compressed, in so much memory and no more. */
#include <errno.h>
#include <lethe/zsmalloc.h>
#include <lz4.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK = 4096, SLOTS = 8192, LIMIT = 1 << 20 };

struct cache {
	struct zs_pool *pool;
	struct slot {
		unsigned long key;
		unsigned long handle; /* 0: empty */
		int size; /* BLOCK: did not become smaller, stored as it is */
	} slots[SLOTS];
	size_t hand; /* the slot to be given up next */
};

static void slot_clear(struct cache *c, struct slot *s)
{
	zs_free(c->pool, s->handle); /* at once: the room is wanted */
	s->handle = 0;
}

/* At the limit, holes between objects are given up first, then blocks, one by one. */
static unsigned long cache_malloc(struct cache *c, size_t size)
{
	unsigned long handle = zs_malloc(c->pool, size);
	int left = SLOTS;

	while (zs_handle_error(handle) == -ENOSPC && left) {
		if (zs_compactable_pages(c->pool) < 8 || !zs_compact_pages(c->pool, 8)) {
			slot_clear(c, &c->slots[c->hand++ % SLOTS]);
			left--;
		}
		handle = zs_malloc(c->pool, size);
	}
	return handle;
}

static int cache_put(struct cache *c, unsigned long key, const char *block)
{
	struct slot *s = &c->slots[key % SLOTS];
	char packed[BLOCK];
	int size = LZ4_compress_default(block, packed, BLOCK, BLOCK - 1);
	unsigned long handle;

	slot_clear(c, s);
	handle = cache_malloc(c, size ? (size_t)size : BLOCK);
	if (zs_handle_error(handle))
		return zs_handle_error(handle);
	*s = (struct slot){key, handle, size ? size : BLOCK};
	return zs_obj_write(c->pool, handle, size ? packed : block, (size_t)s->size);
}

/* 1: the block of @key, in @block; 0: it is not there. */
static int cache_get(struct cache *c, unsigned long key, char *block)
{
	struct slot *s = &c->slots[key % SLOTS];
	char buf[BLOCK];
	const char *at;

	if (!s->handle || s->key != key)
		return 0;
	at = zs_obj_read_begin(c->pool, s->handle, (size_t)s->size, buf);
	if (s->size == BLOCK)
		memcpy(block, at, BLOCK);
	else
		LZ4_decompress_safe(at, block, s->size, BLOCK);
	zs_obj_read_end(c->pool, s->handle);
	return 1;
}

/* ---- more blocks than fit, each of its own content; every eighth is noise ---- */

static void block_make(unsigned long key, char *block)
{
	unsigned long long random = key + 1;

	for (int i = 0; i < BLOCK; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		block[i] = (char)(random >> 56);
		if (key % 8 && i % 64)
			block[i] = (char)('a' + i % 26);
	}
}

int main(void)
{
	static struct cache c;
	const struct zs_pool_params params = {.mem_limit = LIMIT};
	char want[BLOCK], got[BLOCK];
	struct zs_pool_stats s;
	int hits = 0, bad = 0;

	if (zs_create_pool("cache", &params, &c.pool))
		return 1;
	for (unsigned long key = 0; key < SLOTS; key++) {
		block_make(key, want);
		bad += cache_put(&c, key, want) != 0;
	}
	for (unsigned long key = 0; key < SLOTS; key++) {
		block_make(key, want);
		if (cache_get(&c, key, got)) {
			hits++;
			bad += memcmp(want, got, BLOCK) != 0;
		}
	}
	zs_pool_stats(c.pool, &s);
	printf("%d blocks of %d bytes in %zu KiB, %d bad\n", hits, BLOCK,
	       s.pages * s.page_size >> 10, bad);
	zs_destroy_pool(c.pool);
	return bad || hits * BLOCK < 2 * LIMIT || s.pages * s.page_size > LIMIT;
}
