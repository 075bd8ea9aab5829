// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * malloc() and free(), whoever provides them. A function that only one allocator
 * has tells which one is in force, and gives memory back at its best.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"

/* jemalloc's pseudo arena that stands for all of them: MALLCTL_ARENAS_ALL. */
#define JEMALLOC_PURGE_ALL "arena.4096.purge"

static union {
	int (*trim)(size_t pad);
	int (*mallctl)(const char *name, void *old, size_t *old_len, void *new_value,
		       size_t new_len);
	void (*collect)(bool force);
	void (*release)(void);
	void *symbol; /* dlsym() gives no function pointers */
} give_back;

/* tcmalloc's, for the calling thread's cache */
static union {
	void (*idle)(void);
	void *symbol;
} mark_idle;

static const char *const symbol_of_rival[] = {"mallctl", "mi_collect",
					      "MallocExtension_ReleaseFreeMemory"};

static size_t malloc_store(const struct pack *pack, size_t first, size_t n,
			   uintptr_t *refs)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = pack->object[first + i].len;
		void *p = malloc(len);

		if (!p)
			return i;
		memcpy(p, pack_data(pack, first + i), len);
		refs[i] = (uintptr_t)p;
	}
	return n;
}

static bool malloc_holds(uintptr_t ref, const void *data, size_t len)
{
	return !memcmp((const void *)ref, data, len);
}

static void malloc_release(const uintptr_t *refs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free((void *)refs[i]);
}

/* Every rival but glibc brings a function that nobody else has. */
static enum outcome open_rival(const struct backend *backend, const char *symbol)
{
	give_back.symbol = dlsym(RTLD_DEFAULT, symbol);
	if (!give_back.symbol)
		return fail("%s is not in force; preload %s (package %s)", backend->name,
			    backend->library, backend->package);
	return OK;
}

static enum outcome glibc_open(const struct backend *backend)
{
	for (size_t i = 0; i < sizeof(symbol_of_rival) / sizeof(symbol_of_rival[0]);
	     i++) {
		if (dlsym(RTLD_DEFAULT, symbol_of_rival[i]))
			return fail("another allocator is preloaded, so glibc's is not "
				    "in force");
	}
	give_back.symbol = dlsym(RTLD_DEFAULT, "malloc_trim");
	return give_back.symbol ? OK : fail("%s is not in force", backend->name);
}

static void glibc_tidy(void)
{
	give_back.trim(0);
}

static enum outcome jemalloc_open(const struct backend *backend)
{
	return open_rival(backend, symbol_of_rival[0]);
}

static void jemalloc_tidy_thread(void)
{
	give_back.mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
}

static void jemalloc_tidy(void)
{
	give_back.mallctl(JEMALLOC_PURGE_ALL, NULL, NULL, NULL, 0);
}

static enum outcome mimalloc_open(const struct backend *backend)
{
	return open_rival(backend, symbol_of_rival[1]);
}

/* A heap is a thread's own. */
static void mimalloc_tidy_thread(void)
{
	give_back.collect(true);
}

static enum outcome tcmalloc_open(const struct backend *backend)
{
	mark_idle.symbol = dlsym(RTLD_DEFAULT, "MallocExtension_MarkThreadIdle");
	return open_rival(backend, symbol_of_rival[2]);
}

static void tcmalloc_tidy_thread(void)
{
	if (mark_idle.symbol)
		mark_idle.idle();
}

static void tcmalloc_tidy(void)
{
	give_back.release();
}

#define MALLOC_BACKEND                                                                   \
	.store = malloc_store, .holds = malloc_holds, .release = malloc_release

const struct backend backend_glibc = {
	.name = "glibc",
	.open = glibc_open,
	.tidy = glibc_tidy,
	MALLOC_BACKEND,
};

const struct backend backend_jemalloc = {
	.name = "jemalloc",
	.library = "libjemalloc.so.2",
	.package = "libjemalloc2",
	.open = jemalloc_open,
	.tidy_thread = jemalloc_tidy_thread,
	.tidy = jemalloc_tidy,
	MALLOC_BACKEND,
};

const struct backend backend_mimalloc = {
	.name = "mimalloc",
	.library = "libmimalloc.so.2:libmimalloc.so.3",
	.package = "libmimalloc2.0/libmimalloc3",
	.open = mimalloc_open,
	.tidy_thread = mimalloc_tidy_thread,
	MALLOC_BACKEND,
};

const struct backend backend_tcmalloc = {
	.name = "tcmalloc",
	.library = "libtcmalloc_minimal.so.4",
	.package = "libtcmalloc-minimal4",
	.open = tcmalloc_open,
	.tidy_thread = tcmalloc_tidy_thread,
	.tidy = tcmalloc_tidy,
	MALLOC_BACKEND,
};
