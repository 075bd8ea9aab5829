#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Everything there is to test. Each part ends with how many checks passed and
# failed; the last line is their sum, "N passed, N failed". A part that does not
# come to its end counts as one failure. Two parts run at a time; what a part has
# said stays in build/test/PART.log, and is shown if something failed.
#
# usage: run.sh [-a | -m ARCH]
#   -a  all suites on all kernels, and "make test-debug": some hours
#   -m  of that, what is for another architecture, as Debian says it: kernels, modules
#       and the library
#
# kernels.txt says what runs on which kernel.

set -uo pipefail

cd "$(dirname "$0")/.." || exit 1

usage() {
	echo "usage: run.sh [-a | -m ARCH]"
	exit 1
}

column='test' foreign=
case $#:${1-} in
0:) ;;
1:-a) column=all ;;
2:-m) column=all foreign=$2 ;;
*) usage ;;
esac
logs=build/test
start=$SECONDS
parts=() # the names of all that were started

# Without a warning, with W=1, for every kernel that we name
build_modules() {
	local kernel said good=0 bad=0
	for kernel in $(scripts/kernels.sh names $column build $foreign); do
		if said=$(scripts/build-modules.sh "$kernel" W=1 2>&1 >/dev/null) &&
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
	elif [ "$good $bad" = '0 0' ]; then
		printf '%s has checked nothing\n' "$name" >>"$log"
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
	parts+=("$1")
	part "$@" &
}

# Runs a part alone, once those before it have ended
alone() {
	wait
	parts+=("$1")
	part "$@"
}

# queue_vm IMPL: all that kernels.txt says of it
queue_vm() {
	local kernel run suites name
	while read -r kernel run; do
		[ "${run%%:*}" = "$1" ] || continue
		suites=${run#"$1"}
		# An implementation may run twice on a kernel, with other suites.
		name=$1${suites:+-$(sed 's/^:\([a-z0-9]*\).*/\1/' <<<"$suites")}
		# shellcheck disable=SC2046 # words
		queue "vm-$name-$kernel" tests/vm/run.sh ${modules_are_there[$1]-} -i "$1" \
			-t "$name" "$kernel" $(tr ':+' '  ' <<<"$suites")
	done < <(scripts/kernels.sh runs $column $foreign)
}
declare -A modules_are_there=([lethe]=-n)

# The library, in code of another architecture that qemu-user runs
queue_user_arm64() {
	queue user-arm64 tests/user.sh arm64-page12 arm64-page14 arm64-page16 arm64-debug
}

# All there is. Two parts run at a time, and end at about the same time: what takes no
# module goes beside their building, and of the rest the longest first.
queue_all() {
	local modules
	# Kernels are downloaded and modules built once, before anything needs them.
	queue modules build_modules
	modules=$!
	queue user tests/user.sh
	queue fuzz tests/fuzz/run.sh 60
	queue cli tests/cli.sh
	queue sim tests/sim/run.sh 10000
	queue stat tests/stat.sh
	queue rivals tests/rivals.sh
	queue report tests/report.sh
	wait "$modules"
	queue_vm lethe
	queue judge tests/vm/judge.sh 6.12-cloud-amd64
	queue_vm debug512
	queue kernel-patch tests/tree/patch.sh
	if [ $column = all ]; then
		queue package tests/package.sh
		queue package-13 tests/package.sh trixie
		queue systems tests/systems/run.sh
		queue_user_arm64
	else
		queue package tests/package.sh -q
		queue systems tests/systems/run.sh -q
	fi
	# shellcheck disable=SC2046 # words
	queue zram tests/zram.sh $(scripts/kernels.sh names $column probe)
	queue lint scripts/lint.sh
	# That the suites ask for nothing that the kernel's own zram does not do.
	queue_vm intree
	queue host tests/host.sh
	[ $column != all ] || queue kernel-tree tests/tree/run.sh
	# Runs two guests at a time itself.
	if [ -n "$(scripts/kernels.sh names $column test-debug)" ]; then
		alone debug tests/debug/run.sh
	fi
	wait
}

queue_foreign() {
	"queue_user_$foreign"
	alone modules build_modules
	queue_vm lethe
	queue_vm debug512
	queue_vm intree
	wait
}

[ -z "$foreign" ] || declare -F "queue_user_$foreign" >/dev/null || usage
rm -rf "$logs"
mkdir -p "$logs"
if [ -z "$foreign" ]; then
	queue_all
else
	queue_foreign
fi

# Once more what failed, by name: of a long run, some keep the end alone.
say_failed() {
	grep -a -E '^ *(not ok|FAILED:?|FAIL:?) |[0-9]/[0-9]+ .* (FAIL|TIMEOUT) |did not come to its end|has checked nothing|^user: .* fails' "$1" |
		tail -n 20 | sed "s/^/failed in $(basename "$1" .log): /"
}

passed=0
failed=0
for part in "${parts[@]}"; do
	# Two parts of one name would write the same files.
	if [ "$(printf '%s\n' "${parts[@]}" | grep -c -x -F -e "$part")" != 1 ] ||
		! read -r good bad <"$logs/$part.count"; then
		printf 'failed in %s: it did not run once, to its end\n' "$part"
		good=0
		bad=1
	fi
	[ "$bad" = 0 ] || say_failed "$logs/$part.log"
	passed=$((passed + good))
	failed=$((failed + bad))
done
printf 'took %d s\n' $((SECONDS - start))
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
