#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# What "make kernel-patch" makes of a source, and what it refuses, with one sentence. The
# source is one of our own words, with the structure of a kernel's; and those of Debian's
# that are in the cache. Takes seconds. The last line is
# "kernel-patch: N passed, N failed".
#
# usage: patch.sh

set -uo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/checks.sh
. "$root/tests/checks.sh"

patch() {
	GIT_CONFIG_GLOBAL=/dev/null "$root/scripts/kernel-patch.sh" "$@"
}

# says SENTENCE ARGUMENT...: it fails with this one line
says() {
	local sentence=$1 said
	shift
	said=$(patch "$@" 2>&1) && return 1
	printf '%s\n' "$said"
	[ "$(wc -l <<<"$said")" = 1 ] && grep -q -F -- "$sentence" <<<"$said"
}

# source_with: a kernel's structure, as far as it matters here
source_with() {
	rm -rf linux
	mkdir -p linux/{mm,include/linux,drivers/block/zram}
	printf 'VERSION = 7\nPATCHLEVEL = 9\nSUBLEVEL = 1\nEXTRAVERSION = -test\n' >linux/Makefile
	printf 'config ZSMALLOC\n\ttristate\n\thelp\n\t  Of it.\n\nconfig OTHER\n\tbool\n' >linux/mm/Kconfig
	printf 'obj-y += one.o\nobj-$(CONFIG_ZSMALLOC)\t+= zsmalloc.o\n' >linux/mm/Makefile
	: >linux/mm/zsmalloc.c
	{
		echo '#ifndef H'
		sed -n '/^EXPORT/d; /^[a-z].*zs_.*(.*)$/{s/$/;/p}; /^[a-z].*zs_.*,$/{N;s/$/;/p}' \
			"$root"/kernel/tree/{pool,api/malloc_node,api/read}.c |
			grep -v -e zs_map_ -e zs_free_deferred -e zs_malloc_gfp -e '^		' |
			sed 's/,$/, size_t, void *x);/'
		echo 'unsigned long zs_malloc(struct zs_pool *pool, size_t size, gfp_t flags, const int nid);'
		echo '#endif'
	} | grep -v 'void zs_obj\|void \*zs_obj\|zs_malloc.*void' >linux/include/linux/zsmalloc.h
	cat >>linux/include/linux/zsmalloc.h <<-'END'
		void *zs_obj_read_begin(struct zs_pool *p, unsigned long h,
				size_t n, void *c);
		void zs_obj_read_end(struct zs_pool *p, unsigned long h, size_t n, void *m);
		void zs_obj_write(struct zs_pool *p, unsigned long h, void *m, size_t n);
		#endif
	END
	sed -i '0,/^#endif$/{/^#endif$/d}' linux/include/linux/zsmalloc.h
	cat >linux/drivers/block/zram/zram_drv.c <<-'END'
		static void forget(struct zram *zram, u32 slot)
		{
			unsigned long handle = take(zram, slot);

			if (handle)
				zs_free(zram->pool, handle);
		}

		static int overwrite(struct zram *zram, u32 slot)
		{
			unsigned long held = zs_get_total_pages(zram->pool);

			show(held);
			held = zs_get_total_pages(zram->pool);
			if (zram->limit_pages && held > zram->limit_pages) {
				return -1;
			}
			forget(zram, slot);
			return 0;
		}

		static void told(struct block_device *bdev, unsigned long slot)
		{
			struct zram *zram = bdev->private;

			if (!lock(zram, slot))
				return;
			forget(zram, slot);
			unlock(zram, slot);
		}

		static const struct block_device_operations operations = {
			.swap_slot_free_notify = told,
		};
	END
	cat >linux/mm/zswap.c <<-'END'
		static void entry_end(struct entry *entry)
		{
			zs_free(entry->pool, entry->handle);
			put(entry);
		}

		int zswap_load(struct folio *folio)
		{
			entry_end(find(folio));
			return 0;
		}

		void zswap_invalidate(swp_entry_t swp)
		{
			struct entry *entry = erase(swp);

			if (entry)
				entry_end(entry);
		}
	END
}

# count FILE PATTERN N: lines that have it
count() {
	grep -c -- "$2" "$1"
	[ "$(grep -c -- "$2" "$1")" = "$3" ]
}

# ---- what is no source that it knows ----

mkdir empty
check "an empty directory" says "'empty' holds no kernel source" empty
check "no directory" says "'nowhere' is no directory, and no package" nowhere
check "nothing" says "whose source?" ''
source_with
rm linux/mm/zsmalloc.c
check "a kernel without zsmalloc" says "has no mm/zsmalloc.c" linux
source_with
mkdir linux/mm/lethe
check "a kernel that has it" says "has Lethe already" linux
source_with
sed -i 's/^#endif/int zs_new_thing(struct zs_pool *pool);\n#endif/' linux/include/linux/zsmalloc.h
check "an interface that has more" says "has no answer to: int zs_new_thing(struct zs_pool *)" linux
source_with
sed -i 's/void zs_free(struct zs_pool \*pool, unsigned long handle)/void zs_free(struct zs_pool *pool, u32 handle)/' \
	linux/include/linux/zsmalloc.h
