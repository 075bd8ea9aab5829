#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Builds the fuzzer in build/fuzz, runs the inputs of corpus/ one by one, and then
# looks for new ones for so many seconds. Inputs that reach something new are kept
# in build/fuzz-corpus, which the next run begins with. The last line is
# "N passed, N failed".
#
# usage: run.sh [-r] [SECONDS]
#   -r  record the result in docs/verification.md

set -uo pipefail

cd "$(dirname "$0")/../.." || exit 1

record=
if [ "${1:-}" = -r ]; then
	record=1
	shift
fi
seconds=${1:-60}
dir=build/fuzz
fuzz=$dir/tests/fuzz/fuzz
grown=build/fuzz-corpus
log=build/fuzz.log
# AddressSanitizer keeps less of what was freed than by default: it is used again soon.
export ASAN_OPTIONS=quarantine_size_mb=32:detect_leaks=1

# What the tools say is shown only if they fail.
build() {
	local said
	if [ ! -f "$dir/build.ninja" ]; then
		rm -rf "$dir"
		said=$(CC=clang meson setup "$dir" -Dtools=false -Dfuzz=true \
			-Db_sanitize=address,undefined -Db_lundef=false 2>&1) || {
			printf '%s\n' "$said"
			return 1
		}
	fi
	said=$(ninja -C "$dir" tests/fuzz/fuzz 2>&1) || {
		printf '%s\n' "$said"
		return 1
	}
}

# stat NAME: a figure that the fuzzer gave at its end
stat() {
	sed -nE "s/^stat::$1: *([0-9]+)$/\1/p" "$log" | tail -n 1
}

passed=0
failed=0

# known INPUT: one that is in the tree still comes to its end
known() {
	local said
	if said=$("$fuzz" "$1" 2>&1); then
		passed=$((passed + 1))
		return
	fi
	failed=$((failed + 1))
	printf '%s\nthe input %s fails; again: %s %s\n' "$said" "$1" "$fuzz" "$1"
}

# Inputs of up to 256 bytes: some 80 operations.
search() {
	local input
	rm -f build/fuzz-crash-* build/fuzz-leak-* build/fuzz-timeout-* build/fuzz-oom-*
	if "$fuzz" -max_total_time="$seconds" -max_len=256 -len_control=20 -entropic=0 \
		-timeout=20 -rss_limit_mb=1536 -print_final_stats=1 \
		-artifact_prefix=build/fuzz- "$grown" tests/fuzz/corpus >"$log" 2>&1; then
		passed=$((passed + 1))
		return
	fi
	failed=$((failed + 1))
	tail -n 60 "$log"
	for input in build/fuzz-crash-* build/fuzz-leak-* build/fuzz-timeout-* build/fuzz-oom-*; do
		[ ! -e "$input" ] || printf 'the input %s fails; again: %s %s\n' \
			"$input" "$fuzz" "$input"
	done
}

report() {
	cat <<END
\`make fuzz\`: bytes decode to operations of the public API, mistakes and failing allocations among them, judged by a model
after each (\`tests/fuzz\`); built with AddressSanitizer and UndefinedBehaviorSanitizer by $(clang --version | sed -nE '1s/^.*(clang version [0-9.]+).*$/\1/p').

| date | duration | executions | coverage of the library | inputs kept | findings |
|---|---|---|---|---|---|
| $(date -u +%F) | $seconds s | $(stat number_of_executed_units) | $edges edges | $inputs | $failed |
END
}

build || {
	echo "0 passed, 1 failed"
	exit 1
}
for input in tests/fuzz/corpus/*; do
	known "$input"
done
mkdir -p "$grown"
search
edges=$(sed -nE 's/^#.* cov: ([0-9]+) .*$/\1/p' "$log" | tail -n 1)
inputs=$(sed -nE 's/^#.* corp: ([0-9]+)\/.*$/\1/p' "$log" | tail -n 1)
printf '%s executions, %s edges of the library, %s inputs kept\n' \
	"$(stat number_of_executed_units)" "${edges:-0}" "${inputs:-0}"
[ -z "$record" ] || report | scripts/verification.py 'Fuzzing'

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
