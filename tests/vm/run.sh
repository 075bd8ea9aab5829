#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Run suites in a virtual machine.
#
# usage: run.sh [-i lethe|debug|debug512|intree] [-n] [-t TAG] KERNEL [SUITE ...]
#
# KERNEL is a name for kernel-fetch.sh. Without SUITE: all that the
# implementation under test can pass, or is for. The modules under test are those
# of build/modules (debug and debug512: see build-modules.sh), which are brought up
# to date unless -n is given; 'intree' takes the kernel's own zram instead, which
# shows that the suites ask nothing that is not so. The console stays in build/vm,
# as TAG-RELEASE.log (TAG: what -i says). The last line is
# "vm: N passed, N failed".

set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
impl=lethe
build=yes
tag=

die() {
	printf 'tests/vm: %s\n' "$*" >&2
	exit 1
}

while getopts i:nt: option; do
	case $option in
	i) impl=$OPTARG ;;
	n) build=no ;;
	t) tag=$OPTARG ;;
	*) die "usage: run.sh [-i lethe|debug|debug512|intree] [-n] [-t TAG] KERNEL [SUITE ...]" ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 1 ] || die "which kernel?"
kernel=$("$top/scripts/kernel-fetch.sh" "$1")
kver=$(cat "$kernel/kver")
shift

abi=(sysfs bio codecs ext4)
ours=("${abi[@]}" swap pending causes policies teardown)
case $impl in
lethe | debug | debug512)
	suites=("${ours[@]}")
	kind=${impl/lethe/}
	[ "$kind" != debug512 ] || suites=(bio teardown)
	modules=$top/build/modules/$kver${kind:+/$kind}
	[ "$build" = no ] || "$top/scripts/build-modules.sh" "$kver" ${kind:+"$kind"} >/dev/null
	;;
intree)
	suites=("${abi[@]}")
	modules=-
	;;
*) die "there is no implementation '$impl'" ;;
esac
[ $# = 0 ] || suites=("$@")

work=$top/build/vm
mkdir -p "$work"
name=${tag:-$impl}-$kver
log=$work/$name.log
results=$work/$name.results
initramfs=$work/$name.cpio

vmtest=$work/$name.vmtest
gcc -std=gnu11 -O2 -Wall -Wextra -Werror -static -o "$vmtest" "$here"/prog/*.c
guest=("$here/guest/init:/init" "$here/guest/lib.sh:/lib.sh" "$vmtest:/bin/vmtest")
for suite in "${suites[@]}"; do
	[ -f "$here/guest/suites/$suite.sh" ] || die "there is no suite '$suite'"
	guest+=("$here/guest/suites/$suite.sh:/suites/$suite.sh")
done
"$here/image.sh" "$initramfs" "$kernel" "$modules" 6 "${guest[@]}"

# Three CPUs: one to work on, one to hold the worker back on, one to take away
start=$SECONDS
list=$(IFS=, && printf '%s' "${suites[*]}")
verdict=good
"$here/boot.sh" "$kernel" "$initramfs" "$log" "$results" 420 160 3 \
	"SUITES=$list" "IMPL=${impl/debug*/lethe}" "KIND=$impl" >"$work/$name.verdict" || verdict=$(cat "$work/$name.verdict")

passed=$(grep -a -c '^ok ' "$results" || true)
failed=$(grep -a -c '^not ok ' "$results" || true)
if [ "$verdict" = good ]; then
	passed=$((passed + 1))
else
	failed=$((failed + 1))
fi
if [ "$failed" = 0 ]; then
	rm -f "$results" "$initramfs" "$vmtest" "$work/$name.verdict"
else
	grep -a '^not ok ' "$results" | tr -d '\r' || true
	[ "$verdict" = good ] || printf 'not ok boot: %s\n' "$verdict"
	printf 'console: %s\n' "${log#"$top/"}"
	# Either may be empty: of a guest that said nothing, QEMU may tell why.
	{
		[ ! -s "$log.qemu" ] || tail -n 5 "$log.qemu"
		grep -a -v ' s: ok ' "$log" | tr -d '\r' | tail -n 25
	} | sed 's/^/  | /' || true
fi
printf 'vm: %s on %s, %s, %d s\n' "$impl" "$kver" "$list" $((SECONDS - start))
printf 'vm: %d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
