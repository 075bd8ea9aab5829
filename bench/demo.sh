#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# The main job: what the exit of a process with swapped-out memory costs, with
# the kernel's own zram and with ours, in one boot of one kernel.
#
# usage: demo.sh [-i] [-k KERNEL] [-r ROUNDS] [-m MIB,...] [-n PROCS,...] [-v VARIANT,...]
#                [-w MODE]
#
# Prints a line a step and then a table; build/bench/demo.json has one record a row.
# Variants: intree, sync, array, tombstone, unbatched, bulk, alone, default, ages.
#
# -i: one CPU, and instructions instead of ns; build/bench/instructions.json. -w: another
# MODE of guest-init's, as storm; demo-storm.json, or with -i instructions-storm.json.

set -euo pipefail

# shellcheck source=bench/guest.sh
. "$(dirname "$0")/guest.sh"

name=6.12-cloud-amd64 rounds=5 mib=48 procs=1,4 variants=intree,sync,array,default
out=demo cpus=2 how=() mode=''

usage='usage: demo.sh [-i] [-k KERNEL] [-r ROUNDS] [-m MIB,...] [-n PROCS,...] [-v VARIANT,...]
               [-w MODE]'
while getopts ik:r:m:n:v:w: option; do
	case $option in
	i) out=instructions cpus=1 how=(-i) ;;
	k) name=$OPTARG ;;
	r) rounds=$OPTARG ;;
	m) mib=$OPTARG ;;
	n) procs=$OPTARG ;;
	v) variants=$OPTARG ;;
	w) mode=$OPTARG ;;
	*) die "$usage" ;;
	esac
done
[ "$OPTIND" -gt $# ] || die "$usage"
[ -z "$mode" ] || out=$out-$mode

step "fetch the kernel $name, if it is not in the cache"
kernel=$("$top/scripts/kernel-fetch.sh" "$name")
prepare "$kernel" "$variants" "$work/$out.cpio"

step "boot $kver in QEMU"
in_qemu "${how[@]}" $out "$kernel" $cpus 600 "$(points_of "$procs" "$mib")" \
	"ROUNDS=$rounds" "VARIANTS=$variants" ${mode:+"MODES=$mode"}

python3 "$here/table.py" "$work/$out.results" "$work/$out.json" "$kver"
printf '\n%s, %d s in all; records in build/bench/%s.json\n' "$kver" $((SECONDS - start)) $out
