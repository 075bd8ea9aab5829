#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# The main job: what the exit of a process with swapped-out memory costs, with
# the kernel's own zram and with ours, in one boot of one kernel.
#
# usage: demo.sh [-i] [-k KERNEL] [-r ROUNDS] [-m MIB,...] [-p PROCS,...] [-v VARIANT,...]
#
# Prints a line a step and then a table; build/bench/demo.json has one record a
# row. Variants: intree, sync, array, percpu, tombstone, default.
#
# -i: one CPU, and instructions instead of ns; build/bench/instructions.json.

set -euo pipefail

# shellcheck source=bench/guest.sh
. "$(dirname "$0")/guest.sh"

name=6.12-cloud-amd64 rounds=5 mib=48 procs=1,4 variants=intree,sync,array,default
out=demo cpus=2 how=()

while getopts ik:r:m:p:v: option; do
	case $option in
	i) out=instructions cpus=1 how=(-i) ;;
	k) name=$OPTARG ;;
	r) rounds=$OPTARG ;;
	m) mib=$OPTARG ;;
	p) procs=$OPTARG ;;
	v) variants=$OPTARG ;;
	*) die "usage: demo.sh [-i] [-k KERNEL] [-r ROUNDS] [-m MIB,...] [-p PROCS,...] [-v VARIANT,...]" ;;
	esac
done

step "fetch the kernel $name, if it is not in the cache"
kernel=$("$top/scripts/kernel-fetch.sh" "$name")
prepare "$kernel" "$variants" "$work/$out.cpio"

step "boot $kver in QEMU"
results=$work/$out.results
verdict=$work/$out.verdict
: >"$results"
"$top/tests/vm/boot.sh" "${how[@]}" "$kernel" "$work/$out.cpio" "$work/$out.log" "$results" 600 \
	$(($(largest "$mib") + 512)) $cpus "ROUNDS=$rounds" "MIB=$mib" "PROCS=$procs" "VARIANTS=$variants" \
	>"$verdict" &
boot=$!
trap 'kill $boot 2>/dev/null || true' EXIT
follow $boot "$results"
wait $boot || die "$(cat "$verdict"); see ${work#"$top/"}/$out.log"

python3 "$here/table.py" "$results" "$work/$out.json" "$kver"
printf '\n%s, %d s in all; records in %s\n' "$kver" $((SECONDS - start)) \
	"${work#"$top/"}/$out.json"
