#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Where the instructions of freeing go: the allocator in userspace under callgrind, which
# counts them, the same each time. One thread stores pages of real files, and frees them
# by zs_free_deferred().
#
# usage: callgrind.sh [-m MIB]
#
# Prints a table for the default and for sync; build/bench/callgrind-VARIANT.txt.

set -euo pipefail

# shellcheck source=bench/guest.sh
. "$(dirname "$0")/guest.sh"

cd "$top"
mib=32

while getopts m: option; do
	case $option in
	m) mib=$OPTARG ;;
	*) die 'usage: callgrind.sh [-m MIB]' ;;
	esac
done
[ "$OPTIND" -gt $# ] || die 'usage: callgrind.sh [-m MIB]'
command -v valgrind >/dev/null || die "valgrind is missing (package valgrind)"

dir=build/user
[ -f $dir/build.ninja ] || meson setup $dir >&2
ninja -C $dir tools/lethe >&2
counted=$(mktemp)
trap 'rm -f "$counted"' EXIT
for variant in default:tombstone sync:sync; do
	valgrind -q --log-file=/dev/null --tool=callgrind \
		--callgrind-out-file="$counted" $dir/tools/lethe bench --size "$mib" \
		--rounds 1 --policy "${variant#*:}" >/dev/null
	"$here/callgrind.py" "$counted" zs_free_deferred >"$work/callgrind-${variant%:*}.txt"
	printf '%s: ' "${variant%:*}"
	cat "$work/callgrind-${variant%:*}.txt"
	echo
done
