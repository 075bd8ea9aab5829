# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# To be sourced by what runs the exit benchmark in a guest, in QEMU or in
# User-Mode Linux: what comes before, and what is said meanwhile.

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/.." && pwd)
work=$top/build/bench
mkdir -p "$work"
start=$SECONDS

die() {
	printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2
	exit 1
}

step() {
	printf '[%3d s] %s\n' $((SECONDS - start)) "$*"
}

# points_of PROCS,... MIB,...: each with each, as guest-init wants them
points_of() {
	local procs mib points=
	for procs in ${1//,/ }; do
		for mib in ${2//,/ }; do
			points+=,${procs}x$mib
		done
	done
	printf '%s' "${points#,}"
}

# mib_of POINT,...: the largest size
mib_of() {
	tr , '\n' <<<"$1" | sed 's/.*x//; s/:.*//' | sort -n | tail -n 1
}

# uml_cpus SERIES CPUS: sets most, for how many CPUs User-Mode Linux of that series is built
uml_cpus() {
	local config=$here/uml/$1.config
	[ -f "$config" ] || die "there is no bench/uml/$1.config"
	most=$(sed -n 's/^CONFIG_NR_CPUS=//p' "$config")
	: "${most:=1}"
	[ "$2" -le "$most" ] || die "User-Mode Linux $1 is built for so many CPUs: $most"
}

# prepare KERNEL_DIR VARIANT,... INITRAMFS: sets kver, and modules to the directory
# of ours, "-" if none are meant
prepare() {
	local build ko own=()
	kver=$(cat "$1/kver")
	modules=-
	if [ "$2" != intree ]; then
		step "build lethe.ko and zram.ko for $kver"
		modules=$("$top/scripts/build-modules.sh" "$1")
	fi
	for build in unbatched bulk alone; do
		[[ ,$2, = *,$build,* ]] || continue
		"$top/scripts/build-modules.sh" "$1" $build >/dev/null
		for ko in lethe.ko zram.ko; do
			own+=("$modules/$build/$ko:/modules/$build/$ko")
		done
	done
	step "make an initramfs with page content from /usr/lib"
	gcc -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -static -I"$top/tools" -o "$work/exitbench" \
		"$here/exitbench.c" "$here/bystander.c" "$here/load.c" \
		"$top/tools/"{back,victim,mmstat,smallfile,interrupt,say,progress,clock,samples}.c
	"$top/tests/vm/image.sh" "$3" "$1" "$modules" 64 \
		"$here/guest-init:/init" "$top/tests/vm/guest/lib.sh:/lib.sh" \
		"$work/exitbench:/bin/exitbench" "${own[@]}"
}

# follow PID RESULTS: say what the guest says, for as long as the process lives
follow() {
	tail -n +1 -f --pid="$1" "$2" 2>/dev/null | while read -r word line; do
		case $word in
		step) step "${line%$'\r'}" ;;
		fail:) (die "the guest says: ${line%$'\r'}") || true ;;
		esac
	done
}

# in_qemu [-i] OUT KERNEL_DIR CPUS SECONDS POINTS WORD...: boot it with memory for the
# points, and follow it; measurements are in $work/OUT.results
in_qemu() {
	local how=()
	if [ "$1" = -i ]; then
		how=(-i)
		shift
	fi
	in_qemu_of $(($(mib_of "$5") + 512)) "${how[@]}" "${@:1:4}" "POINTS=$5" "${@:6}"
}

# in_qemu_of MIB [-i] [-x ERE] OUT KERNEL_DIR CPUS SECONDS WORD...: with so much memory,
# and options of boot.sh
in_qemu_of() {
	local how=() mib=$1 out kernel cpus seconds boot
	shift
	while [[ $1 = -* ]]; do
		if [ "$1" = -x ]; then
			how+=("$1")
			shift
		fi
		how+=("$1")
		shift
	done
	out=$1 kernel=$2 cpus=$3 seconds=$4
	shift 4
	: >"$work/$out.results"
	"$top/tests/vm/boot.sh" "${how[@]}" "$kernel" "$work/$out.cpio" "$work/$out.log" \
		"$work/$out.results" "$seconds" "$mib" "$cpus" "$@" >"$work/$out.verdict" &
	boot=$!
	# shellcheck disable=SC2064 # this process, whatever comes later
	trap "kill $boot 2>/dev/null || true" EXIT
	follow $boot "$work/$out.results"
	wait $boot || die "$(cat "$work/$out.verdict"); see build/bench/$out.log"
	trap - EXIT
}
