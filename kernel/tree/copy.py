#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
"""Copy the allocator into a kernel's source, written as if there were no other kernel.

usage: copy.py ROOT KERNEL_SOURCE DESTINATION core|home

ROOT is this tree. "core" copies core/ and port/; "home" what publishes pools, and the
adapter of kernel/tree, of which it takes the files that define what the kernel's
<linux/zsmalloc.h> declares, and writes Makefile and Kconfig. What is decided:
  - conditions on the kernel's version, on zsmalloc, and on C++ and userspace;
  - the names of the public interface: zs_malloc() of ours becomes lethe_malloc(), so that
    the kernel's own name is free for the adapter.
Exit status 1, with a sentence: this kernel has not the shape that the adapter knows.
"""
import glob
import os
import re
import sys


def refuse(sentence):
    sys.exit(f"kernel-patch: {sentence}")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def kernel_version(source):
    said = dict(re.findall(r"^(VERSION|PATCHLEVEL|SUBLEVEL) = (\d+)$",
                           read(f"{source}/Makefile"), re.M))
    return tuple(int(said[key]) for key in ("VERSION", "PATCHLEVEL", "SUBLEVEL"))


class Conditions:
    """Preprocessor conditions whose answer is known, resolved; others are left."""

    def __init__(self, version, defined, undefined):
        self.version = version
        self.defined = defined
        self.undefined = undefined

    def answer(self, line):
        """True, False, or None: not known."""
        match = re.match(r"#if(n?)def (\w+)", line)
        if match:
            name = match[2]
            if name in self.defined or name in self.undefined:
                return (name in self.defined) != (match[1] == "n")
            return None
        if line == "#if IS_ENABLED(CONFIG_ZSMALLOC)":
            return True
        match = re.match(r"#if LINUX_VERSION_CODE (<|>=) KERNEL_VERSION\((\d+), (\d+), (\d+)\)",
                         line)
        if not match:
            return None
        asked = tuple(int(n) for n in match.groups()[1:])
        return (self.version >= asked) == (match[1] == ">=")

    def resolve(self, text):
        out, stack = [], []  # of (answer, this branch is kept)
        for line in text.splitlines():
            word = line.split()[0] if line.startswith("#") else ""
            if word in ("#if", "#ifdef", "#ifndef"):
                answer = self.answer(line)
                stack.append([answer, answer is not False])
                if answer is None and all(kept for _, kept in stack):
                    out.append(line)
                continue
            if word in ("#else", "#elif", "#endif"):
                answer = stack[-1][0]
                assert word != "#elif" or answer is None, line
                if word == "#else" and answer is not None:
                    stack[-1][1] = not stack[-1][1]
                if answer is None and all(kept for _, kept in stack):
                    out.append(line)
                if word == "#endif":
                    stack.pop()
                continue
            if all(kept for _, kept in stack):
                out.append(line)
        return re.sub(r"\n\n\n+", "\n\n", "\n".join(out) + "\n")


def renamed(text):
    """Of the public interface, in the kernel's tree."""
    text = re.sub(r"\bzs_", "lethe_", text)
    text = re.sub(r"\bZS_", "LETHE_", text)
    text = re.sub(r'[<"]lethe/zsmalloc\.h[>"]', '"lethe.h"', text)
    return text.replace('#include "symbol_prefix.h"\n', "")


def spdx_line(path, text):
    """As the kernel wants it: a // comment in a .c file."""
    if path.endswith(".c"):
        return re.sub(r"\A/\* (SPDX[^*]*) \*/", r"// \1", text)
    return text


def header(text):
    """The public header, without what is said to programs in userspace and to Doxygen."""
    text = renamed(text)
    text = re.sub(r"^/\*\*\n \* @file .*\n", "/*\n", text, flags=re.M)
    return re.sub(r"^ \* .*\(userspace\)\n( \*   .*\n)+ \*\n", "", text, flags=re.M)


COMPAT_HEAD = """/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Names for what differs between kernels outside of this tree. Here each means one thing.
 */
#ifndef LETHE_COMPAT_H
#define LETHE_COMPAT_H

"""


def compat(text):
    """Of compat.h, what the allocator needs: the sections before zpool's."""
    begin = text.index("/* ---- shrinkers")
    end = text.index("/* ---- zpool")
    return COMPAT_HEAD + text[begin:end] + "#endif /* LETHE_COMPAT_H */\n"


