#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# The exit storm: all that the demo measures, and what it leaves out: up to eight
# processes, sizes past the budget, page faults of a bystander, storing and reading
# back, with compaction running and without, on other kernels and numbers of CPUs; and
# then busy.sh: when the memory is back on a busy machine, on 6.12 and on 7.3.
#
# usage: storm.sh [-q | -a | -o] [-r ROUNDS] [-v VARIANT,...]
#
# Prints a table for each boot, and writes build/bench/storm.json. All variants meet
# at the sizes of the targets, some minutes each; -q: these only. In-tree and the default
# meet at more sizes, and at two on 7.3. -a: at two also on 7.3 with 1, 4 and 8 CPUs (8 have
# two drain threads: with one alone beside it), with compaction running, and on 6.1 with 2
# and 4 CPUs. -o: 7.3 and what -a adds; the records join those that storm.json has.

set -euo pipefail

# shellcheck source=bench/guest.sh
. "$(dirname "$0")/guest.sh"

rounds=5 variants=intree,sync,array,unbatched,bulk,default extent=usual
two=intree,default busy=intree,sync,array,default

usage='usage: storm.sh [-q | -a | -o] [-r ROUNDS] [-v VARIANT,...]'
while getopts qaor:v: option; do
	case $option in
	q) extent=quick ;;
	a) extent=all ;;
	o) extent=others ;;
	r) rounds=$OPTARG ;;
	v) variants=$OPTARG busy=$OPTARG ;;
	*) die "$usage" ;;
	esac
done
[ "$OPTIND" -gt $# ] || die "$usage"

targets=1x128:munmap,1x256:munmap+munmap-floor+kill+kill-floor+read
targets=$targets,1x512:munmap,4x512:kill+storm
more=1x64:munmap+kill,2x256:munmap+kill+storm,8x512:kill+storm
few=1x256:munmap+kill,4x512:kill+storm
few_newest=1x256:munmap+kill+read,4x512:kill+storm

# machine KERNEL CPUS COMPACT POINT,... VARIANT,...: one boot, one table
machine() {
	local name=storm-${#made[@]} kernel
	kernel=$("$top/scripts/kernel-fetch.sh" "$1")
	prepare "$kernel" "$5" "$work/$name.cpio"
	step "boot $kver in QEMU with $2 CPUs${3:+, compaction running}"
	in_qemu "$name" "$kernel" "$2" 7200 "$4" "ROUNDS=$rounds" "VARIANTS=$5" "COMPACT=$3"
	python3 "$here/table.py" "$work/$name.results" "$work/$name.json" "$kver" \
		"cpus=$2" "compaction=${3:+running}"
	rm -f "$work/$name.cpio"
	made+=("$work/$name.json")
}

made=()
if [ $extent != others ]; then
	machine 6.12-cloud-amd64 2 '' "$targets" "$variants"
elif [ -f "$work/storm.json" ]; then
	made+=("$work/storm.json")
fi
case $extent in
usual | all)
	machine 6.12-cloud-amd64 2 '' $more $two
	;;
esac
[ $extent = quick ] || machine newest 2 '' $few_newest $two
case $extent in
all | others)
	machine 6.12-cloud-amd64 2 1 $few $two
	machine newest 1 '' $few $two
	machine newest 4 '' $few $two
	machine newest 8 '' $few $two,alone
	machine 6.1-cloud-amd64 2 '' $few $two
	machine 6.1-cloud-amd64 4 '' $few $two
	;;
esac
"$here/join.py" "$work/storm.json" "${made[@]}"
printf '\n%d s in all; records in build/bench/storm.json\n' $((SECONDS - start))
[ $extent = others ] || "$here/busy.sh" -r "$rounds" -v "$busy"
[ $extent = quick ] || "$here/busy.sh" -k newest -r "$rounds" -v $two
