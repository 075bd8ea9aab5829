#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Before DKMS copies both modules to where they are loaded from: is there room? By now it
# has touched nothing; later versions of DKMS move the kernel's own zram away first, and
# leave it there if the copy then fails.
#
# usage: room-for-both.sh KVER DIRECTORY_OF_WHAT_WAS_BUILT

set -eu

updates=/lib/modules/$1/updates
trial=$updates/.lethe

mkdir -p "$updates"
status=0
mkdir "$trial" && cp "$2"/*.ko* "$trial/" || status=1
rm -rf "$trial"
rmdir "$updates" 2>/dev/null || true
[ $status = 0 ] ||
	printf 'lethe: the modules for Linux %s could not be copied (is the disk full?); its own zram stays\n' \
		"$1" >&2
exit $status
