#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
"""Change the kernel's own headers, Kconfig and Makefile, each by its structure.

usage: edit.py KERNEL_SOURCE zsmalloc|zpool

"zsmalloc" has mm/lethe built in place of mm/zsmalloc.c, and declares zs_free_deferred()
and zs_free_deferred_flush(); "zpool" declares zpool_free_deferred().
Exit status 1, with a sentence: a file has not the structure that is known here.
"""
import re
import sys

DEFERRED = """#ifdef CONFIG_ZSMALLOC_LETHE
void zs_free_deferred(struct zs_pool *pool, unsigned long handle);
void zs_free_deferred_flush(struct zs_pool *pool);
unsigned long zs_total_pages_within(struct zs_pool *pool, unsigned long limit);
#else
static inline void zs_free_deferred(struct zs_pool *pool, unsigned long handle)
{
	zs_free(pool, handle);
}

static inline void zs_free_deferred_flush(struct zs_pool *pool)
{
}

static inline unsigned long zs_total_pages_within(struct zs_pool *pool,
						  unsigned long limit)
{
	return zs_get_total_pages(pool);
}
#endif

"""

BUILD = """ifdef CONFIG_ZSMALLOC_LETHE
obj-$(CONFIG_ZSMALLOC)	+= lethe/
else
{line}
endif
"""


def refuse(sentence):
    sys.exit(f"kernel-patch: {sentence}")


def change(source, name, pattern, replace, what):
    """Replace the one match of @pattern, which is @what, in a file."""
    path = f"{source}/{name}"
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError:
        refuse(f"there is no {name}")
    text, times = re.subn(pattern, replace, text, flags=re.M)
    if times != 1:
        refuse(f"{name} has {what} {times} times, not once")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def zsmalloc(source):
    change(source, "include/linux/zsmalloc.h", r"\n+(?=#endif.*\s*\Z)",
           lambda m: "\n\n" + DEFERRED,
           "the end of its include guard")
    # A block of Kconfig goes on as long as lines are indented or empty.
    change(source, "mm/Kconfig", r"^config ZSMALLOC\n(?:[ \t].*\n|\n)+",
           lambda m: m[0] + 'source "mm/lethe/Kconfig"\n\n', "'config ZSMALLOC'")
    change(source, "mm/Makefile", r"^obj-\$\(CONFIG_ZSMALLOC\)\s*\+=\s*zsmalloc\.o\n",
           lambda m: BUILD.format(line=m[0].rstrip("\n")), "a line that builds zsmalloc.o")


def zpool(source):
    header = "include/linux/zpool.h"
    change(source, header, r"^void zpool_free\(struct zpool \*\w+, unsigned long \w+\);\n",
           lambda m: m[0] + "\nvoid zpool_free_deferred(struct zpool *pool, "
                            "unsigned long handle);\n",
           "the declaration of zpool_free()")
    change(source, header, r"^\tvoid \(\*free\)\(void \*\w+, unsigned long \w+\);\n",
           lambda m: m[0] + "\tvoid (*free_deferred)(void *pool, unsigned long handle);\n",
           "a driver's call 'free'")
    change(source, header, r"^ \* @free:.*\n",
           lambda m: m[0] + " * @free_deferred: free it soon; optional.\n",
           "a description of a driver's call 'free'")


def main():
    steps = {"zsmalloc": zsmalloc, "zpool": zpool}
    if len(sys.argv) != 3 or sys.argv[2] not in steps:
        sys.exit(__doc__)
    steps[sys.argv[2]](sys.argv[1])


main()
