#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Everything there is to test. Each part ends with how many checks passed and
# failed; the last line is their sum, "N passed, N failed". A part that does not
# come to its end counts as one failure. Two parts run at a time; what a part has
# said stays in build/test/PART.log, and is shown if something failed.
#
# usage: run.sh

set -uo pipefail

cd "$(dirname "$0")/.." || exit 1

kernels=(6.12-cloud-amd64 cloud-amd64 6.12-amd64 amd64)
logs=build/test
start=$SECONDS
jobs=0

# Without a warning, with W=1, for every kernel that we name
build_modules() {
	local kernel said good=0 bad=0
	for kernel in "${kernels[@]}"; do
		if said=$(scripts/build-modules.sh "$kernel" 2>&1 >/dev/null) &&
			! grep -q -i 'warning' <<<"$said"; then
			good=$((good + 1))
		else
			bad=$((bad + 1))
			printf 'modules for %s:\n%s\n' "$kernel" "$said"
		fi
	done
	printf '%d passed, %d failed\n' "$good" "$bad"
	[ "$bad" = 0 ]
}

# part NAME COMMAND...: its last line is "N passed, N failed", perhaps with a prefix
part() {
	local name=$1 begin=$SECONDS status=0 good bad
	local log=$logs/$name.log
	shift
	"$@" >"$log" 2>&1 || status=$?
	if ! read -r good bad < <(tail -n 1 "$log" |
		sed -nE 's/^([a-z-]+: )?([0-9]+) passed, ([0-9]+) failed$/\2 \3/p'); then
		printf '%s did not come to its end (status %d)\n' "$name" "$status" >>"$log"
		good=0
		bad=1
	elif [ "$status" != 0 ] && [ "$bad" = 0 ]; then
		printf '%s ended with status %d\n' "$name" "$status" >>"$log"
		bad=1
	fi
	printf '%d %d\n' "$good" "$bad" >"$logs/$name.count"
	{
		if [ "$bad" != 0 ]; then
			sed "s/^/$name| /" "$log"
		fi
		printf '%s: %d passed, %d failed (%d s)\n' "$name" "$good" "$bad" \
			$((SECONDS - begin))
	} | cat # one write, so that parts do not mix
}

# Starts a part as soon as fewer than two are running
queue() {
	while [ "$(jobs -rp | wc -l)" -ge 2 ]; do
		wait -n
	done
	part "$@" &
	jobs=$((jobs + 1))
}

rm -rf "$logs"
mkdir -p "$logs"

# The longest first: two parts run at a time, and end at about the same time.
queue user tests/user.sh
# Kernels are downloaded and modules built once, before anything needs them.
part modules build_modules
queue vm-6.12 tests/vm/run.sh -n 6.12-cloud-amd64
queue vm-6.1 tests/vm/run.sh -n cloud-amd64
queue judge tests/vm/judge.sh 6.12-cloud-amd64
queue fuzz tests/fuzz/run.sh 60
queue sim tests/sim/run.sh 10000
queue cli tests/cli.sh
queue vm-debug512 tests/vm/run.sh -i debug512 6.12-cloud-amd64
queue rivals tests/rivals.sh
queue report tests/report.sh
queue lint scripts/lint.sh
# That the suites ask for nothing that the kernel's own zram does not do.
queue control-6.12 tests/vm/run.sh -i intree 6.12-cloud-amd64 sysfs ext4
queue control-6.1 tests/vm/run.sh -i intree cloud-amd64 sysfs ext4
queue host tests/host.sh
wait

passed=0
failed=0
counted=0
while read -r good bad; do
	passed=$((passed + good))
	failed=$((failed + bad))
	counted=$((counted + 1))
done < <(cat "$logs"/*.count)
if [ "$counted" != $((jobs + 1)) ]; then
	printf 'only %d of %d parts ended\n' "$counted" $((jobs + 1))
	failed=$((failed + 1))
fi
printf 'took %d s\n' $((SECONDS - start))
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
