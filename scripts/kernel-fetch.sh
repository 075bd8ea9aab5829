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
#   build                for make -C DIR/build M=... modules
#
# Entries are keyed by package version and appear by a rename, so one is whole
# or not there. Concurrent calls wait for one another. An entry that is there
# is used without the network.

set -euo pipefail

cache=${XDG_CACHE_HOME:-$HOME/.cache}/lethe/kernels
here=$(dirname "$0")
# shellcheck source=scripts/cache.sh
. "$here/cache.sh"

# dependency PACKAGE PATTERN: the first package in Depends matching an ERE
dependency() {
	{ apt-cache show --no-all-versions "$1" 2>/dev/null || true; } |
		sed -n 's/^Depends: //p' | tr ',|' '\n' | sed -E 's/^ +//; s/[ (].*//' |
		{ grep -E -m 1 "$2" || true; }
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
	local headers=linux-headers-$kver common kbuild deb
	common=$(dependency "$headers" '^linux-headers-.*-common')
	kbuild=$(dependency "$headers" '^linux-kbuild-')
	if [ -z "$common" ] || [ -z "$kbuild" ]; then
		die "there is no package $headers to build modules with"
	fi

	say "downloading $kver $version"
	mkdir "$tmp/debs" "$tmp/entry"
	(cd "$tmp/debs" && download "linux-image-$kver=$version" "$headers=$version" \
		"$common=$version" "$kbuild") || die "the download of $kver $version failed"

	say "unpacking $kver"
	for deb in "$tmp"/debs/*.deb; do
		dpkg -x "$deb" "$tmp/entry"
	done
	rm -r "$tmp/debs" "$tmp/entry/usr/share"
	unabsolute "$tmp/entry" "$common"

	# busybox insmod and QEMU's guest need no decompressor this way
	find "$tmp/entry/lib/modules" -name '*.ko.xz' -print0 |
		xargs -0 -r -n 64 -P "$(nproc)" xz -d
	depmod -b "$tmp/entry" "$kver"
	printf '%s\n' "$kver" >"$tmp/entry/kver"
}

# The packages expect to be below /: make what they say about /usr/src relative.
unabsolute() {
	local dir=$1 common=$2 src=usr/src/linux-headers-$kver link

	# shellcheck disable=SC2016 # for make to expand
	printf 'include $(dir $(realpath $(lastword $(MAKEFILE_LIST))))../%s/Makefile\n' \
		"$common" >"$dir/$src/Makefile"
	# vmlinux is there only to add BTF to modules, which would require pahole
	rm -f "$dir/$src/vmlinux"
	for link in build source; do
		[ -L "$dir/lib/modules/$kver/$link" ] || continue
		ln -sfnT "../../..$(readlink "$dir/lib/modules/$kver/$link")" \
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
if package=$("$here/kernels.sh" get "$1" package); then
	[[ $package != linux-source-* ]] || exec "$here/debug-build.sh" "${1##*-}"
	suite=$("$here/kernels.sh" get "$1" suite)
	[ "$suite" = "$(. /etc/os-release && echo "$VERSION_CODENAME")" ] ||
		die "$1 is of Debian's $suite, which this machine does not run"
else
	package=$1
fi

if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
	if remembered "$1"; then
		exit 0
	fi
	die "kernels come as Debian packages: apt-get and dpkg are needed"
fi

if resolve "$package"; then
	entry=$cache/${kver}_$version
	if [ -f "$entry/kver" ]; then
		remember "$1"
		printf '%s\n' "$entry"
		exit 0
	fi
elif remembered "$1"; then
	exit 0
fi

PATH=$PATH:/usr/sbin:/sbin
need flock:util-linux xz:xz-utils depmod:kmod
cache_lock

if ! resolve "$package"; then
	update_lists "linux-image-$package"
	resolve "$package" || die "there is no Debian kernel named '$1'"
fi
entry=$cache/${kver}_$version
cache_add "$entry" unpack
remember "$1"
printf '%s\n' "$entry"
