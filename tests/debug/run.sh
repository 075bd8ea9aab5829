#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# The suites of tests/vm, and a storm (its suite "storm"), on kernels that watch
# themselves and on Debian's PREEMPT_RT kernel. Two guests run at a time.
# What the kernels say stays in build/vm, what the parts say in build/debug. The last
# line is "N passed, N failed".
#
# usage: run.sh [-r] [-p PART]... [SECONDS]
#   -r       record the result in docs/verification.md
#   -p       run this part again; the others' figures are those of the run before
#   SECONDS  how long the storm takes, of all kernels together; 600 if not given

set -uo pipefail

cd "$(dirname "$0")/../.." || exit 1

record=
chosen=()
while getopts rp: option; do
	case $option in
	r) record=1 ;;
	p) chosen+=("$OPTARG") ;;
	*)
		echo "usage: run.sh [-r] [-p PART]... [SECONDS]"
		exit 1
		;;
	esac
done
shift $((OPTIND - 1))
storm=$((${1:-600} / 3))
logs=build/debug
mapfile -t kernels < <(scripts/kernels.sh names all test-debug)
parts=(mistakes-canary kasan kasan-writeback kasan-parts kasan-storm kasan-inject race-canary kcsan
	kcsan-writeback kcsan-parts kcsan-storm rt rt-writeback rt-parts rt-storm)
begin=$SECONDS

die() {
	printf '%s\n0 passed, 1 failed\n' "$*"
	exit 1
}

# part NAME ARGUMENT...: of tests/vm/run.sh; leaves its figures in NAME.count
part() {
	local name=$1 start=$SECONDS good bad left
	local log=$logs/$name.log
	shift
	tests/vm/run.sh -t "$name" "$@" >"$log" 2>&1
	read -r good bad < <(tail -n 1 "$log" |
		sed -nE 's/^vm: ([0-9]+) passed, ([0-9]+) failed$/\1 \2/p') || {
		printf '%s did not come to its end\n' "$name" >>"$log"
		good=0
		bad=1
	}
	left=$(sed -nE 's/^vm: ([0-9]+) data races of the kernel alone.*/\1/p' "$log")
	printf '%d %d %d %d\n' "$good" "$bad" "${left:-0}" $((SECONDS - start)) >"$logs/$name.count"
	{
		[ "$bad" = 0 ] || sed "s/^/$name| /" "$log"
		printf '%s: %d passed, %d failed (%d s)\n' "$name" "$good" "$bad" $((SECONDS - start))
	} | cat # one write, so that parts do not mix
}

# canary NAME KERNEL PATTERN...: mistakes of a module named zram are found, and held
# against it. Does the kernel see what it is there to see?
canary() {
	local name=$1 start=$SECONDS good=0 bad=0 kernel pattern
	local work=$PWD/$logs/$1
	kernel=$(scripts/kernel-fetch.sh "$2")
	shift 2
	mkdir -p "$work"
	cp tests/debug/canary/{Kbuild,zram.c} "$work/"
	{
		scripts/kbuild.sh "$kernel" M="$work" W=1 modules &&
			tests/vm/image.sh "$work/cpio" "$kernel" - 1 tests/debug/canary/init:/init \
				tests/vm/guest/lib.sh:/lib.sh "$work/zram.ko:/zram.ko"
	} >"$work/build.log" 2>&1 || cat "$work/build.log"
	tests/vm/boot.sh "$kernel" "$work/cpio" "$work/log" "$work/results" 200 256 3 \
		"CASE=${name%-*}" >"$work/verdict" 2>&1
	for pattern; do
		if grep -a -q -E "$pattern" "$work/log" "$work/verdict"; then
			good=$((good + 1))
		else
			bad=$((bad + 1))
			printf '%s: no "%s" in %s\n' "$name" "$pattern" "$logs/$name"
		fi
	done
	printf '%d %d 0 %d\n' "$good" "$bad" $((SECONDS - start)) >"$logs/$name.count"
	printf '%s: %d passed, %d failed (%d s)\n' "$name" "$good" "$bad" $((SECONDS - start))
}

# A guest is so slow that whatever is waited for may take four times as long. On a
# host that busy it may be wrong about the rate of the TSC: once it was by a factor of
# three. KASAN and KCSAN need memory of their own: without, the kernel reclaims what a
# suite wants to be pending. A suite runs out of memory on purpose, and so
# would kmemleak, which is then of no use: leaks are looked for in the other parts.
slow=(-s 4 -w clocksource=hpet)
kasan=("${slow[@]}" -m 256 -w page_poison=1)
kcsan=("${slow[@]}" -m 224)

