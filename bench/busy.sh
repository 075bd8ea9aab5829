#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# How soon the memory of killed processes is back on a machine with no idle CPU:
# beside 0, 2 and 4 busy loops of normal priority, and beside one that is SCHED_FIFO.
#
# usage: busy.sh [-k KERNEL] [-r ROUNDS] [-m MIB,...] [-n PROCS,...] [-v VARIANT,...]
#                [-l LOAD,...] [-c CPUS]
#
# Prints a line a step and then a table; build/bench/busy.json has one record a row.
# -k newest: busy-newest.json, and so with the other names of kernels.txt. MIB is of all
# PROCS together; a LOAD is a number of loops or "fifo".

set -euo pipefail

# shellcheck source=bench/guest.sh
. "$(dirname "$0")/guest.sh"

name=6.12-cloud-amd64 rounds=5 mib=128 procs=1 variants=intree,sync,array,default
loads=0,2,4,fifo cpus=2
usage="usage: busy.sh [-k KERNEL] [-r ROUNDS] [-m MIB,...] [-n PROCS,...] [-v VARIANT,...]
               [-l LOAD,...] [-c CPUS]"

while getopts k:r:m:n:v:l:c: option; do
	case $option in
	k) name=$OPTARG ;;
	r) rounds=$OPTARG ;;
	m) mib=$OPTARG ;;
	n) procs=$OPTARG ;;
	v) variants=$OPTARG ;;
	l) loads=$OPTARG ;;
	c) cpus=$OPTARG ;;
	*) die "$usage" ;;
	esac
done
[ "$OPTIND" -gt $# ] || die "$usage"
out=busy
[ "$name" = 6.12-cloud-amd64 ] || out=busy-$name

step "fetch the kernel $name, if it is not in the cache"
kernel=$("$top/scripts/kernel-fetch.sh" "$name")
prepare "$kernel" "$variants" "$work/$out.cpio"

step "boot $kver in QEMU with $cpus CPUs"
in_qemu "$out" "$kernel" "$cpus" 7200 "$(points_of "$procs" "$mib")" "ROUNDS=$rounds" \
	"VARIANTS=$variants" "MODES=busy-${loads//,/,busy-}"

python3 "$here/table.py" "$work/$out.results" "$work/$out.json" "$kver" "cpus=$cpus"
rm -f "$work/$out.cpio"
printf '\n%s, %d s in all; records in build/bench/%s.json\n' "$kver" \
	$((SECONDS - start)) "$out"
