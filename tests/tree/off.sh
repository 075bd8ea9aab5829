#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# What the series changes where the option is off: nothing of the allocator, and of its
# callers an argument. Their object files, of the kernel that tree-build.sh builds, beside
# those that the same commands make of the source without the series.
# The last line is "off: N passed, N failed".
#
# usage: off.sh SERIES

set -uo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/checks.sh
. "$root/tests/checks.sh"

package=linux-source-${1-}
source=$("$root/scripts/kernel-source.sh" "$package") || exit 1
kernel=$("$root/scripts/tree-build.sh" "$package" plain) || exit 1
objects=${kernel%/*}/objects
series=${kernel%/*}/source
# The objects are those of the kernel that was built last.
if grep -q '^CONFIG_ZSMALLOC_LETHE=y' "$objects/.config"; then
	rm "$kernel/made"
	"$root/scripts/tree-build.sh" "$package" plain >/dev/null || exit 1
fi

# without OBJECT: compile it of the source without the series, to the file "without"
without() {
	local command
	command=$(sed -n '1s/^savedcmd_[^ ]* := //p' "$objects/${1%/*}/.${1##*/}.cmd")
	[ -n "$command" ] || return 1
	command=${command//"$series"/"$source"}
	command=${command//" $1"/" $PWD/without"}
	command=${command/"-Wp,-MMD,${1%/*}/.${1##*/}.d"/}
	rm -f without
	(cd "$objects" && eval "$command") && [ -s without ]
}

# bytes FILE SECTION
bytes() {
	objcopy -O binary -j "$2" "$1" /dev/stdout
}
same_code() {
	local section
	for section in .text .rodata; do
		cmp <(bytes "$objects/$1" $section) <(bytes without $section) || return 1
	done
}
# The names that a file asks others for. zpool has a call more, with the option and without.
asks() {
	nm -u "$1" | grep -v zpool_free_deferred | sort
}
text() {
	size "$1" | awk 'NR == 2 { print $1 }'
}

check "the option is off" grep -q '^# CONFIG_ZSMALLOC_LETHE is not set' "$objects/.config"
check "mm/zsmalloc.c without the series is compiled" without mm/zsmalloc.o
check "the allocator has the same code" same_code mm/zsmalloc.o
for object in mm/zswap.o mm/zpool.o drivers/block/zram/zram_drv.o; do
	[ -f "$source/${object%.o}.c" ] || continue
	check "$object without the series is compiled" without $object
	check "$object calls the same functions" cmp <(asks "$objects/$object") <(asks without)
	more=$(($(text "$objects/$object") - $(text without)))
	check "$object is larger by some bytes at most: $more" test $more -le 64
done

echo "off: $passed passed, $failed failed"
[ "$failed" = 0 ]
