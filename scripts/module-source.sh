#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Write what the modules are built from, and nothing else, into a new directory, with
# a dkms.conf that says this tree's version and kernels.
#
# usage: module-source.sh DIRECTORY      all of it
#        module-source.sh -c FILE        the dkms.conf alone

set -eu

root=$(cd "$(dirname "$0")/.." && pwd)

die() {
	printf 'module-source: %s\n' "$*" >&2
	exit 1
}

conf() {
	kernels=$("$root/scripts/kernels.sh" pattern)
	architectures=$("$root/scripts/kernels.sh" architectures)
	# What the values have in them of sed's own characters is '\' and '|'.
	sed -e "s/#MODULE_VERSION#/$(cat "$root/VERSION")/" \
		-e "s@#KERNELS#@$(printf '%s' "$kernels" | sed 's/\\/&&/g')@" \
		-e "s@#ARCHITECTURES#@$architectures@" "$root/dkms.conf.in"
}

case $#:${1-} in
2:-c)
	conf >"$2"
	exit 0
	;;
1:-* | 1:) die "usage: module-source.sh DIRECTORY | -c FILE" ;;
1:*) ;;
*) die "usage: module-source.sh DIRECTORY | -c FILE" ;;
esac

mkdir -p "$1/port" "$1/scripts"
cp -R "$root/core" "$root/include" "$root/kernel" "$root/LICENSES" "$1/"
rm -r "$1/kernel/tree"
cp -R "$root/port/kernel" "$root/port/port.h" "$1/port/"
cp "$root/Kbuild" "$root/VERSION" "$1/"
for script in room-for-both kernel-will-do signed-only; do
	cp "$root/scripts/$script.sh" "$1/scripts/"
done
conf >"$1/dkms.conf"
