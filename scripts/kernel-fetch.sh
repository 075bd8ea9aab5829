#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Fetch a Debian kernel (image, modules, headers) into the cache, without
# installing it, and print the directory it is in.
#
# usage: kernel-fetch.sh NAME
#
# NAME is a name of kernels.txt, or an exact release as uname -r says it
# (6.1.0-56-cloud-amd64), or the tail of another Debian meta package of this machine's
# suite, or a directory that this has printed. The directory printed holds
#   kver                 the release, one line
#   boot/vmlinuz-KVER    the kernel
#   lib/modules/KVER/    its modules, uncompressed, with depmod run
#   build                for kbuild.sh DIR M=... modules
#   userland             for names of kernels.txt: whose compiler builds for it
#   arch                 of a kernel that is not for this machine's architecture: its
#                        own, as Debian says it; it is built for by a cross compiler
#
# Entries are keyed by package version and appear by a rename, so one is whole
# or not there. Concurrent calls wait for one another. An entry that is there
# is used without the network, but that package lists of another suite than this
# machine's are brought up to date once a week.

set -euo pipefail

cache=${XDG_CACHE_HOME:-$HOME/.cache}/lethe/kernels
here=$(dirname "$0")
# shellcheck source=scripts/cache.sh
. "$here/cache.sh"
# shellcheck source=scripts/suite.sh
. "$here/suite.sh"

# dependency PACKAGE PATTERN: the first package in Depends matching an ERE
dependency() {
	dependencies "$1" | { grep -E -m 1 "$2" || true; }
}

# All of them, one a line
dependencies() {
	{ apt-cache show --no-all-versions "$1" 2>/dev/null || true; } |
		sed -n 's/^Depends: //p' | tr ',|' '\n' | sed -E 's/^ +//; s/[ (].*//'
}

