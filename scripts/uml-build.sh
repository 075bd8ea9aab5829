#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Build the User-Mode Linux kernel of bench/native.sh into the cache, from Debian's
# linux-source-SERIES, and print the directory it is in.
#
# usage: uml-build.sh [SERIES]
#   SERIES  6.12 if not given; bench/uml has a SERIES.config for each that there is
#
# The directory printed is laid out as that of kernel-fetch.sh, with two files
# more:
#   kver                 the release, one line
#   arch                 what make wants as ARCH, one line
#   linux                the kernel, a program
#   lib/modules/KVER/    its modules, with depmod run
#   build                for make -C DIR/build ARCH=um M=... modules
#
# Entries are keyed by package version, compiler and bench/uml, and appear by a
# rename, so one is whole or not there. Concurrent calls wait for one another.
# An entry that is there is used without the network. To build one takes some
# 6 minutes of two CPUs. The source stays in the cache, too, and takes 2 GiB there.

set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
series=${1-6.12}
arch=um
recipe=2 # to be raised by a change here after which what is cached will not do
cache=${XDG_CACHE_HOME:-$HOME/.cache}/lethe/uml
# shellcheck source=scripts/cache.sh
. "$root/scripts/cache.sh"

[ $# -le 1 ] || die "usage: uml-build.sh [SERIES]"
config=("$root/bench/uml/config" "$root/bench/uml/$series.config")
[ -f "${config[1]}" ] || die "there is no bench/uml/$series.config"
package=linux-source-$series
compiler=$(gcc -dumpfullversion) || die "gcc is missing"
key=$({
	printf '%s %s\n' "$recipe" "$compiler"
	cat "${config[@]}" "$root/bench/uml/sched_clock.c"
} | sha256sum | cut -c 1-12)
# shellcheck source=scripts/source.sh
. "$root/scripts/source.sh"

make_entry() {
	local kver
	local makefile=arch/um/kernel/Makefile
	src=$tmp/entry/build
	mkdir -p "$tmp/entry"
	# By links: what a build writes is new, but for what is written here.
	cp -al "$source" "$src"
	cp "$root/bench/uml/sched_clock.c" "$src/arch/um/kernel/"
	rm "$src/$makefile"
	{
		cat "$source/$makefile"
		echo 'obj-y += sched_clock.o'
	} >"$src/$makefile"
	source_configure "${config[@]}"
	say "building; some minutes"
	kmake "$tmp/log" -j"$(nproc)" linux modules
	kmake "$tmp/log" INSTALL_MOD_PATH="$tmp/entry" modules_install
	kver=$(cat "$src/include/config/kernel.release")
	mv "$src/linux" "$tmp/entry/"
	rm -f "$tmp/entry/lib/modules/$kver"/{build,source}
	source_prune
	echo um >"$tmp/entry/arch"
	printf '%s\n' "$kver" >"$tmp/entry/kver"
}

source=$("$root/scripts/kernel-source.sh" "$package")
entry=$cache/$(basename "$(dirname "$source")")_$key
if [ ! -f "$entry/kver" ]; then
	PATH=$PATH:/usr/sbin:/sbin
	need flock:util-linux make:make flex:flex bison:bison bc:bc depmod:kmod
	cache_lock
	cache_add "$entry" make_entry
fi
printf '%s\n' "$entry"
