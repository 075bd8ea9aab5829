#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Ask the kernel's own zram and ours the same questions (suite probe of tests/vm), and
# compare the answers. A difference that zram/intended does not give a reason for is a
# failure; so is a reason for what is no difference. The last line is
# "N passed, N failed".
#
# usage: zram.sh [-r] [KERNEL ...]
#   -r      write docs/zram.md from the answers
#   KERNEL  names of kernels.txt; if none is given, those that have the run "probe"

set -uo pipefail

cd "$(dirname "$0")/.." || exit 1

record=
if [ "${1-}" = -r ]; then
	record=docs/zram.md
	shift
fi
kernels=("$@")
[ $# != 0 ] || mapfile -t kernels < <(scripts/kernels.sh names all probe)

failed=0
answers=()
for kernel in "${kernels[@]}"; do
	dir=$(scripts/kernel-fetch.sh "$kernel") || {
		failed=$((failed + 1))
		continue
	}
	kver=$(cat "$dir/kver")
	slow=()
	# See tests/debug/run.sh
	[[ $kernel != *-kasan ]] || slow=(-s 4 -w clocksource=hpet -w kmemleak=off -m 256)
	for impl in intree lethe; do
		said=build/vm/probe-$impl-$kver.answers
		rm -f "$said"
		tests/vm/run.sh -t "probe-$impl" -i $impl "${slow[@]}" "$kernel" probe || failed=$((failed + 1))
	done
	answers+=("$kver")
done
python3 tests/zram/compare.py ${record:+-r "$record"} -f "$failed" "${answers[@]}"
