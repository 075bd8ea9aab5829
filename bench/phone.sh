#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# The phone: a person switches between apps on a machine of 1 GiB that has swap on
# zram and a killer of processes (earlyoom), until twice of its memory is asked for.
# How long does an app take to start, and what do kills cost?
#
# earlyoom kills when less than a tenth of memory is available and less than half of
# swap is free. It then waits for the victim's end, asking ten times a second, for up to
# ten seconds. systemd-oomd is not measured, and the script says so when it runs: the
# kernel's pressure figures and cgroups are there, but systemd-oomd hears from systemd,
# as init, which cgroups it may kill, and ends at once where systemd's socket for that
# is missing ("Failed to connect to /run/systemd/io.system.ManagedOOM").
#
# usage: phone.sh [-q] [-i] [-k KERNEL] [-r ROUNDS] [-v VARIANT,...]
#
# Prints a table, and writes build/bench/phone.json. The variants take turns in one
# boot. -q: two rounds of in-tree and default with fewer switches, some minutes; it
# writes build/bench/phone-quick.json. -i: one CPU, and an instruction is a ns, so that
# a busy host changes nothing; phone-instructions.json. -k newest: phone-newest.json, and
# so with the other names of kernels.txt.
# Variants: intree and policies of ours.

set -euo pipefail

# shellcheck source=bench/guest.sh
. "$(dirname "$0")/guest.sh"

name=6.12-cloud-amd64 rounds='' variants='' switches=8 out=phone
cpus=2 how=() quick=''

usage() {
	die "usage: phone.sh [-q] [-i] [-k KERNEL] [-r ROUNDS] [-v VARIANT,...]"
}

while getopts qik:r:v: option; do
	case $option in
	q) quick=1 ;;
	i) cpus=1 how=(-i) ;;
	k) name=$OPTARG ;;
	r) rounds=$OPTARG ;;
	v) variants=$OPTARG ;;
	*) usage ;;
	esac
done
[ "$OPTIND" -gt $# ] || usage
[ "$name" = 6.12-cloud-amd64 ] || out=$out-$name
[ $cpus = 2 ] || out=$out-instructions
if [ -n "$quick" ]; then
	switches=2 out=$out-quick
	: "${rounds:=2}" "${variants:=intree,default}"
fi
: "${rounds:=5}" "${variants:=intree,sync,array,default}"

# libraries_of PROGRAM: as image.sh takes files, each where the program looks for it
libraries_of() {
	ldd "$1" | grep -o '/[^ ]*' | sed 's/.*/&:&/'
}

step "fetch the kernel $name and earlyoom, if they are not in the cache"
kernel=$("$top/scripts/kernel-fetch.sh" "$name")
killer=$("$top/scripts/killer-fetch.sh")
kver=$(cat "$kernel/kver")
step "the killer is earlyoom; systemd-oomd is left out, as it needs systemd as init"
step "build lethe.ko and zram.ko for $kver"
modules=$("$top/scripts/build-modules.sh" "$kernel")
step "make an initramfs with page content from /usr/lib"
gcc -std=gnu11 -O2 -Wall -Wextra -static -pthread -o "$work/phone" "$here"/phone/*.c
mapfile -t libraries < <(libraries_of "$killer")
"$top/tests/vm/image.sh" "$work/$out.cpio" "$kernel" "$modules" 48 \
	"$here/phone/init:/init" "$top/tests/vm/guest/lib.sh:/lib.sh" \
	"$work/phone:/bin/phone" "$killer:/bin/earlyoom" "${libraries[@]}"

step "boot $kver in QEMU with 1 GiB, CPUs: $cpus"
# On 7.3 the kernel's swap asks for a table of its own like this, and says if it gets none
table='page allocation failure: order:0, mode:.*__GFP_HIGH\|__GFP_ZERO\|__GFP_COMP\|__GFP_NOMEMALLOC'
in_qemu_of 1024 "${how[@]}" -x "$table" "$out" "$kernel" $cpus 7200 "ROUNDS=$rounds" "VARIANTS=$variants" \
	"SWITCHES=$switches" APPS_MIB=2048 DISK_MIB=2048 MEM=10,5 SWAP=50,25
rm -f "$work/$out.cpio"
python3 "$here/phone/table.py" "$work/$out.results" "$work/$out.json" "$kver" "cpus=$cpus"
printf '\n%s, %d s in all; records in build/bench/%s.json\n' "$kver" $((SECONDS - start)) "$out"
