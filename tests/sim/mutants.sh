#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# A test of the test: applies each defect of mutants/ to a copy of core/, and has
# the simulator look for it. Fails if one is not found, if its patch no longer
# applies, or if a seed of its own (seeds) does not show it any more. The last line is
# "N passed, N failed".
#
# usage: mutants.sh [-r | --refresh] [NAME...]
#
#   -r          record the result in docs/verification.md
#   --refresh   write the patches anew, against core/ as it is now

set -uo pipefail

cd "$(dirname "$0")/../.." || exit 1

most=100000 # schedules of each policy
dir=build/sim
fuzz=0
refresh=
record=
case ${1-} in
--refresh) refresh=yes fuzz=2 ;;
-r) record=yes ;;
esac
[ -z "$refresh$record" ] || shift
names=("$@")
if [ $# -eq 0 ]; then
	for patch in tests/sim/mutants/*.patch; do
		names+=("$(basename "$patch" .patch)")
	done
fi

# apply NAME: core/ with the defect, in $scratch. Lines that have changed around the
# place may mean that it is another place: a look at what --refresh makes of it tells.
apply() {
	rm -rf "$scratch"
	mkdir -p "$scratch"
	cp -r core "$scratch/core"
	patch -s -p1 -F"$fuzz" --no-backup-if-mismatch -d "$scratch" \
		<"tests/sim/mutants/$1.patch" >"$scratch/said" 2>&1
}

# refresh_patch NAME: the same change, against core/ as it is
refresh_patch() {
	local file=tests/sim/mutants/$1.patch title
	title=$(head -n 1 "$file")
	{
		printf '%s\n' "$title"
		diff -rU3 core "$scratch/core" | grep -v '^diff ' |
			sed -E "s|^--- core/([^[:space:]]+).*|--- a/core/\1|
				s|^\+\+\+ .*/core/([^[:space:]]+).*|+++ b/core/\1|"
	} >"$scratch/patch"
	mv "$scratch/patch" "$file"
}

# As tests/sim/meson.build compiles the core
compile() {
	local include
	include=$(gcc -print-file-name=include)
	gcc -std=c11 -O2 -fno-pie -ffreestanding -nostdinc -idirafter "$include" \
		-fsanitize=thread --param=tsan-instrument-func-entry-exit=0 \
		-DLETHE_DEBUG -DLETHE_PAGE_SHIFT=12 \
		-I"$scratch/core" -Iport/sim -Iport -Iinclude \
		-c "$scratch/core/all.c" -o "$scratch/core.o" >"$scratch/said" 2>&1 &&
		gcc -no-pie "$scratch/core.o" $dir/tests/sim/libsim_rest.a \
			-o "$scratch/sim" >>"$scratch/said" 2>&1
}

# seeds_show NAME: those that are kept for the defect
seeds_show() {
	local policy seed
	while read -r policy seed; do
		if "$scratch/sim" --policy "$policy" --seed "$seed" --no-shrink >"$scratch/said"; then
			printf '%-28s %s seed %s shows it no longer\n' "$1" "$policy" "$seed"
			return 1
		fi
	done < <(sed -nE "s/^([a-z]+) ([0-9]+) $1 .*/\1 \2/p" tests/sim/seeds)
}

# mutant NAME: is it found?
mutant() {
	local status said
	scratch=$dir/mutants/$1
	if ! apply "$1"; then
		printf '%-28s no longer applies\n' "$1"
		return 1
	fi
	[ -z "$refresh" ] || refresh_patch "$1"
	if ! compile; then
		printf '%-28s does not compile:\n' "$1"
		cat "$scratch/said"
		return 1
	fi
	"$scratch/sim" --hunt --schedules $most >"$scratch/said"
	status=$?
	said=$(printf '%-28s %s' "$1" "$(head -n 1 "$scratch/said")")
	printf '%s\n' "$said"
	results+=$said$'\n'
	[ "$status" = 0 ] && seeds_show "$1"
}

tests/sim/run.sh 0 1 0 >/dev/null # builds it
passed=0
failed=0
results=
for name in "${names[@]}"; do
	if mutant "$name"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
done
if [ -n "$record" ]; then
	scripts/verification.py 'Seeded defects' <<END
\`make sim-mutants\` (\`tests/sim/mutants\`), $(date -u +%F), $passed found, $failed not; after so many schedules, of all policies:

\`\`\`
$results\`\`\`
END
fi
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
