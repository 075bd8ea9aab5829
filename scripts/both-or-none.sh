#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# After DKMS has copied both modules to where they are loaded from: are both there, and
# whole? DKMS does not look, and on a full disk one is missing, or half of one is there.
# Then both are deleted, so that depmod, which DKMS runs next, finds the kernel's own.
#
# usage: both-or-none.sh KVER DIRECTORY_OF_WHAT_WAS_BUILT

set -eu

kver=$1 built=$2

# installed NAME: where distributions have DKMS put modules
installed() {
	for place in updates/dkms updates extra; do
		set -- "$1" "/lib/modules/$kver/$place/$1"
		[ ! -e "$2" ] || printf '%s\n' "$2"
	done
}

# A symbolic link is what DKMS makes where it is told to.
whole() {
	for name in lethe zram; do
		for module in "$built/$name".ko*; do
			cmp -s "$module" "$(installed "${module##*/}" | head -n 1)" || return 1
		done
	done
}

whole && exit 0
for module in "$built"/lethe.ko* "$built"/zram.ko*; do
	installed "${module##*/}" | while read -r file; do
		rm -f "$file"
	done
done
printf 'lethe: the modules for Linux %s could not be copied (is the disk full?); its own zram stays\n' \
	"$kver" >&2
exit 1