class Copier:
    def __init__(self, root, source, destination):
        self.root = root
        self.source = source
        self.destination = destination
        undefined = {"__cplusplus", "PORT_PAGES_FREE_IN_BULK"}
        if not os.path.exists(f"{source}/include/linux/zpool.h"):
            undefined.add("CONFIG_ZPOOL")
        self.conditions = Conditions(
            kernel_version(source), {"__KERNEL__", "PORT_ALWAYS_INLINE", "LETHE_IN_TREE"}, undefined)
        self.objects = []

    def put(self, origin, to, change=lambda text: text):
        text = self.conditions.resolve(change(read(f"{self.root}/{origin}")))
        write(f"{self.destination}/{to}", spdx_line(to, text))

    def put_all(self, pattern, to, change=renamed):
        for path in sorted(glob.glob(f"{self.root}/{pattern}")):
            origin = os.path.relpath(path, self.root)
            self.put(origin, f"{to}{os.path.basename(path)}", change)
            if path.endswith(".c") and not origin.startswith("core/"):
                self.objects.append(f"{to}{os.path.basename(path)[:-2]}.o")

    def core(self):
        self.put_all("core/*.[ch]", "core/")
        self.put("port/port.h", "port/port.h", renamed)
        self.put_all("port/kernel/*.[ch]", "port/")
        self.put("kernel/compat.h", "port/compat.h", compat)
        self.put("include/lethe/zsmalloc.h", "lethe.h", header)

    def home(self):
        for name in ("debugfs", "reclaim", "registry"):
            self.put_all(f"kernel/lethe/{name}.[ch]", "")
        self.put_all("kernel/tree/*.[ch]", "", lambda text: text)
        for path in self.adapter():
            self.put_all(path, "", lambda text: text)
        # Its object is named here, as "core" is not of this part.
        self.objects += ["core/all.o"]
        self.objects += [f"port/{os.path.basename(path)[:-2]}.o"
                         for path in glob.glob(f"{self.root}/port/kernel/*.c")]
        self.makefile()
        self.put("kernel/tree/Kconfig", "Kconfig")

    def adapter(self):
        """The files of kernel/tree/api that this kernel's interface takes."""
        path = f"{self.source}/include/linux/zsmalloc.h"
        if not os.path.exists(path):
            refuse("there is no include/linux/zsmalloc.h")
        header = declarations(read(path))
        common = definitions(read(f"{self.root}/kernel/tree/pool.c"))
        files = {os.path.relpath(path, self.root): definitions(read(path))
                 for path in sorted(glob.glob(f"{self.root}/kernel/tree/api/*.c"))}
        taken = [path for path, has in files.items() if has and has <= header]
        given = common.union(*(files[path] for path in taken))
        for what in sorted(header - given):
            refuse(f"include/linux/zsmalloc.h declares what Lethe has no answer to: {what}")
        for what in sorted(common - header - OWN):
            refuse(f"include/linux/zsmalloc.h does not declare: {what}")
        if os.path.exists(f"{self.source}/include/linux/zpool.h"):
            taken.append("kernel/tree/api/zpool.c")
        return taken

    def makefile(self):
        lines = read(f"{self.root}/kernel/tree/Makefile.in").rstrip("\n")
        for name in sorted(set(self.objects)):
            how = "$(CONFIG_ZPOOL)" if name == "zpool.o" else "y"
            lines += f"\nzsmalloc-{how} += {name}"
        write(f"{self.destination}/Makefile", lines + "\n")


OWN = {"void zs_free_deferred(struct zs_pool *, unsigned long)",
       "void zs_free_deferred_flush(struct zs_pool *)",
       "unsigned long zs_total_pages_within(struct zs_pool *, unsigned long)",
       "unsigned long zs_malloc_gfp(struct zs_pool *, size_t, gfp_t, int)"}


def signature(result, name, parameters):
    """In one form, whatever the parameters are called."""
    kinds = []
    for parameter in parameters.split(","):
        words = re.sub(r"\s+", " ", parameter).strip()
        words = re.sub(r"^const (?!char|void|struct)", "", words)
        kinds.append(re.sub(r"\s*\b\w+$", "", words) if " " in words else words)
    result = re.sub(r"\s+", " ", result).strip()
    return f"{result} {name}({', '.join(kinds)})".replace("* ", "*")


def declarations(text):
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return {signature(*found) for found in
            re.findall(r"^((?:\w+ )+\**)\s*(zs_\w+)\(([^()]*)\);", text, re.M)}


def definitions(text):
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return {signature(*found) for found in
            re.findall(r"^((?:\w+ )+\**)\s*(zs_\w+)\(([^()]*)\)\n\{", text, re.M)
            if not found[1].startswith(("zs_map_init", "zs_map_exit", "zs_zpool"))}


def main():
    if len(sys.argv) != 5 or sys.argv[4] not in ("core", "home"):
        sys.exit(__doc__)
    copier = Copier(*sys.argv[1:4])
    if sys.argv[4] == "core":
        copier.core()
    else:
        copier.home()


main()
