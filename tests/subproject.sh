#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
# The tree as a Meson subproject of a program that uses it: it gives the library, and
# asks for no package of tests or tools. Silent if that works.
# Usage: tests/subproject.sh
set -eu

source=$(cd "$(dirname "$0")/.." && pwd)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

mkdir "$root/subprojects"
ln -s "$source" "$root/subprojects/lethe"
cp "$source/examples/minimal.c" "$root"
cat >"$root/meson.build" <<'EOF'
project('program', 'c')
executable('minimal', 'minimal.c', dependencies: dependency('lethe', fallback: 'lethe'))
EOF
{
	PKG_CONFIG_LIBDIR=/nonexistent meson setup "$root/build" "$root" &&
		ninja -C "$root/build"
} >"$root/log" 2>&1 || {
	cat "$root/log"
	exit 1
}
[ "$("$root/build/minimal")" = 'hello, pool' ]
