#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Runs the unit tests on a library that counts what is reached, and writes the result
# to docs/verification.md. Fails if a test does, or too little is reached, or
# something is left for which "reasons" has none.
#
# usage: run.sh

set -uo pipefail

cd "$(dirname "$0")/../.." || exit 1

dir=build/coverage
log=$dir.log

# Counts of threads are not to be lost. What is inlined is counted where it is
# written, as far as it can be; without any optimisation, tests that depend on
# time fail.
rm -rf "$dir"
{
	meson setup "$dir" -Dtools=false -Db_coverage=true -Doptimization=g \
		"-Dc_args=-fprofile-update=atomic -fno-inline" &&
		ninja -C "$dir" &&
		meson test -C "$dir" --no-rebuild --num-processes 1 --suite unit
} >"$log" 2>&1 || {
	cat "$log"
	exit 1
}

report() {
	printf '`make coverage`: unit tests of the release build, 4 KiB pages, gcov; %s, Linux %s.\n\n' \
		"$(date -u +%F)" "$(uname -r | cut -d . -f 1,2)"
	tests/coverage/report.py "$dir"
}

result=$(report)
status=$?
scripts/verification.py Coverage <<<"$result"
exit $status
