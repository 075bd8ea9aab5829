#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# The kernel's own tree with Lethe in it: each of Debian's sources takes the series, a
# kernel is built of it with the option on and one with it off, and the suites run on
# both, and some on one with Lethe as a module; with the option off, object files are as
# without the series (off.sh), and with it on, other configurations compile, too
# (configs.sh); kernel-doc of the source has nothing to say, and its checkpatch.pl
# nothing that has no reason in tests/tree/checkpatch. The last line is "N passed, N
# failed".
#
# usage: run.sh [-k] [SERIES...]
#   -k      only the kernels that watch themselves, of the first series: KASAN and
#           lockdep, and arm64 with KASAN by tags
#   SERIES  6.12, 7.3: both if none is named, and then the kernels of -k, too
#
# Kernels are built in the cache: some 30 minutes the first time. What they say is in
# build/vm, what the parts say in build/tree.

set -uo pipefail

cd "$(dirname "$0")/../.." || exit 1

watched=no
if [ "${1-}" = -k ]; then
	watched=only
	shift
fi
series=("$@")
if [ $# = 0 ]; then
	series=(6.12 7.3)
	[ $watched = only ] || watched=yes
fi
logs=build/tree
passed=0
failed=0

# part NAME COMMAND...: its last line is "N passed, N failed", perhaps with a prefix
part() {
	local name=$1 start=$SECONDS good bad
	shift
	"$@" >"$logs/$name.log" 2>&1
	if ! read -r good bad < <(tail -n 1 "$logs/$name.log" |
		sed -nE 's/^([a-z-]+: )?([0-9]+) passed, ([0-9]+) failed$/\2 \3/p'); then
		good=0 bad=1
	fi
	[ "$bad" = 0 ] || sed "s/^/$name| /" "$logs/$name.log"
	printf '%s: %d passed, %d failed (%d s)\n' "$name" "$good" "$bad" $((SECONDS - start))
	passed=$((passed + good))
	failed=$((failed + bad))
}

# guest SERIES KIND IMPL SUITES [ARGUMENT OF tests/vm/run.sh]...: "" are all suites
guest() {
	local kernel package=linux-source-$1 kind=$2 impl=$3 suites
	read -ra suites <<<"$4"
	shift 4
	kernel=$(scripts/tree-build.sh "$package" "$kind") || return 1
	tests/vm/run.sh -i "$impl" "$@" "$kernel" "${suites[@]}"
}

# kernel_doc SERIES: the source's own tool understands the comments of the new files
kernel_doc() {
	local source new=$PWD/$logs/new-$1 files said
	source=$(scripts/kernel-source.sh "linux-source-$1") || return 1
	scripts/kernel-patch.sh "$source" "$new" >/dev/null || return 1
	# In no repository, it takes all that is included.
	GIT_CEILING_DIRECTORIES=$PWD/$logs git -C "$new" apply --include='mm/lethe/*' "$new"/*.patch || return 1
	mapfile -t files < <(find "$new/mm/lethe" -name '*.[ch]')
	if said=$("$source/scripts/kernel-doc" -none "${files[@]}" 2>&1) && [ -z "$said" ]; then
		printf '%d passed, 0 failed\n' ${#files[@]}
	else
		printf '%s\n0 passed, 1 failed\n' "$said"
	fi
}

# checkpatch SERIES: each type of warning has a line in tests/tree/checkpatch
checkpatch() {
	local source out good=0 bad=0 patch said types
	source=$(scripts/kernel-source.sh "linux-source-$1") || return 1
	out=$logs/series-$1
	scripts/kernel-patch.sh "$source" "$out" >/dev/null || return 1
	for patch in "$out"/*.patch; do
		said=$(cd "$source" && perl scripts/checkpatch.pl --no-tree --show-types \
			"$OLDPWD/$patch" 2>&1)
		types=$(sed -nE 's/^(ERROR|WARNING):([A-Z_]+):.*/\1 \2/p' <<<"$said" | sort -u |
			while read -r severity type; do
				[ "$severity" = WARNING ] && grep -q "^${type}[[:space:]]" tests/tree/checkpatch ||
					printf '%s\n' "$type"
			done)
		if grep -q '^total: ' <<<"$said" && [ -z "$types" ]; then
			good=$((good + 1))
		else
			bad=$((bad + 1))
			printf '%s: not explained: %s\n' "${patch##*/}" "$types"
			grep -A 5 -F -e "${types:-total}" <<<"$said" | head -n 40
		fi
	done
	printf '%d passed, %d failed\n' $good $bad
}

rm -rf "$logs"
mkdir -p "$logs"
if [ $watched != only ]; then
	for one in "${series[@]}"; do
		part "checkpatch-$one" checkpatch "$one"
		part "kernel-doc-$one" kernel_doc "$one"
		part "lethe-$one" guest "$one" lethe tree ""
		part "movable-$one" guest "$one" lethe tree movable -t movable
		part "plain-$one" guest "$one" plain plain ""
		part "off-$one" tests/tree/off.sh "$one"
		part "configs-$one" tests/tree/configs.sh "$one"
		part "module-$one" guest "$one" module tree "swap pending module"
		part "cma-$one" guest "$one" module tree cma -t cma
		part "numa-$one" guest "$one" module tree numa -t numa
	done
fi
if [ $watched != no ]; then
	scripts/setup.sh arm64
	part "arm64-${series[0]}" guest "${series[0]}" arm64 tree "" -m 256 -s 4
	part "kasan-${series[0]}" guest "${series[0]}" kasan tree "" -m 256 -s 4 -w clocksource=hpet
fi
printf '%d passed, %d failed\n' $passed $failed
[ $failed = 0 ]
