#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Build the User-Mode Linux kernel of bench/native.sh into the cache, from
# Debian's linux-source-6.12, and print the directory it is in.
#
# usage: uml-build.sh
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
# 6 minutes of two CPUs and 2 GiB of disk, most of which is given back.

set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
package=linux-source-6.12
recipe=1 # to be raised by a change here after which what is cached will not do
cache=${XDG_CACHE_HOME:-$HOME/.cache}/lethe/uml
# shellcheck source=scripts/cache.sh
. "$root/scripts/cache.sh"

# Of the newest package that apt knows
resolve() {
	version=$({ apt-cache show --no-all-versions "$package" 2>/dev/null || true; } |
		sed -n 's/^Version: //p')
	[ -n "$version" ]
}

# The newest entry of this key, whatever its version, for a machine without package lists
remembered() {
	local kver
	kver=$(find "$cache" -path "*_$key/kver" -printf '%T@ %p\n' 2>/dev/null |
		sort -rn | sed -n '1s/[^ ]* //p')
	[ -n "$kver" ] && printf '%s\n' "${kver%/kver}"
}

# kmake LOG ARGUMENT...: what a calling make was told is not meant for the kernel's
kmake() {
	local log=$1
	shift
	if ! MAKEFLAGS='' KBUILD_BUILD_USER=lethe KBUILD_BUILD_HOST=lethe \
		nice make -C "$src" ARCH=um "$@" >"$log" 2>&1; then
		tail -n 20 "$log" >&2
		die "make $* failed"
	fi
}

unpack() {
	say "downloading $package $version"
	mkdir "$tmp/deb"
	(cd "$tmp/deb" && download "$package=$version") ||
		die "the download of $package $version failed"
	say "unpacking"
	dpkg -x "$tmp"/deb/*.deb "$tmp/deb"
	mkdir "$tmp/entry" "$src"
	tar -x -f "$tmp/deb/usr/src/$package.tar.xz" -C "$src" --strip-components=1
	rm -r "$tmp/deb"
}

# An option that was asked for and is not in force would change what is measured.
configure() {
	local line
	kmake "$tmp/log" KCONFIG_ALLCONFIG="$root/bench/uml/config" allnoconfig
	while read -r line; do
		case $line in
		CONFIG_*) grep -qxF -- "$line" "$src/.config" || die "cannot have $line" ;;
		esac
	done <"$root/bench/uml/config"
}

build() {
	cp "$root/bench/uml/sched_clock.c" "$src/arch/um/kernel/"
	echo 'obj-y += sched_clock.o' >>"$src/arch/um/kernel/Makefile"
	configure
	say "building; some minutes"
	kmake "$tmp/log" -j"$(nproc)" linux modules
	kmake "$tmp/log" INSTALL_MOD_PATH="$tmp/entry" modules_install
	kver=$(cat "$src/include/config/kernel.release")
	mv "$src/linux" "$tmp/entry/"
	rm -f "$tmp/entry/lib/modules/$kver"/{build,source}
}

# Of source and objects, keep what modules are built from, at any place.
prune() {
	find "$src" -mindepth 1 -maxdepth 1 ! -name Makefile ! -name .config \
		! -name Module.symvers ! -name scripts ! -name include ! -name arch \
		-exec rm -r {} +
	find "$src/arch" -mindepth 1 -maxdepth 1 ! -name um ! -name x86 -exec rm -r {} +
	find "$src/arch" \( -name '*.[coSa]' -o -name '*.cmd' \) -delete
}

make_entry() {
	src=$tmp/entry/build
	unpack
	build
	prune
	echo um >"$tmp/entry/arch"
	printf '%s\n' "$kver" >"$tmp/entry/kver"
}

[ $# = 0 ] || die "usage: uml-build.sh"
compiler=$(gcc -dumpfullversion) || die "gcc is missing"
key=$({
	printf '%s %s\n' "$recipe" "$compiler"
	cat "$root/bench/uml/config" "$root/bench/uml/sched_clock.c"
} | sha256sum | cut -c 1-12)

if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
	if remembered; then
		exit 0
	fi
	die "the source comes as a Debian package: apt-get and dpkg are needed"
fi
if resolve; then
	entry=$cache/${version}_$key
	if [ -f "$entry/kver" ]; then
		printf '%s\n' "$entry"
		exit 0
	fi
elif remembered; then
	exit 0
fi

PATH=$PATH:/usr/sbin:/sbin
need flock:util-linux xz:xz-utils make:make flex:flex bison:bison bc:bc depmod:kmod
cache_lock

if ! resolve; then
	update_lists "$package"
	resolve || die "there is no package $package"
fi
entry=$cache/${version}_$key
cache_add "$entry" make_entry
printf '%s\n' "$entry"
