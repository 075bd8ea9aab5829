// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "pack.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lethe/zsmalloc.h>

#include "corpus.h"
#include "memory.h"
#include "newfile.h"

/* The file: this, then n of struct pack_object, then the objects end to end. */
struct pack_header {
	char magic[8];
	uint64_t n;
	uint64_t payload;
};

static const char magic[8] = "lethepk";

static enum outcome write_objects(const struct corpus *corpus, FILE *f)
{
	struct pack_header header = {.n = corpus->stored, .payload = corpus->payload};
	uint64_t at = sizeof(header) + corpus->stored * sizeof(struct pack_object);

	memcpy(header.magic, magic, sizeof(magic));
	fwrite(&header, sizeof(header), 1, f);
	for (size_t i = 0; i < corpus->pages; i++) {
		struct pack_object object = {.at = at, .len = corpus->forms[i].len};

		if (!corpus->forms[i].data)
			continue;
		fwrite(&object, sizeof(object), 1, f);
		at += object.len;
	}
	for (size_t i = 0; i < corpus->pages; i++) {
		if (corpus->forms[i].data)
			fwrite(corpus->forms[i].data, 1, corpus->forms[i].len, f);
	}
	return OK; /* errors show up in newfile_commit() */
}

static enum outcome write_file(const struct corpus *corpus, const char *path)
{
	struct newfile file;
	enum outcome err = newfile_open(&file, path);

	if (err)
		return err;
	err = write_objects(corpus, file.stream);
	return err ? err : newfile_commit(&file);
}

/* Page size and the size from which storing compressed is pointless. */
static enum outcome ask_pool(struct corpus *corpus)
{
	struct zs_pool_stats stats;
	struct zs_pool *pool;
	int error = zs_create_pool("probe", NULL, &pool);

	if (error)
		return fail("cannot create a pool: %s", strerror(-error));
	zs_pool_stats(pool, &stats);
	corpus->page_size = stats.page_size;
	corpus->huge_size = zs_huge_class_size(pool);
	zs_destroy_pool(pool);
	return OK;
}

static enum outcome load(struct corpus *corpus, const char *input, size_t max_mib,
			 struct input_report *report)
{
	enum outcome err;

	corpus->codec = codec_by_name("lz4");
	err = ask_pool(corpus);
	if (!err)
		err = input_measure(input, corpus->page_size,
				    (max_mib << 20) / corpus->page_size,
				    &corpus->max_pages);
	if (err)
		return err;
	if (corpus_bytes_needed(corpus->max_pages, corpus->page_size) >
	    memory_available())
		return fail("not enough memory for %zu pages; use a smaller size",
			    corpus->max_pages);
	err = corpus_reserve(corpus);
	if (!err)
		err = input_read(input, corpus->page_size, corpus->max_pages,
				 corpus->originals, report);
	if (err)
		return err;
	corpus->pages = report->pages;
	return corpus_compress(corpus);
}

static void print_report(const struct corpus *corpus, const struct input_report *report)
{
	printf("{\"files\": %zu, \"unreadable\": %zu, \"codec\": \"%s\", "
	       "\"page_size\": %zu, \"pages\": %zu, \"same_filled\": %zu, "
	       "\"objects\": %zu, \"raw\": %zu, \"payload_bytes\": %zu}\n",
	       report->files, report->unreadable, corpus->codec->name, corpus->page_size,
	       corpus->pages, corpus->same_filled, corpus->stored, corpus->raw,
	       corpus->payload);
}

enum outcome pack_write(const char *input, size_t max_mib, const char *path)
{
	struct input_report report;
	struct corpus corpus = {0};
	enum outcome err = load(&corpus, input, max_mib, &report);

	if (!err)
		err = write_file(&corpus, path);
	if (!err)
		print_report(&corpus, &report);
	if (corpus.max_pages)
		corpus_release(&corpus);
	return err;
}

/* Is the file complete, and every object inside it? */
static bool pack_is_sound(struct pack *pack)
{
	const struct pack_header *header = (const void *)pack->bytes;
	size_t room = pack->size - sizeof(*header);
	size_t payload = 0;

	if (memcmp(header->magic, magic, sizeof(magic)) || !header->n ||
	    header->n > room / sizeof(struct pack_object))
		return false;
	pack->n = header->n;
	pack->object = (const void *)(header + 1);
	for (size_t i = 0; i < pack->n; i++) {
		const struct pack_object *object = &pack->object[i];

		if (!object->len || object->at > pack->size ||
		    object->len > pack->size - object->at)
			return false;
		payload += object->len;
	}
	pack->payload = payload;
	return payload == header->payload;
}

enum outcome pack_map(struct pack *pack, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st)) {
		if (fd >= 0)
			close(fd);
		return fail("cannot read '%s': %s", path, strerror(errno));
	}
	pack->size = (size_t)st.st_size;
	if (!S_ISREG(st.st_mode) || pack->size < sizeof(struct pack_header)) {
		close(fd);
		return fail("'%s' holds no compressed pages", path);
	}
	p = mmap(NULL, pack->size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return fail("cannot map '%s': %s", path, strerror(errno));
	pack->bytes = p;
	if (!pack_is_sound(pack))
		return fail("'%s' holds no compressed pages", path);
	return OK;
}