# Starts it as soon as fewer than two are at work: part NAME, or canary NAME
queue() {
	if [ ${#chosen[@]} != 0 ] && [[ " ${chosen[*]} " != *" $2 "* ]]; then
		return
	fi
	while [ "$(jobs -rp | wc -l)" -ge 2 ]; do
		wait -n
	done
	"$@" &
}

# row PART KERNEL WHAT
row() {
	local good bad left took
	read -r good bad left took <"$logs/$1.count"
	printf '| %s | %s | %d s | %d | %d | %s |\n' "$2" "$3" "$took" $((good + bad)) "$bad" \
		"$([ "$1" = "${1#kcsan}" ] && echo - || echo "$left")"
}

report() {
	local took="in $((SECONDS - begin)) s"
	[ ${#chosen[@]} = 0 ] || took="of these run again after the others: ${chosen[*]}"
	cat <<TEXT
\`make test-debug\`: the suites of \`tests/vm\` and its storm, on kernels built with what looks for mistakes while they run
(\`tests/debug/*.config\`), and on Debian's PREEMPT_RT kernel. Any report of a kernel is a check that failed, but
for data races in which no function of our modules takes part. $(date -u +%F), $took.

| kernel | what | duration | checks | failed | data races of the kernel alone |
|---|---|---|---|---|---|
$(row mistakes-canary "${kver[6.12-kasan]}: KASAN, lockdep, debug objects" "seeded mistakes")
$(row kasan "the same, page poisoning" suites)
$(row kasan-writeback "the same, kmemleak" "writeback, disks that fail")
$(row kasan-parts "the same" "I/O of parts of pages, disks that fail, all attributes at once")
$(row kasan-storm "the same" "storm of $storm s")
$(row kasan-inject "the same, owners of pages" "each place that allocates fails")
$(row race-canary "${kver[6.12-kcsan]}: KCSAN, strict" "a seeded race")
$(row kcsan "the same" suites)
$(row kcsan-writeback "the same" "writeback, disks that fail")
$(row kcsan-parts "the same" "I/O of parts of pages")
$(row kcsan-storm "the same" "storm of $storm s")
$(row rt "${kver[6.12-rt-amd64]}" suites)
$(row rt-writeback "the same" "writeback, disks that fail")
$(row rt-parts "the same" "I/O of parts of pages")
$(row rt-storm "the same" "storm of $storm s")

TEXT
	# What has failed, if anything
	for name in "${parts[@]}"; do
		sed -n "s/^not ok /- $name: /p" "$logs/$name.log" 2>/dev/null
	done
}

for name in "${chosen[@]}"; do
	[[ " ${parts[*]} " = *" $name "* ]] || die "there is no part '$name'"
done
[ ${#chosen[@]} != 0 ] || rm -rf "$logs"
mkdir -p "$logs"
declare -A kver
for kernel in "${kernels[@]}"; do
	dir=$(scripts/kernel-fetch.sh "$kernel") || die "there is no kernel $kernel"
	kver[$kernel]=$(cat "$dir/kver")
done
printf 'kernels: %d s\n' $((SECONDS - begin))
queue canary mistakes-canary 6.12-kasan 'KASAN: slab-out-of-bounds in wild' \
	'possible circular locking' 'sleeping function called' 'blocks lost: 1' \
	'BUG: using __this_cpu' 'ODEBUG: free active' 'kernel complained: '
queue canary race-canary 6.12-kcsan 'KCSAN: data-race in racer' 'kernel complained: .*KCSAN'
# The longest first, so that the two end at about the same time.
queue part kasan "${kasan[@]}" -w kmemleak=off 6.12-kasan
# Debug objects refill their pool within the calls that are counted, and hide others.
queue part kasan-inject "${kasan[@]}" -w page_owner=on -w slab_debug=FZ \
	-w no_debug_objects -i debug512 6.12-kasan inject
queue part kcsan "${kcsan[@]}" 6.12-kcsan
queue part kasan-storm "${kasan[@]}" -d "$storm" 6.12-kasan storm
queue part kcsan-storm "${kcsan[@]}" -d "$storm" 6.12-kcsan storm
# The disk is in the guest's memory.
queue part kasan-writeback "${kasan[@]}" -m 512 6.12-kasan writeback failing
queue part kcsan-writeback "${kcsan[@]}" -m 448 6.12-kcsan writeback failing
# Blocks of less than a page
queue part kasan-parts "${kasan[@]}" -m 512 -i debug512 6.12-kasan parts failing attributes
queue part rt-storm -s 2 -m 256 -d "$storm" 6.12-rt-amd64 storm
queue part rt -s 2 -m 256 6.12-rt-amd64
queue part rt-writeback -s 2 -m 256 6.12-rt-amd64 writeback failing
queue part kcsan-parts "${kcsan[@]}" -m 448 -i debug512 6.12-kcsan bio parts
queue part rt-parts -s 2 -m 256 -i debug512 6.12-rt-amd64 bio parts
wait

[ -z "$record" ] || report | scripts/verification.py 'Kernels that watch themselves'
[ ${#chosen[@]} != 0 ] || chosen=("${parts[@]}")
passed=0
failed=0
for name in "${chosen[@]}"; do
	read -r good bad _ <"$logs/$name.count" || good=0 bad=1
	passed=$((passed + good))
	failed=$((failed + bad))
done
printf 'took %d s\n' $((SECONDS - begin))
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
