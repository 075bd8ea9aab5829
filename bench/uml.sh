# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# To be sourced, after guest.sh, by what runs the exit benchmark in User-Mode Linux. The
# caller sets "name" of its files, "cpus", "most" that the kernel is built for, "points",
# "modes", "rounds", and "profile" if perf is to sample, into $data, each $period ns.

: "${name:?is for the caller to set}" "${cpus:?}" "${most:?}" "${points:?}" "${modes:?}" "${rounds:?}"
: "${work:?is of guest.sh}" "${profile=}"
period=200000 # ns of CPU time between samples: in a virtual machine they are dear
results=$work/$name.results
data=$work/perf.data

# What linux is run under. One CPU of the guest is on one of this machine: to change
# between two processes of the guest takes longer if they are on different ones. Several
# are where the scheduler puts them, and give way: each waits for others, spinning.
runner() {
	local cpu inherit=()
	# shellcheck disable=SC2016 # for that shell to expand
	local huge='mount -t tmpfs -o huge=always none /dev/shm && exec "$@"'
	# A kernel that dies ends its process group.
	run=(setsid timeout --kill-after=5 1800)
	# Further CPUs are threads, and processes of the guest are processes.
	[ "$cpus" != 1 ] || inherit=(--no-inherit)
	[ -z "$profile" ] ||
		run+=(perf record -q "${inherit[@]}" -k CLOCK_MONOTONIC -e cpu-clock -c "$period"
			-m 32M -o "$data" --)
	if [ "$cpus" = 1 ]; then
		cpu=$(taskset -cp $$ | sed 's/.*[ ,-]//')
		run+=(taskset -c "$cpu")
		if chrt -f 1 true 2>/dev/null; then
			run+=(chrt -f 1)
		fi
	fi
	if unshare -m sh -c "$huge" sh true 2>/dev/null; then
		run+=(unshare -m sh -c "$huge" sh)
	fi
	# The C library's restartable sequences are still registered in processes of
	# the guest, which have nothing where they were.
	run+=(env TMPDIR=/dev/shm GLIBC_TUNABLES=glibc.pthread.rseq=0)
}

# boot KERNEL_DIR WORD...: run its linux with WORDs on its command line, results on
# descriptor 9
boot() {
	local boot status=0 kernel=$1
	shift
	: >"$results"
	[ "$most" = 1 ] || set -- "ncpus=$cpus" seccomp=on "$@"
	"${run[@]}" "$kernel/linux" "mem=$(($(mib_of "$points") * 2 + 512))M" "initrd=$work/$name.cpio" \
		"uml_dir=$work/uml/" con=null con0=null,fd:1 ssl1=null,fd:9 TOUCH=1 \
		"ROUNDS=$rounds" "POINTS=$points" "MODES=$modes" "$@" </dev/null >"$work/$name.log" 2>&1 9>>"$results" &
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
