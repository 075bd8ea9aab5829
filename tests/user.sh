#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
# All userspace tests: builds each configuration in build/user-NAME, runs its unit
# and stress tests, and ends in one line: "N passed, N failed".
#   tests/user.sh [CONFIGURATION...]    (all by default)
# arm64-CONFIGURATION is the same in code for arm64, which qemu-user runs.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

configurations=(page12 page14 page16 debug asan tsan library)
[ $# -eq 0 ] || configurations=("$@")

passed=0
failed=0

# meson options of a configuration, one a line
options_of() {
	case $1 in
	arm64-*)
		options_of "${1#*-}" || return 1
		echo "--cross-file=$(scripts/sysroot-fetch.sh "${1%%-*}")/meson.ini"
		;;
	page12) ;;
	page14) echo -Dpage_shift=14 ;;
	page16) echo -Dpage_shift=16 ;;
	debug) echo -Dlethe_debug=true ;;
	asan) printf '%s\n' -Db_sanitize=address,undefined -Db_lundef=false ;;
	tsan) printf '%s\n' -Db_sanitize=thread -Db_lundef=false ;;
	library) echo -Dtests=false ;;
	*)
		echo "user.sh: unknown configuration: $1" >&2
		return 1
		;;
	esac
}

# Configure and build; what the tools say is shown only if they fail.
build() {
	local name=$1 dir=build/user-$1 options log
	options=$(options_of "$name") || return 1
	log=$(mktemp) || return 1
	# A directory of another time may be of other options: begin anew.
	rm -rf "$dir"
	# Alone: pkg-config knows no package here.
	[ "$name" != library ] || local -x PKG_CONFIG_LIBDIR=/nonexistent
	# shellcheck disable=SC2086  # one option a word
	if meson setup "$dir" -Dtools=false -Dsim=false $options >"$log" 2>&1 &&
		ninja -C "$dir" >>"$log" 2>&1; then
		rm -f "$log"
		return 0
	fi
	cat "$log"
	rm -f "$log"
	return 1
}

# "PASSED FAILED" of a test log: the cases of each test, or the test itself where
# it has none. A test that ended badly with no failed case counts as one.
count() {
	python3 - "$1" <<'EOF'
import json, re, sys

passed = failed = 0
for line in open(sys.argv[1]):
    test = json.loads(line)
    cases = test.get("stdout") or ""
    good = len(re.findall(r"^ok \d+ (?!.*# SKIP)", cases, re.M))
    bad = len(re.findall(r"^not ok \d+", cases, re.M))
    well = test["result"] == "OK"
    passed += good or int(well)
    failed += bad or int(not well)
print(passed, failed)
EOF
}

run() {
	local dir=build/user-$1 good bad
	# Reports of sanitizers end the program: none is overlooked.
	ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 \
		UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
		TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1 \
		meson test -C "$dir" --no-rebuild --print-errorlogs >"$dir/tests.log" 2>&1
	if ! read -r good bad < <(count "$dir/meson-logs/testlog.json"); then
		good=0
		bad=1
	fi
	[ "$bad" -eq 0 ] || cat "$dir/tests.log"
	printf 'user %-7s %4d passed, %d failed (%d s)\n' "$1" "$good" "$bad" \
		"$((SECONDS - start))"
	passed=$((passed + good))
	failed=$((failed + bad))
}

# check COMMAND...: what a user would try; silent if it works
check() {
	if "$@"; then
		passed=$((passed + 1))
	else
		printf 'user: %s fails\n' "$1"
		failed=$((failed + 1))
	fi
}

for name in "${configurations[@]}"; do
	start=$SECONDS
	if ! build "$name"; then
		printf 'user %-7s does not build\n' "$name"
		failed=$((failed + 1))
	elif [ "$name" = library ]; then
		check tests/installed.sh build/user-library
		check tests/subproject.sh
	else
		run "$name"
	fi
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
