#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# The exit storm: all that the demo measures, and what it leaves out: up to eight
# processes, sizes past the budget, page faults of a bystander, storing and reading
# back, with compaction running and without, on other kernels and more CPUs.
#
# usage: storm.sh [-q | -a] [-r ROUNDS] [-v VARIANT,...]
#
# Prints a table for each machine, and writes build/bench/storm.json. Some 20
# minutes. -q: one machine and the sizes of the targets only; -a: with compaction
# running, 6.1, and 4 CPUs too, which takes hours.

set -euo pipefail

# shellcheck source=bench/guest.sh
. "$(dirname "$0")/guest.sh"

rounds=5 variants=intree,sync,array,percpu,unbatched,default extent=usual

while getopts qar:v: option; do
	case $option in
	q) extent=quick ;;
	a) extent=all ;;
	r) rounds=$OPTARG ;;
	v) variants=$OPTARG ;;
	*) die "usage: storm.sh [-q | -a] [-r ROUNDS] [-v VARIANT,...]" ;;
	esac
done

targets=1x128:munmap,1x256:munmap+munmap-floor+kill+kill-floor+read
targets=$targets,1x512:munmap,4x512:kill+storm
more=1x64:munmap+kill,2x256:munmap+kill+storm,8x512:kill+storm
case $extent in
quick) points=$targets ;;
*) points=$targets,$more ;;
esac

# machine KERNEL CPUS COMPACT: one boot, one table
machine() {
	local name=storm-$1-$2${3:+-compact} kernel
	kernel=$("$top/scripts/kernel-fetch.sh" "$1")
	prepare "$kernel" "$variants" "$work/$name.cpio"
	step "boot $kver in QEMU with $2 CPUs${3:+, compaction running}"
	in_qemu "$name" "$kernel" "$2" 7200 "$points" "ROUNDS=$rounds" "VARIANTS=$variants" \
		"COMPACT=$3"
	python3 "$here/table.py" "$work/$name.results" "$work/$name.json" "$kver" \
		"cpus=$2" "compaction=${3:+running}"
	rm -f "$work/$name.cpio"
	made+=("$work/$name.json")
}

made=()
machine 6.12-cloud-amd64 2 ''
if [ $extent = all ]; then
	machine 6.12-cloud-amd64 2 1
	machine 6.12-cloud-amd64 4 ''
	machine cloud-amd64 2 ''
fi
python3 -c 'import json, sys
print(json.dumps([record for path in sys.argv[1:] for record in json.load(open(path))], indent=1))' \
	"${made[@]}" >"$work/storm.json.part"
mv "$work/storm.json.part" "$work/storm.json"
printf '\n%d s in all; records in build/bench/storm.json\n' $((SECONDS - start))
