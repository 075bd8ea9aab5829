#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Build the command lethe, linked statically, and print where it is: for machines
# that have no libraries, such as the guests of tests/vm.
#
# usage: static-tool.sh [ARCH]
#
# ARCH: as Debian says it, if it is another than this machine's.

set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/arch.sh
. "$root/scripts/arch.sh"
arch_set "${1:-$(machine_arch)}"
build=$root/build/static
set -- -Dtests=false -Dsim=false -Dprefer_static=true -Dc_link_args=-static
if [ "$arch" != "$(machine_arch)" ]; then
	build=$build-$arch
	set -- --cross-file="$("$root/scripts/sysroot-fetch.sh" "$arch")/meson.ini" "$@"
fi

mkdir -p "$build"
exec 9>"$build.lock"
flock 9
{
	[ -f "$build/build.ninja" ] || meson setup "$build" "$root" "$@"
	ninja -C "$build" tools/lethe
} >"$build.log" 2>&1 || {
	cat "$build.log" >&2
	exit 1
}
printf '%s\n' "$build/tools/lethe"
