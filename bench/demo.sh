#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# The main job: what the exit of a process with swapped-out memory costs, with
# the kernel's own zram and with ours, in one boot of one kernel.
#
# usage: demo.sh [-k KERNEL] [-r ROUNDS] [-m MIB,...] [-p PROCS,...] [-v VARIANT,...]
#
# Prints a line a step and then a table; build/bench/demo.json has one record a
# row. Variants: intree, sync, array, default.

set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/.." && pwd)
name=6.12-cloud-amd64 rounds=5 mib=48 procs=1,4 variants=intree,sync,array,default

die() {
	printf 'demo: %s\n' "$*" >&2
	exit 1
}

while getopts k:r:m:p:v: option; do
	case $option in
	k) name=$OPTARG ;;
	r) rounds=$OPTARG ;;
	m) mib=$OPTARG ;;
	p) procs=$OPTARG ;;
	v) variants=$OPTARG ;;
	*) die "usage: demo.sh [-k KERNEL] [-r ROUNDS] [-m MIB,...] [-p PROCS,...] [-v VARIANT,...]" ;;
	esac
done

work=$top/build/bench
mkdir -p "$work"
start=$SECONDS

step() {
	printf '[%3d s] %s\n' $((SECONDS - start)) "$*"
}

step "fetch the kernel $name, if it is not in the cache"
kernel=$("$top/scripts/kernel-fetch.sh" "$name")
kver=$(cat "$kernel/kver")
modules=-
if [ "$variants" != intree ]; then
	step "build lethe.ko and zram.ko for $kver"
	"$top/scripts/build-modules.sh" "$kver" >/dev/null
	modules=$top/build/modules/$kver
fi
step "make an initramfs with page content from /usr/lib"
gcc -std=gnu11 -O2 -Wall -Wextra -static -o "$work/exitbench" "$here/exitbench.c"
"$top/tests/vm/image.sh" "$work/demo.cpio" "$kernel" "$modules" 64 \
	"$here/guest-init:/init" "$work/exitbench:/bin/exitbench"

step "boot $kver in QEMU"
most=$(tr , '\n' <<<"$mib" | sort -n | tail -n 1)
results=$work/demo.results
verdict=$work/demo.verdict
: >"$results"
"$top/tests/vm/boot.sh" "$kernel" "$work/demo.cpio" "$work/demo.log" "$results" 600 \
	$((most + 512)) 2 "ROUNDS=$rounds" "MIB=$mib" "PROCS=$procs" "VARIANTS=$variants" \
	>"$verdict" &
boot=$!
trap 'kill $boot 2>/dev/null || true' EXIT
tail -n +1 -f --pid=$boot "$results" 2>/dev/null | while read -r word line; do
	case $word in
	step) step "${line%$'\r'}" ;;
	fail:) printf 'demo: the guest says: %s\n' "${line%$'\r'}" >&2 ;;
	esac
done
wait $boot || die "$(cat "$verdict"); see ${work#"$top/"}/demo.log"

python3 "$here/table.py" "$results" "$work/demo.json" "$kver"
printf '\n%s, %d s in all; records in %s\n' "$kver" $((SECONDS - start)) \
	"${work#"$top/"}/demo.json"
