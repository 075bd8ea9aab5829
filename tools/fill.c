// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "fill.h"

#include <stdlib.h>
#include <string.h>

#include "interrupt.h"
#include "progress.h"

/* Pages between two looks at signals and the progress bar. */
#define PAGES_A_LOOK 256

/* Storing and verifying are the halves of one step of the progress bar. */
static bool keep_going(const struct corpus *corpus, size_t i, double half)
{
	if (i % PAGES_A_LOOK)
		return true;
	progress_update(half + (double)i / (double)corpus->pages / 2);
	return !interrupt_caught();
}

enum outcome fill_store(struct zs_pool *pool, const struct corpus *corpus,
			unsigned long *handles)
{
	size_t n = 0;

	for (size_t i = 0; i < corpus->pages; i++) {
		const struct page_form *form = &corpus->forms[i];
		unsigned long handle;
		int error;

		if (!keep_going(corpus, i, 0))
			return INTERRUPTED;
		if (!form->data)
			continue;
		handle = zs_malloc(pool, form->len);
		error = zs_handle_error(handle);
		if (!error)
			error = zs_obj_write(pool, handle, form->data, form->len);
		if (error)
			return fail("page %zu (%u bytes) cannot be stored: %s", i,
				    form->len, strerror(-error));
		handles[n++] = handle;
	}
	return OK;
}

static bool object_matches(struct zs_pool *pool, const struct corpus *corpus, size_t i,
			   unsigned long handle, unsigned char *scratch)
{
	unsigned char *bounce = scratch + corpus->page_size;
	bool same;
	const void *data;

	data = zs_obj_read_begin(pool, handle, corpus->forms[i].len, bounce);
	if (!data)
		return false;
	same = corpus_page_matches(corpus, i, data, scratch);
	zs_obj_read_end(pool, handle);
	return same;
}

static enum outcome verify_pages(struct zs_pool *pool, const struct corpus *corpus,
				 const unsigned long *handles, unsigned char *scratch,
				 size_t *verified)
{
	size_t n = 0;

	for (size_t i = 0; i < corpus->pages; i++) {
		bool same;

		if (!keep_going(corpus, i, 0.5))
			return INTERRUPTED;
		if (corpus->forms[i].data)
			same = object_matches(pool, corpus, i, handles[n++], scratch);
		else
			same = corpus_page_matches(corpus, i, NULL, scratch);
		if (!same)
			return fail("page %zu read back is not what was stored", i);
		++*verified;
	}
	return OK;
}

enum outcome fill_verify(struct zs_pool *pool, const struct corpus *corpus,
			 const unsigned long *handles, size_t *verified)
{
	/* A page to decompress into, and one for objects that lie in two pages. */
	unsigned char *scratch = malloc(2 * corpus->page_size);
	enum outcome err;

	*verified = 0;
	if (!scratch)
		return fail("not enough memory to verify the pages");
	err = verify_pages(pool, corpus, handles, scratch, verified);
	free(scratch);
	return err;
}
