#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# The files that the series adds or changes are compiled in configurations that
# make test-kernel-tree does not boot, without a warning, W=1 included; and where the
# allocator cannot be, the option cannot be had.
# The last line is "configs: N passed, N failed".
#
# usage: configs.sh SERIES

set -uo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/checks.sh
. "$root/tests/checks.sh"

kernel=$("$root/scripts/tree-build.sh" "linux-source-${1-}" lethe) || exit 1
source=${kernel%/*}/source
objects=${kernel%/*}/objects-configs
arch=x86_64

kmake() {
	MAKEFLAGS='' nice make -s -C "$source" O="$objects" ARCH=$arch -j"$(nproc)" "$@"
}

# configure OPTION...: what zram takes, these, and nothing else
configure() {
	printf 'CONFIG_%s\n' BLOCK=y BLK_DEV=y SYSFS=y SWAP=y ZRAM=y ZRAM_BACKEND_LZ4=y \
		ZSMALLOC_LETHE=y "$@" >config
	mkdir -p "$objects"
	kmake KCONFIG_ALLCONFIG="$PWD/config" allnoconfig
}
has() {
	grep -qx -- "CONFIG_$1" "$objects/.config"
}

# compiles OBJECT...: anew, without a word about our files
compiles() {
	find "$objects/mm" "$objects/drivers/block" -name '*.o' -delete 2>/dev/null
	kmake W=1 "$@" mm/lethe/ drivers/block/zram/ 2>said || { tail -n 20 said && return 1; }
	! grep -E '(mm/(lethe/|zswap|zpool)|drivers/block/zram/).*warning:' said
}

# in_configuration NAME OPTION...: is had as it was asked for, and compiles
in_configuration() {
	local what=$1 option extra=()
	shift
	check "$what: configure" configure "$@"
	check "$what: the option" has ZSMALLOC_LETHE=y
	for option; do
		check "$what: $option" has "$option"
	done
	! has ZSWAP=y || extra=(mm/zswap.o)
	check "$what: it compiles" compiles "${extra[@]}"
}

in_configuration "one CPU and no more than zram takes"
check "which is without compaction" eval '! has COMPACTION=y && ! has MIGRATION=y && ! has SMP=y'
in_configuration "migration without compaction" CMA=y MIGRATION=y
check "which is without it" eval '! has COMPACTION=y'
in_configuration "as modules" SMP=y COMPACTION=y MODULES=y ZRAM=m ZSMALLOC=m
in_configuration "PREEMPT_RT" SMP=y EXPERT=y PREEMPT_RT=y COMPACTION=y ZSWAP=y DEBUG_FS=y
in_configuration "many nodes, groups and checks" SMP=y PCI=y ACPI=y NUMA=y COMPACTION=y \
	CGROUPS=y MEMCG=y ZSWAP=y DEBUG_FS=y DEBUG_KERNEL=y DEBUG_VM=y PROVE_LOCKING=y

arch=i386
check "32 bits: configure" configure
check "32 bits: zsmalloc" has ZSMALLOC=y
check "32 bits: the option cannot be had" eval '! has ZSMALLOC_LETHE=y'

echo "configs: $passed passed, $failed failed"
[ "$failed" = 0 ]