check "a call with other arguments" says "has no answer to: void zs_free(struct zs_pool *, u32)" linux
source_with
rm linux/include/linux/zsmalloc.h
check "no interface at all" says "there is no include/linux/zsmalloc.h" linux
source_with
printf 'struct zpool_driver {\n\tu64 (*total_size)(void *pool);\n};\n' >linux/include/linux/zpool.h
check "a zpool of other operations" says "has drivers without map()" linux
source_with
check "patches into the source itself" says "not to be in the source that they are for" linux linux
check "or into a part of it" says "not to be in the source that they are for" linux linux/mm/patches
check "the source is there" test -f linux/mm/zsmalloc.c
mkdir kept && : >kept/file
check "a directory with other files" eval 'patch linux kept >/dev/null && test -f kept/file'
source_with
sed -i '/zsmalloc\.o/d' linux/mm/Makefile
check "a Makefile that does not build it" says "mm/Makefile has a line that builds zsmalloc.o 0 times" linux
source_with
sed -i '/swap_slot_free_notify/d' linux/drivers/block/zram/zram_drv.c
check "a zram that is not told" says "has not one file that the swap core notifies" linux
source_with
sed -i 's/held > zram/0 \&\& held > zram/' linux/drivers/block/zram/zram_drv.c
check "a zram whose limit is elsewhere" says "does not compare the pages of its pool with a limit" linux
source_with
sed -i 's/^forget(zram, slot);/zs_free(zram->pool, slot);/' linux/drivers/block/zram/zram_drv.c
check "a zram that frees itself when told" says "does not have one function that frees a slot of a task" linux
source_with
printf 'void odd(struct entry *e)\n{\n\tin case of (e) @ {\n\t\tentry_end(e);\n\t}\n}\n' >>linux/mm/zswap.c
check "a free that the rules do not reach" says "uses of entry_end()" linux

# ---- what it makes ----

# series SOURCE: "git am" takes it; what it touches is all that git knows
series() {
	local file
	rm -rf series repo
	patch "$1" series >/dev/null || return 1
	git init -q repo || return 1
	sed -n 's,^--- a/,,p' series/*.patch | sort -u | while read -r file; do
		install -D "$1/$file" "repo/$file"
	done
	(
		cd repo &&
			git config user.name Test && git config user.email test@example.org &&
			git add -A && git commit -q -m base && git am -q ../series/*.patch
	)
}

source_with
check "a series that git takes" series linux
check "of five" test "$(find series -name '*.patch' | wc -l)" = 5
check "with a cover letter" grep -q '^Subject: .*0/5.* mm: ' series/0000-cover-letter.txt
check "signed off by a name to be filled in" \
	test "$(grep -h -c '^Signed-off-by: Your Name <you@example.org>' series/*.patch | tr -d '\n')" = 11111
zram=repo/drivers/block/zram/zram_drv.c
check "zram defers" count $zram 'zs_free_deferred(zram->pool, handle)' 1
check "when it is told" count $zram 'forget(zram, slot, true)' 1
check "and not otherwise" count $zram 'forget(zram, slot, false)' 1
check "and makes room before its limit" \
	count $zram 'held = zs_total_pages_within(zram->pool, zram->limit_pages);' 1
check "zswap defers" count repo/mm/zswap.c 'zs_free_deferred(entry->pool, entry->handle)' 1
check "what is invalid" count repo/mm/zswap.c 'entry_end(entry, true)' 1
check "and not what is loaded" count repo/mm/zswap.c 'entry_end(find(folio), false)' 1
check "the option is asked for after zsmalloc" \
	test "$(sed -n 6p repo/mm/Kconfig)" = 'source "mm/lethe/Kconfig"'
check "and is off" grep -q 'default n' repo/mm/lethe/Kconfig
check "no kernel's version is asked for" eval '! grep -rq LINUX_VERSION_CODE repo/mm/lethe'
check "the source is as it was" test ! -e linux/mm/lethe
check "the cover letter has figures" grep -q 'takes [0-9]* ns a page at native speed' series/0000-cover-letter.txt
source_with
sed -i 's/^size_t n, void \*c);/void *c);/; s/unsigned long h, size_t n, void \*m/unsigned long h, void *m/' \
	linux/include/linux/zsmalloc.h
check "an interface whose readers do not say how much they read" series linux
check "is answered by what reads whole objects" \
	test -f repo/mm/lethe/read_copy.c -a ! -e repo/mm/lethe/read.c -a -f repo/mm/lethe/write.c

for one in 6.12 7.3; do
	if source=$("$root/scripts/kernel-source.sh" -n linux-source-$one); then
		check "Debian's $one takes it" series "$source"
	fi
done

echo "kernel-patch: $passed passed, $failed failed"
[ "$failed" = 0 ]
