// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Pages: order 0, allocated and freed in bulk, known by their address in the
 * kernel's direct map. Where the kernel lets us, they are movable: movable.c.
 *
 * No lock of ours is taken here.
 */
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/vmstat.h>

#include "compat.h"
#include "movable.h"
#include "port.h"

static gfp_t page_gfp(enum port_alloc how)
{
	/*
	 * TRY fails early, and the core drains its pending frees. It takes none of the
	 * reserves that a task which reclaims memory could have; RESERVES does. WAIT may
	 * then wait until the OOM killer, woken by another task, has found memory; in
	 * reclaim itself (swapping out) it takes the reserves, and fails without. No
	 * warning: the caller says what failed.
	 */
	switch (how) {
	case PORT_ALLOC_TRY:
		return __GFP_KSWAPD_RECLAIM | __GFP_NOWARN | __GFP_NOMEMALLOC;
	case PORT_ALLOC_RESERVES:
		return __GFP_KSWAPD_RECLAIM | __GFP_NOWARN;
	default:
		return GFP_NOIO | __GFP_NOWARN;
	}
}

/*
 * Keep "zspages" in /proc/zoneinfo and vmstat's nr_zspages true. A run of
 * pages of one zone, which is nearly always all of them, costs one update.
 */
static void count_zspages(struct page *const *page, size_t n, int sign)
{
#if IS_ENABLED(CONFIG_ZSMALLOC)
	size_t i, run;

	for (i = 0; i < n; i += run) {
		struct zone *zone = page_zone(page[i]);

		for (run = 1; i + run < n && page_zone(page[i + run]) == zone; run++)
			;
		mod_zone_page_state(zone, NR_ZSPAGES, sign * (long)run);
	}
#endif
}

int port_pages_alloc(void **pages, unsigned int n, enum port_alloc how, int node)
{
	struct page **page = (struct page **)pages;
	unsigned long got = 0, before;
	unsigned int i;

	/*
	 * The bulk allocator fills in what is NULL, and may stop early: at the end of
	 * a node's free pages, for one. The next call takes a page of another.
	 */
	memset(pages, 0, n * sizeof(*pages));
	do {
		before = got;
		got = compat_alloc_pages_bulk_node(page_gfp(how) | MOVABLE_GFP, node, n,
						   page);
	} while (got < n && got > before);

	if (got < n) {
		while (got)
			__free_page(page[--got]);
		return -PORT_ENOMEM;
	}
	count_zspages(page, n, 1);
	for (i = 0; i < n; i++)
		pages[i] = page_address(page[i]);
	return 0;
}

void port_pages_free(void **pages, size_t n)
{
	struct page **page = (struct page **)pages;
	size_t i;

	for (i = 0; i < n; i++)
		page[i] = virt_to_page(pages[i]);
	count_zspages(page, n, -1);
	/*
	 * One by one: release_pages() takes the per-CPU free list's lock once a
	 * batch, but is made for pages of files. It takes more instructions a page
	 * (6.12, QEMU -icount). In time it is better for one process and worse for
	 * four (QEMU): docs/performance-why.md, by bench/storm.sh, variant "bulk".
	 */
#ifdef PORT_PAGES_FREE_IN_BULK
	for (i = 0; i < n; i++) {
		if (!movable_disown(page[i]))
			page[i--] = page[--n];
	}
	release_pages(page, (int)n);
#else
	for (i = 0; i < n; i++) {
		if (likely(movable_disown(page[i])))
			__free_page(page[i]);
	}
#endif
}
