#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Builds the simulator in build/sim and runs so many schedules of each policy, the
# seeds that once failed, all schedules of small cases up to a number of preemptions, in
# so many processes, and exits with one to four drain threads. The last line is "N passed, N failed".
#
# usage: run.sh [-r] [SCHEDULES [JOBS [PREEMPTIONS]]]
#
#   -r  record the result in docs/verification.md

set -uo pipefail

cd "$(dirname "$0")/../.." || exit 1

record=
if [ "${1-}" = -r ]; then
	record=yes
	shift
fi
schedules=${1:-5000}
jobs=${2:-1}
preemptions=${3:-1}
dir=build/sim
sim=$dir/tests/sim/sim

# What the tools say is shown only if they fail.
build() {
	local said
	if [ ! -f "$dir/build.ninja" ]; then
		rm -rf "$dir"
		said=$(meson setup "$dir" -Dtools=false 2>&1) || {
			printf '%s\n' "$said"
			return 1
		}
	fi
	said=$(ninja -C "$dir" tests/sim/sim tests/sim/libsim_rest.a 2>&1) || {
		printf '%s\n' "$said"
		return 1
	}
}

passed=0
failed=0
results=

# account SAID WHAT: of a run of the command, whose last line counts
account() {
	local said=$1 good bad
	if read -r good bad < <(tail -n 1 <<<"$said" |
		sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p'); then
		said=$(sed '$d' <<<"$said")
	else
		said+="${said:+$'\n'}sim $2 did not come to its end"
		good=0
		bad=1
	fi
	[ -z "$said" ] || printf '%s\n' "$said"
	results+=${said:+$said$'\n'}
	passed=$((passed + good))
	failed=$((failed + bad))
}

run() {
	account "$("$sim" "$@")" "$*"
}

# The small cases of each policy by itself; the longest first
run_small() {
	local policy
	rm -f "$dir"/small-*.log
	mapfile -t policies < <("$sim" --policies)
	if [ ${#policies[@]} -eq 0 ]; then
		account '' --policies
		return
	fi
	printf '%s\n' "${policies[@]}" | tac | xargs -P "$jobs" -I{} sh -c \
		"$sim --small --policy {} --preemptions $preemptions >$dir/small-{}.log"
	for policy in "${policies[@]}"; do
		account "$(cat "$dir/small-$policy.log" 2>&1)" "--small --policy $policy"
	done
}

build || {
	echo "0 passed, 1 failed"
	exit 1
}
[ "$schedules" = 0 ] || run --schedules "$schedules" --jobs "$jobs"
while read -r policy seed _; do
	run --policy "$policy" --seed "$seed"
done < <(grep -v '^#' tests/sim/seeds)
run_small
run --growth

report() {
	local all
	all=$(awk '{ for (i = 1; i < NF; i++) if ($(i + 1) ~ /^schedules/) n += $i }
		END { printf "%d", n }' <<<"$results")
	cat <<END
\`$1\` (\`tests/sim\`), $(date -u +%F), $all schedules, $failed failed:

\`\`\`
$results\`\`\`
END
}
if [ -n "$record" ] && [ "$schedules" != 0 ]; then
	report 'make sim' | scripts/verification.py Schedules
elif [ -n "$record" ]; then
	report 'make sim-small' | scripts/verification.py 'All schedules of small cases'
fi
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
