#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Build a kernel that watches itself, of tests/debug, into the cache, from Debian's
# linux-source-6.12, and print the directory it is in.
#
# usage: debug-build.sh kasan|kcsan
#
# The directory is laid out as that of kernel-fetch.sh, which knows these kernels
# as 6.12-kasan and 6.12-kcsan. To build one takes some 5 minutes of two CPUs
# and 3 GiB of disk, most of which is given back.

set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
recipe=1 # to be raised by a change here after which what is cached will not do
kind=${1-}
package=linux-source-6.12
arch=x86_64
cache=${XDG_CACHE_HOME:-$HOME/.cache}/lethe/$kind
# shellcheck source=scripts/cache.sh
. "$root/scripts/cache.sh"

case $#:$kind in
1:kasan | 1:kcsan) ;;
*) die "usage: debug-build.sh kasan|kcsan" ;;
esac
# Looked at by KCSAN: our modules, as they are built with nothing said against it, and
# of the kernel what they work together with. A kernel instrumented as a whole is too
# slow to come to much, and its own races are not what is looked for.
watched=()
if [ "$kind" = kcsan ]; then
	watched=(KCSAN_SANITIZE=n)
	for object in spinlock mutex rwsem kthread timer xarray bio blk-core page_io \
		swapfile swap_slots swap_state shrinker; do
		watched+=("KCSAN_SANITIZE_$object.o=y")
	done
fi
config=("$root/tests/debug/common.config" "$root/tests/debug/$kind.config")
compiler=$(gcc -dumpfullversion) || die "gcc is missing"
key=$({
	printf '%s\n' "$recipe" "$compiler" "${watched[@]}"
	cat "${config[@]}"
} | sha256sum | cut -c 1-12)
# shellcheck source=scripts/source.sh
. "$root/scripts/source.sh"

make_entry() {
	local kver
	source_unpack
	source_configure "${config[@]}"
	say "building $kind; some minutes"
	kmake "$tmp/log" -j"$(nproc)" "${watched[@]}" bzImage modules
	kmake "$tmp/log" "${watched[@]}" INSTALL_MOD_PATH="$tmp/entry" modules_install
	kver=$(cat "$src/include/config/kernel.release")
	mkdir "$tmp/entry/boot"
	mv "$src/arch/x86/boot/bzImage" "$tmp/entry/boot/vmlinuz-$kver"
	cp "$src/System.map" "$tmp/entry/boot/System.map-$kver"
	rm -f "$tmp/entry/lib/modules/$kver"/{build,source}
	source_prune
	printf '%s\n' "$kver" >"$tmp/entry/kver"
}

source_entry make_entry
