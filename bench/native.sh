#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# The benchmark of demo.sh at the speed of this machine: Debian's 6.12 as a
# User-Mode Linux kernel, which is a program, on one CPU.
#
# usage: native.sh [-r ROUNDS] [-m MIB,...] [-n PROCS,...] [-v VARIANT,...]
#        native.sh -p VARIANT [-r ROUNDS] [-m MIB] [-w MODE] [-t LINES] [-a SYMBOL]
#
# Prints a line a step and then a table; build/bench/native.json has one record
# a row. Variants: intree, sync, array, tombstone, unbatched, bulk, alone, default.
#
# With -p, prints instead where one variant's time goes: in munmap (or another
# MODE: kill, munmap-floor, kill-floor), and from then until the memory is back,
# by samples of perf; LINES (40) of each. With -a, where in one function.
#
# What to know of the figures. The kernel's own paths, which munmap and exit are
# made of, run as on hardware, but for one CPU: there are no locked instructions
# and no spinlocks in them, and a worker runs when the exiting task does not.
# Processes of the guest are processes of the host that the kernel traces: a
# page fault or a system call costs microseconds, up to hundreds in a virtual
# machine, so times to fill, store and read back mean nothing here. The guest's
# memory is touched before anything is measured. It is a file in memory: for
# root, of large pages, as a kernel on hardware maps its memory. Root's runs also
# go before whatever else wants the CPU; a busy machine is felt all the same.

set -euo pipefail

# shellcheck source=bench/guest.sh
. "$(dirname "$0")/guest.sh"

rounds=5 sizes=128,256,512 procs=1 variants=intree,sync,array,default
modes=munmap,munmap-floor,kill,kill-floor
profile='' lines=40 symbol='' sized='' wanted=munmap

while getopts r:m:n:v:p:w:t:a: option; do
	case $option in
	r) rounds=$OPTARG ;;
	m) sizes=$OPTARG sized=1 ;;
	n) procs=$OPTARG ;;
	v) variants=$OPTARG ;;
	p) profile=$OPTARG variants=$OPTARG ;;
	w) wanted=$OPTARG ;;
	t) lines=$OPTARG ;;
	a) symbol=$OPTARG ;;
	*) die "usage: native.sh [-r ROUNDS] [-m MIB,...] [-n PROCS,...] [-v VARIANT,...]," \
		"or -p VARIANT [-r ROUNDS] [-m MIB] [-w MODE] [-t LINES] [-a SYMBOL]" ;;
	esac
done

name=native
if [ -n "$profile" ]; then
	command -v perf >/dev/null || die "perf is missing (package linux-perf)"
	# Samples of the kernel's start are of no use: four measurements each time.
	name=profile modes=$wanted,$wanted,$wanted,$wanted
	[ -n "$sized" ] || sizes=256
fi
points=$(points_of "$procs" "$sizes")
period=200000 # ns of CPU time between samples: in a virtual machine they are dear
results=$work/$name.results
data=$work/perf.data

# What linux is run under. One CPU: to change between two processes of the guest
# takes longer if they are on different ones.
runner() {
	local cpu
	# shellcheck disable=SC2016 # for that shell to expand
	local huge='mount -t tmpfs -o huge=always none /dev/shm && exec "$@"'
	# A kernel that dies ends its process group.
	run=(setsid timeout --kill-after=5 1800)
	[ -z "$profile" ] ||
		run+=(perf record -q --no-inherit -k CLOCK_MONOTONIC -e cpu-clock -c "$period"
			-m 32M -o "$data" --)
	cpu=$(taskset -cp $$ | sed 's/.*[ ,-]//')
	run+=(taskset -c "$cpu")
	if chrt -f 1 true 2>/dev/null; then
		run+=(chrt -f 1)
	fi
	if unshare -m sh -c "$huge" sh true 2>/dev/null; then
		run+=(unshare -m sh -c "$huge" sh)
	fi
	# The C library's restartable sequences are still registered in processes of
	# the guest, which have nothing where they were.
	run+=(env TMPDIR=/dev/shm GLIBC_TUNABLES=glibc.pthread.rseq=0)
}

# boot WORD...: run linux with WORDs on its command line, results on descriptor 9
boot() {
	local boot status=0
	: >"$results"
	"${run[@]}" "$kernel/linux" "mem=$(($(mib_of "$points") * 2 + 512))M" "initrd=$work/$name.cpio" \
		"uml_dir=$work/uml/" con=null con0=null,fd:1 ssl1=null,fd:9 TOUCH=1 \
		"ROUNDS=$rounds" "POINTS=$points" "MODES=$modes" \
		"VARIANTS=$variants" "$@" </dev/null >"$work/$name.log" 2>&1 9>>"$results" &
	boot=$!
	# shellcheck disable=SC2064 # this process, whatever comes later
	trap "kill $boot 2>/dev/null || true" EXIT
	follow $boot "$results"
	wait $boot || status=$?
	trap - EXIT
	[ $status = 0 ] || die "linux ended with status $status; see build/bench/$name.log"
	if grep -m 1 -E 'WARNING:|BUG:|Oops|Call Trace|lethe: pool ' "$work/$name.log" >&2; then
		die "the kernel complained; see build/bench/$name.log"
	fi
	[ "$(tail -n 1 "$results")" = end ] || die "the guest stopped before the end"
}

step "build the User-Mode Linux kernel, if it is not in the cache"
kernel=$("$top/scripts/uml-build.sh")
prepare "$kernel" "$variants" "$work/$name.cpio"

step "run it on one CPU"
runner
if [ -n "$profile" ]; then
	boot TRACE=1
	perf script -i "$data" --ns -F time,ip,sym 2>/dev/null |
		python3 "$here/profile.py" "$results" "$kernel" "$modules" "$period" "$lines" \
			"$symbol"
else
	boot
	python3 "$here/table.py" "$results" "$work/native.json" "um-$kver"
	printf '\n%s, %d s in all; records in build/bench/native.json\n' "$kver" \
		$((SECONDS - start))
fi
