// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * The kernel moves our pages elsewhere: for huge pages (compaction), for CMA, before
 * memory goes offline. It isolates a page, which takes a reference, and calls
 * movable_migrate() with the page's lock held; or puts the page back.
 *
 * page->private is the page's owner, a zspage's descriptor, and 0 if it has none;
 * page->index is the pool.
 *
 * Lock order: the lock of both pages, owner_lock, one class lock of the core.
 *
 * A found owner is there.  An owner is freed after its pages have been disowned. A page
 * that no task has a reference to, but its owner, is in no move: it is disowned while its
 * count is frozen at 0, so that no task can get one. Any other is disowned under
 * owner_lock, which a move holds from its look at the owner to its end. The same is true
 * of the page that is moved to: it has two references, and its owner, before
 * core_move_page() makes it known.
 *
 * No call comes after the module is gone: the kernel finds the calls by page->mapping,
 * under the page's lock. If a task has that lock, a worker waits for it, and then clears
 * the mapping and frees the page. Where the kernel finds the calls by the page's type, it
 * may call for a page that it has isolated, even after we gave the page back: the module
 * stays.
 */
#include <linux/migrate.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/spinlock.h>
#include <linux/vmstat.h>
#include <linux/workqueue.h>

#include "movable.h"
#include "port.h"

#ifdef COMPAT_PAGES_MOVE

static DEFINE_SPINLOCK(owner_lock);

static void page_set_owner(struct page *page, struct zs_pool *pool, void *owner)
{
	page_folio(page)->index = (unsigned long)pool;
	WRITE_ONCE(page->private, (unsigned long)owner);
}

static bool movable_isolate(struct page *page, isolate_mode_t mode)
{
	return READ_ONCE(page->private);
}

static void movable_putback(struct page *page)
{
}

/* Move it if it has an owner. 0, or -EAGAIN; *@moved: @to has its owner now. */
static int move_under_lock(struct page *to, struct page *from, bool *moved)
{
	void *owner = (void *)page_private(from);
	struct zs_pool *pool = (struct zs_pool *)page_folio(from)->index;
	unsigned long was = page_private(to);

	if (!owner)
		return 0;
	get_page(to);
	page_set_owner(to, pool, owner);
	if (!core_move_page(pool, owner, page_address(from), page_address(to))) {
		WRITE_ONCE(to->private, was);
		put_page(to);
		return -EAGAIN;
	}
	WRITE_ONCE(from->private, 0);
	*moved = true;
	return 0;
}

static int movable_migrate(struct page *to, struct page *from, enum migrate_mode mode);

static const struct movable_operations movable_ops = {
	.isolate_page = movable_isolate,
	.migrate_page = movable_migrate,
	.putback_page = movable_putback,
};

/* 0: @from is the kernel's, as it has been moved, or had been given back. */
static int movable_migrate(struct page *to, struct page *from, enum migrate_mode mode)
{
	bool moved = false;
	int err;

	spin_lock(&owner_lock);
	err = move_under_lock(to, from, &moved);
	spin_unlock(&owner_lock);
	if (!moved)
		return err;
	compat_page_set_movable(to, &movable_ops);
	compat_page_clear_movable(from);
#if IS_ENABLED(CONFIG_ZSMALLOC)
	if (page_zone(to) != page_zone(from)) {
		mod_zone_page_state(page_zone(from), NR_ZSPAGES, -1);
		mod_zone_page_state(page_zone(to), NR_ZSPAGES, 1);
	}
#endif
	put_page(from);
	return 0;
}

void port_pages_own(void **pages, unsigned int n, struct zs_pool *pool, void *owner)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct page *page = virt_to_page(pages[i]);

		page_set_owner(page, pool, owner);
		/* No task locks a new page, but one that looks into broken memory. */
		if (likely(trylock_page(page))) {
			compat_page_set_movable(page, &movable_ops);
			unlock_page(page);
		}
	}
}

#ifdef COMPAT_PAGES_MOVE_BY_MAPPING

/* Pages whose lock was held when they were given back, linked by their index. */
static struct page *late_pages; /* under owner_lock */

static void free_late_pages(struct work_struct *unused)
{
	struct page *page, *next;

	spin_lock(&owner_lock);
	page = late_pages;
	late_pages = NULL;
	spin_unlock(&owner_lock);
	for (; page; page = next) {
		next = (struct page *)page_folio(page)->index;
		lock_page(page);
		compat_page_clear_movable(page);
		unlock_page(page);
		__free_page(page);
	}
}

static DECLARE_WORK(late_work, free_late_pages);

static PORT_NOINLINE bool disown_isolated(struct page *page)
{
	bool locked = trylock_page(page);

	spin_lock(&owner_lock);
	WRITE_ONCE(page->private, 0);
	if (!locked) {
		page_folio(page)->index = (unsigned long)late_pages;
		late_pages = page;
	}
	spin_unlock(&owner_lock);
	if (locked) {
		compat_page_clear_movable(page);
		unlock_page(page);
	} else {
		schedule_work(&late_work);
	}
	return locked;
}

int movable_init(void)
{
	return 0;
}

void movable_exit(void)
{
	flush_work(&late_work);
}

#else

static PORT_NOINLINE bool disown_isolated(struct page *page)
{
	spin_lock(&owner_lock);
	WRITE_ONCE(page->private, 0);
	spin_unlock(&owner_lock);
	return true;
}

int movable_init(void)
{
	int err = compat_movable_register(&movable_ops);

	if (!err)
		__module_get(THIS_MODULE);
	return err;
}

/* For when the module could not be loaded after all. */
void movable_exit(void)
{
	compat_movable_unregister();
	module_put(THIS_MODULE);
}

#endif

bool movable_disown(struct page *page)
{
	if (unlikely(!page_ref_freeze(page, 1)))
		return disown_isolated(page);
	WRITE_ONCE(page->private, 0);
	compat_page_forget_movable(page);
	page_ref_unfreeze(page, 1);
	return true;
}

#else

void port_pages_own(void **pages, unsigned int n, struct zs_pool *pool, void *owner)
{
}

#endif
