/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* Single pages for the home's own use, from the arenas: slab.c. */
#ifndef LETHE_USER_PAGES_H
#define LETHE_USER_PAGES_H

/*
 * One page, content undefined; NULL: no memory. Not made to fail by tests, and not
 * counted by user_pages_outstanding().
 */
void *user_page_alloc(void);
void user_page_free(void *page);

#endif /* LETHE_USER_PAGES_H */
