#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Build lethe.ko and zram.ko for a kernel and print the directory they are in,
# build/modules/KVER (build/modules/KVER/KIND for a KIND).
#
# usage: build-modules.sh KVER [KIND] [ARGUMENT OF MAKE]...
#
# KIND: "debug" checks every call; "debug512" has blocks of 512 bytes as well, so
# that zram's I/O to parts of a page can be tested where pages are 4 KiB;
# and what a benchmark compares the default with: "unbatched" defers, and then
# frees one by one; "bulk" gives pages back by release_pages(); "alone" has no
# second drain.
# KVER is what kernel-fetch.sh takes, or a directory that it or uml-build.sh has
# printed. Headers that are installed for exactly this release are used as they
# are. Kbuild writes objects beside the sources, so it is given a mirror of the
# tree, made of symbolic links, for each kernel. With the argument W=1 warnings are
# errors, and there are more of them; that asks for perl and python3.

set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)

die() {
	printf 'build-modules: %s\n' "$*" >&2
	exit 1
}

# Of this tree, before anything is downloaded or made, and of the kernel's headers
kbuild_can() {
	case $1 in
	*[[:space:]:]*) die "Kbuild cannot build at, or for a kernel at, a path with a space or colon in it: $1" ;;
	esac
}

# Sets kver and dir, which is laid out as kernel-fetch.sh says.
find_kernel() {
	case $1 in
	/*)
		[ -f "$1/kver" ] || die "'$1' is no directory that kernel-fetch.sh or uml-build.sh made"
		dir=$1
		;;
	'' | *[!A-Za-z0-9.+_-]* | -*) die "'$1' cannot be the name of a kernel" ;;
	*)
		if [ -e "/lib/modules/$1/build/Makefile" ]; then
			kver=$1
			dir=/lib/modules/$1
			return
		fi
		dir=$("$root/scripts/kernel-fetch.sh" "$1")
		;;
	esac
	kver=$(cat "$dir/kver")
}

# Refreshed every time; make sees through links, so what is unchanged stays built.
mirror() {
	local obj=$1
	mkdir -p "$obj/port"
	cp -rsfT "$root/include" "$obj/include"
	cp -rsfT "$root/core" "$obj/core"
	cp -rsfT "$root/kernel" "$obj/kernel"
	cp -rsfT "$root/port/kernel" "$obj/port/kernel"
	ln -sfn "$root/port/port.h" "$obj/port/port.h"
	ln -sfn "$root/VERSION" "$obj/VERSION"
	ln -sfn "$root/Kbuild" "$obj/Kbuild"
	find "$obj" -xtype l -delete
}

# Replace only what differs, and at once: others may be reading it.
install_module() {
	cmp -s "$1" "$2/${1##*/}" && return
	cp "$1" "$2/.${1##*/}.new"
	mv "$2/.${1##*/}.new" "$2/${1##*/}"
}

[ $# -ge 1 ] || die "usage: build-modules.sh KVER [debug|debug512|unbatched|bulk|alone] [ARGUMENT OF MAKE]..."
kbuild_can "$root"
find_kernel "$1"
kbuild_can "$dir"
shift

out=$root/build/modules/$kver
debug=
case ${1-} in
debug | debug512)
	out=$out/$1
	debug=1
	[ "$1" = debug ] || set -- "$1" KCFLAGS=-DZRAM_BLOCK_SHIFT=9 "${@:2}"
	shift
	;;
unbatched)
	out=$out/$1
	set -- KCFLAGS=-DFREE_LOCK_SLICE=1 "${@:2}"
	;;
bulk)
	out=$out/$1
	set -- KCFLAGS=-DPORT_PAGES_FREE_IN_BULK "${@:2}"
	;;
alone)
	out=$out/$1
	set -- KCFLAGS=-DDEFER_BACKLOG=~0u "${@:2}"
	;;
esac
obj=$out/obj

mkdir -p "$obj"
exec 9>"$obj/.lock"
flock 9
mirror "$obj"

# Progress, and that BTF (of no consequence to us) is left out without vmlinux, or
# would need another version of pahole
filter() {
	grep -v -E -e '^Skipping BTF generation' -e '^warning: pahole version differs' \
		-e '^make(\[[0-9]+\])?: [EL]' -e '^  [A-Z]' "$1" >&2 || true
}

# Is this a kernel that did not exist when kernels.txt was last looked at?
newer_than_known() {
	known=$("$root/scripts/kernels.sh" get newest series)
	[ "$(printf '%s\n' "$kver" "$known" | cut -d . -f 1,2 | sort -V | tail -n 1)" != "$known" ]
}

# One sentence: the compiler's first complaint is about what the kernel has changed.
what_changed() {
	local said
	said=$(sed -nE -e "s|^($obj/)?([^ ]+): (fatal )?error: |\2: |p" \
		-e 's|^ERROR: modpost: "([^"]+)" .* undefined!.*|nothing is named \1 for modules|p' "$log" |
		head -n 1)
	printf 'Linux %s is newer than the newest that Lethe was built for, %s, and differs: %s' \
		"$kver" "$known" "$said"
	printf ' (all of it is in %s)' "$log"
}

log=$obj/.log
if ! "$root/scripts/kbuild.sh" "$dir" M="$obj" LETHE_DEBUG="$debug" "$@" modules \
	>"$log" 2>&1; then
	! newer_than_known || die "$(what_changed)"
	filter "$log"
	die "the build for $kver failed"
fi
filter "$log"

for module in lethe zram; do
	install_module "$obj/kernel/$module/$module.ko" "$out"
done
printf '%s\n' "$out"
