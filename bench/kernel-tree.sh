#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# The exit with Lethe in the kernel's own tree, under its own zram and its own zswap,
# against the zsmalloc of the same kernel, at the speed of this machine: User-Mode Linux.
#
# usage: kernel-tree.sh [-k SERIES] [-c CPUS] [-r ROUNDS] [-m MIB,...] [-n PROCS,...]
#            [-u USER,...]
#        kernel-tree.sh -p VARIANT [-k SERIES] [-c CPUS] [-r ROUNDS] [-m MIB] [-n PROCS]
#            [-u USER] [-w MODE] [-t LINES]
#
# Debian's source takes the series of "make kernel-patch", and two kernels are built of it
# from one configuration: with the option ZSMALLOC_LETHE, and without. In each round each
# of them is booted, and its users of the allocator are measured: zram, zswap. Prints a
# line a step and then a table for each user; build/bench/kernel-tree.json has one record
# a row: of this machine, and of those that were measured before. SERIES is 7.3.
#
# With -p, prints instead where the time of one VARIANT goes, intree or default, under
# one USER, zswap if none is given: in munmap (or another MODE: kill), and from then until
# the memory is back, by samples of perf; LINES (40) of each.
#
# The pages' content is in zswap's pool and nowhere else: behind it is a RAM disk that no
# page may reach, or the run fails. Memory held and when it is back are what zswap's
# counter pool_total_size says.
#
# On one CPU the kernel is one built for one. A kernel for several makes a system call on
# the host each time it turns interrupts off or on, which is nothing on hardware: zswap does
# so for its LRU and its charges, several times a page, and then that is most of what is
# measured. What else is to be known of the figures is at the head of native.sh.

set -euo pipefail

# shellcheck source=bench/guest.sh
. "$(dirname "$0")/guest.sh"

series=7.3 cpus=1 rounds=5 sizes='' procs='' users='' profile='' lines=40 wanted=munmap

usage() {
	die "usage: kernel-tree.sh [-k SERIES] [-c CPUS] [-r ROUNDS] [-m MIB,...] [-n PROCS,...]" \
		"[-u USER,...], or -p VARIANT [-k SERIES] [-c CPUS] [-r ROUNDS] [-m MIB] [-n PROCS]" \
		"[-u USER] [-w MODE] [-t LINES]"
}

# each_is PATTERN WHAT LIST: each word of a list with commas, of which there is one at least
each_is() {
	[[ "$3" =~ ^($1)(,($1))*$ ]] || die "'$3' is not $2"
}

while getopts :k:c:r:m:n:u:p:w:t: option; do
	case $option in
	k) series=$OPTARG ;;
	c) cpus=$OPTARG ;;
	r) rounds=$OPTARG ;;
	m) sizes=$OPTARG ;;
	n) procs=$OPTARG ;;
	u) users=$OPTARG ;;
	p) profile=$OPTARG ;;
	w) wanted=$OPTARG ;;
	t) lines=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# = 0 ] || usage
[ "$series" = 7.3 ] || die "Linux '$series' is not built as User-Mode Linux with Lethe in its tree: 7.3 is"
if [ -n "$profile" ]; then
	: "${sizes:=256}" "${procs:=1}" "${users:=zswap}"
	[[ "$users$sizes$procs" != *,* ]] || die "a profile is of one user, one size, one number of processes"
	each_is 'intree|default' "a variant to profile: intree, default" "$profile"
	each_is 'munmap|kill' "a mode to profile: munmap, kill" "$wanted"
else
	: "${sizes:=128,256}" "${procs:=1,4}" "${users:=zram,zswap}"
fi
number='[1-9][0-9]{0,3}'
each_is '[1-9]' "a number of CPUs" "$cpus"
uml_cpus "$series" "$cpus"
[[ "$rounds$lines" != *,* ]] || die "rounds and lines are one number"
each_is "$number" "a number of rounds, 1 to 9999" "$rounds"
each_is "$number" "a number of lines, 1 to 9999" "$lines"
each_is "$number" "a list of sizes in MiB, 1 to 9999" "$sizes"
each_is '[1-9]|1[0-6]' "a list of numbers of processes, 1 to 16" "$procs"
each_is 'zram|zswap' "a list of users: zram, zswap" "$users"

name=kernel-tree modes=munmap,kill
if [ -n "$profile" ]; then
	command -v perf >/dev/null || die "perf is missing (package linux-perf)"
	name=profile-tree modes=$wanted,$wanted,$wanted,$wanted
fi
points=$(points_of "$procs" "$sizes")
build=um
[ "$cpus" != 1 ] || build=um1 most=1
# shellcheck source=bench/uml.sh
. "$here/uml.sh"

# kind_of VARIANT: what tree-build.sh calls it
kind_of() {
	case $1 in
	intree) echo "$build-plain" ;;
	default) echo "$build-lethe" ;;
	esac
}

# one VARIANT WORD...: boot its kernel
one() {
	local variant=$1
	shift
	boot "${kernel[$variant]}" "VARIANTS=$variant" "USERS=$users" zswap.compressor=lz4 \
		"brd.rd_size=$(($(mib_of "$points") * 2048))" "$@"
}

# same_but_for_lethe: a kernel that differs in more than the option is no other side
same_but_for_lethe() {
	local differ
	differ=$(diff "${kernel[intree]}/config" "${kernel[default]}/config" | grep '^[<>]' |
		grep -v -e ZSMALLOC_LETHE -e CONFIG_LOCALVERSION -e '^[<>] #$' || true)
	[ -z "$differ" ] || die "the two kernels differ in more than the option: $differ"
}

variants=(intree default)
[ -z "$profile" ] || variants=("$profile")
declare -A kernel
for variant in "${variants[@]}"; do
	step "build the kernel for $variant, if what is in the cache is another"
	kernel[$variant]=$("$top/scripts/tree-build.sh" "linux-source-$series" "$(kind_of "$variant")")
done
prepare "${kernel[${variants[0]}]}" intree "$work/$name.cpio"

step "run on $cpus CPU$([ "$cpus" = 1 ] || echo s)"
runner
if [ -n "$profile" ]; then
	one "$profile" TRACE=1
	perf script -i "$data" --comms linux --ns -F time,ip,sym 2>/dev/null |
		python3 "$here/profile.py" "$results" "${kernel[$profile]}" - "$period" "$lines" ''
	exit
fi

same_but_for_lethe
all=$work/$name.all
: >"$all"
of=$rounds rounds=1
for ((round = 1; round <= of; round++)); do
	for variant in "${variants[@]}"; do
		step "boot $round of $of: $variant"
		one "$variant"
		cat "$results" >>"$all"
	done
	# The other one goes first in the next round.
	variants=("${variants[1]}" "${variants[0]}")
done
parts=()
for user in ${users//,/ }; do
	grep " user=$user " "$all" >"$all.$user" || die "nothing was measured of $user"
	printf '\n%s\n' "$user"
	parts+=("$all.$user.json")
	python3 "$here/table.py" "$all.$user" "$all.$user.json" "um-${kver%-um*}" "cpus=$cpus" \
		"user=$user"
done
others=()
[ ! -f "$work/$name.json" ] || others=("$work/$name.json")
"$here/join.py" "$work/$name.json" "${others[@]}" "${parts[@]}"
rm "${parts[@]}"
printf '\n%s, %d s in all; records in build/bench/%s.json\n' "${kver%-um*}" \
	$((SECONDS - start)) "$name"