# Sets kver and version. A meta package depends on the image it stands for, of
# its own version: "linux-image-6.1.0-56-amd64 (= 6.1.192-2)".
resolve() {
	local record image
	record=$(apt-cache show --no-all-versions "linux-image-$1" 2>/dev/null) || return 1
	# apt-cache takes a name that it does not know for a pattern
	[[ $record == "Package: linux-image-$1"$'\n'* ]] || return 1
	image=$(sed -nE 's/^Depends:.*\<linux-image-([0-9][^ ,]*) \(= ([^)]+)\).*/\1 \2/p' \
		<<<"$record")
	if [ -n "$image" ]; then
		kver=${image% *}
		version=${image#* }
	else
		kver=$1
		version=$(sed -n 's/^Version: //p' <<<"$record")
	fi
	[ -n "$version" ]
}

# What a flavour or release meant last time, for a machine without package lists
remembered() {
	local name=$1 entry
	entry=$(readlink "$cache/by-name/$name") || return 1
	entry=$cache/${entry#../}
	[ -f "$entry/kver" ] || return 1
	printf '%s\n' "$entry"
}

remember() {
	local name
	mkdir -p "$cache/by-name"
	for name in "$1" "$kver"; do
		[ "$(readlink "$cache/by-name/$name" || true)" = "../${entry##*/}" ] ||
			ln -sfnT "../${entry##*/}" "$cache/by-name/$name"
	done
}

unpack() {
	local headers=linux-headers-$kver common kbuild parts deb
	common=$(dependency "$headers" '^linux-headers-.*-common')
	kbuild=$(dependency "$headers" '^linux-kbuild-')
	if [ -z "$common" ] || [ -z "$kbuild" ]; then
		die "there is no package $headers to build modules with"
	fi
	# An image may be divided
	mapfile -t parts < <(dependencies "linux-image-$kver" |
		grep -xF -e "linux-base-$kver" -e "linux-binary-$kver" -e "linux-modules-$kver")

	# It is for this machine to run.
	[ "$arch" = "$(machine_arch)" ] || kbuild=$kbuild:$(machine_arch)

	say "downloading $kver $version"
	mkdir "$tmp/debs" "$tmp/entry"
	(cd "$tmp/debs" && download "linux-image-$kver=$version" "${parts[@]/%/=$version}" \
		"$headers=$version" "$common=$version" "$kbuild") ||
		die "the download of $kver $version failed"

	say "unpacking $kver"
	for deb in "$tmp"/debs/*.deb; do
		dpkg -x "$deb" "$tmp/entry"
	done
	rm -r "$tmp/debs" "$tmp/entry/usr/share"
	unmerge "$tmp/entry"
	unabsolute "$tmp/entry"

	# busybox insmod and QEMU's guest need no decompressor this way
	decompress_modules '*.ko.xz' xz -d
	decompress_modules '*.ko.zst' zstd -q -d --rm
	depmod -b "$tmp/entry" "$kver"
	[ -z "$userland" ] || printf '%s\n' "$userland" >"$tmp/entry/userland"
	[ "$arch" = "$(machine_arch)" ] || printf '%s\n' "$arch" >"$tmp/entry/arch"
	printf '%s\n' "$kver" >"$tmp/entry/kver"
}

# decompress_modules PATTERN COMMAND...
decompress_modules() {
	local pattern=$1
	shift
	[ -n "$(find "$tmp/entry/lib/modules" -name "$pattern" -print -quit)" ] || return 0
	need "$1:${1/%xz/xz-utils}"
	find "$tmp/entry/lib/modules" -name "$pattern" -print0 |
		xargs -0 -n 64 -P "$(nproc)" "$@"
}

# Since Debian 13 modules are below /usr, and since 7.0 the kernel is among them.
unmerge() {
	local dir=$1 file
	if [ -d "$dir/usr/lib/modules" ]; then
		mkdir -p "$dir/lib" "$dir/boot"
		mv "$dir/usr/lib/modules" "$dir/lib/"
	fi
	for file in vmlinuz System.map config; do
		[ ! -f "$dir/lib/modules/$kver/$file" ] ||
			mv "$dir/lib/modules/$kver/$file" "$dir/boot/$file-$kver"
	done
}

# The packages expect to be below /: make what they say about /usr/src relative.
unabsolute() {
	local dir=$1 src=usr/src/linux-headers-$kver link

	# shellcheck disable=SC2016 # for make to expand
	sed -i -e 's|/usr/src/|$(dir $(realpath $(lastword $(MAKEFILE_LIST))))../|' \
		-e 's|^KBUILD_OUTPUT *=|KBUILD_OUTPUT :=|' "$dir/$src/Makefile"
	# vmlinux is there only to add BTF to modules, which would require pahole
	rm -f "$dir/$src/vmlinux"
	for link in build source; do
		[ -L "$dir/lib/modules/$kver/$link" ] || continue
		ln -sfnT "../../../usr/src/$(basename "$(readlink "$dir/lib/modules/$kver/$link")")" \
			"$dir/lib/modules/$kver/$link"
	done
	ln -s "$src" "$dir/build"
}

case $# in
1) ;;
*) die "usage: kernel-fetch.sh NAME (such as 6.12-cloud-amd64)" ;;
esac
case $1 in
/*)
	[ -f "$1/kver" ] || die "'$1' is no directory that kernel-fetch.sh has printed"
	printf '%s\n' "$1"
	exit 0
	;;
'' | *[!A-Za-z0-9.+_-]* | -*) die "'$1' cannot be the name of a kernel" ;;
esac
suite='' userland='' arch=$(machine_arch)
if package=$("$here/kernels.sh" get "$1" package); then
	[[ $package != linux-source-* ]] || exec "$here/debug-build.sh" "${1##*-}"
	suite=$("$here/kernels.sh" get "$1" suite)
	userland=$("$here/kernels.sh" get "$1" userland)
	arch=$("$here/kernels.sh" get "$1" arch)
else
	package=$1
fi

if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
	if remembered "$1"; then
		exit 0
	fi
	die "kernels come as Debian packages: apt-get and dpkg are needed"
fi

# Prints the entry, if it is there
cached() {
	entry=$cache/${kver}_$version
	[ -f "$entry/kver" ] || return 1
	remember "$1"
	printf '%s\n' "$entry"
}

[ -z "$suite" ] || suite_open "$suite" "$arch"
if [ -z "$suite_root" ] || suite_is_known; then
	if resolve "$package"; then
		if cached "$1"; then
			exit 0
		fi
	elif remembered "$1"; then
		exit 0
	fi
fi

PATH=$PATH:/usr/sbin:/sbin
need flock:util-linux depmod:kmod
cache_lock

# The mirror may have newer ones by now, and those that were known no longer.
if [ -n "$suite_root" ] && ! suite_update; then
	say "the package lists of $suite could not be had"
	if remembered "$1"; then
		exit 0
	fi
	die "the package lists of $suite are needed for '$1'"
fi
if ! resolve "$package"; then
	[ -n "$suite_root" ] || update_lists "linux-image-$package"
	resolve "$package" || die "there is no Debian kernel named '$1'"
fi
if cached "$1"; then
	exit 0
fi
cache_add "$entry" unpack
remember "$1"
printf '%s\n' "$entry"
