#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# The benchmark of demo.sh at the speed of this machine: Debian's kernel as a
# User-Mode Linux kernel, which is a program.
#
# usage: native.sh [-k SERIES] [-c CPUS] [-r ROUNDS] [-m MIB,...] [-n PROCS,...]
#            [-v VARIANT,...] [-w MODE,...]
#        native.sh -p VARIANT [-k SERIES] [-c CPUS] [-r ROUNDS] [-m MIB] [-n PROCS]
#            [-w MODE] [-t LINES] [-a SYMBOL]
#
# Prints a line a step and then a table; build/bench/native.json has one record
# a row: of this machine, and of those that were measured before. Variants: intree,
# sync, array, tombstone, unbatched, bulk, alone, default, ages. SERIES: 6.12, if none is
# given, or 7.3, which has several CPUs if asked. MODE: munmap, kill, and of each -floor
# and -fills (bench/guest-init); all six if none is named.
#
# With -p, prints instead where one variant's time goes: in munmap (or another MODE), and
# from then until the memory is back, by samples of perf; LINES (40) of each. With -a,
# where in one function.
#
# What to know of the figures. The kernel's own paths, which munmap and exit are
# made of, run as on hardware. 6.12 is built for one CPU: there are no locked
# instructions and no spinlocks in it, and a drain thread runs when the exiting task
# does not. 7.3 is built for several, and has both, also on one CPU. A CPU is a thread
# of this machine's: with more of them than it has, one that holds a lock may not run.
# Processes of the guest are processes of the host that the kernel traces: a
# page fault or a system call costs microseconds, up to hundreds in a virtual
# machine, so times to fill, store and read back mean nothing here. The guest's
# memory is touched before anything is measured. It is a file in memory: for
# root, of large pages, as a kernel on hardware maps its memory. Root's runs also
# go before whatever else wants the CPU; a busy machine is felt all the same.

set -euo pipefail

# shellcheck source=bench/guest.sh
. "$(dirname "$0")/guest.sh"

series=6.12 cpus=1 rounds=5 sizes='' procs='' variants=intree,sync,array,default
modes=munmap,munmap-floor,munmap-fills,kill,kill-floor,kill-fills
profile='' lines=40 symbol='' wanted=munmap

usage() {
	die "usage: native.sh [-k SERIES] [-c CPUS] [-r ROUNDS] [-m MIB,...] [-n PROCS,...]" \
		"[-v VARIANT,...] [-w MODE,...], or -p VARIANT [-k SERIES] [-c CPUS] [-r ROUNDS] [-m MIB]" \
		"[-n PROCS] [-w MODE] [-t LINES] [-a SYMBOL]"
}

while getopts k:c:r:m:n:v:p:w:t:a: option; do
	case $option in
	k) series=$OPTARG ;;
	c) cpus=$OPTARG ;;
	r) rounds=$OPTARG ;;
	m) sizes=$OPTARG ;;
	n) procs=$OPTARG ;;
	v) variants=$OPTARG ;;
	p) profile=$OPTARG variants=$OPTARG ;;
	w) wanted=$OPTARG modes=$OPTARG ;;
	t) lines=$OPTARG ;;
	a) symbol=$OPTARG ;;
	*) usage ;;
	esac
done
[ "$OPTIND" -gt $# ] || usage
case $cpus in
[1-9]) ;;
*) usage ;;
esac
uml_cpus "$series" "$cpus"
# One process is all that one CPU can show. Several meet at locks, of whatever size.
if [ -n "$profile" ]; then
	: "${sizes:=256}" "${procs:=1}"
elif [ "$most" = 1 ]; then
	: "${sizes:=128,256,512}" "${procs:=1}"
else
	: "${sizes:=128}" "${procs:=1,4}"
fi

name=native
if [ -n "$profile" ]; then
	command -v perf >/dev/null || die "perf is missing (package linux-perf)"
	# Samples of the kernel's start are of no use: four measurements each time.
	name=profile modes=$wanted,$wanted,$wanted,$wanted
fi
points=$(points_of "$procs" "$sizes")
# shellcheck source=bench/uml.sh
. "$here/uml.sh"

step "build the User-Mode Linux kernel, if it is not in the cache"
kernel=$("$top/scripts/uml-build.sh" "$series")
prepare "$kernel" "$variants" "$work/$name.cpio"

step "run it on $cpus CPU$([ "$cpus" = 1 ] || echo s)"
runner
if [ -n "$profile" ]; then
	boot "$kernel" "VARIANTS=$variants" TRACE=1
	perf script -i "$data" --comms linux --ns -F time,ip,sym 2>/dev/null |
		python3 "$here/profile.py" "$results" "$kernel" "$modules" "$period" "$lines" \
			"$symbol"
else
	boot "$kernel" "VARIANTS=$variants"
	python3 "$here/table.py" "$results" "$work/native.part.json" "um-$kver" "cpus=$cpus"
	others=()
	[ ! -f "$work/native.json" ] || others=("$work/native.json")
	"$here/join.py" "$work/native.json" "${others[@]}" "$work/native.part.json"
	rm "$work/native.part.json"
	printf '\n%s, %d s in all; records in build/bench/native.json\n' "$kver" \
		$((SECONDS - start))
fi
