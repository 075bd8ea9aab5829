#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Build the command lethe, linked statically, and print where it is: for machines
# that have no libraries, such as the guests of tests/vm.
#
# usage: static-tool.sh

set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build/static

mkdir -p "$build"
exec 9>"$build.lock"
flock 9
{
	[ -f "$build/build.ninja" ] ||
		meson setup "$build" "$root" -Dtests=false -Dsim=false -Dprefer_static=true \
			-Dc_link_args=-static
	ninja -C "$build" tools/lethe
} >"$build.log" 2>&1 || {
	cat "$build.log" >&2
	exit 1
}
printf '%s\n' "$build/tools/lethe"
