#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Run suites in a virtual machine.
#
# usage: run.sh [-d SECONDS] [-i lethe|debug|debug512|intree|tree|plain] [-m MIB] [-n]
#               [-s FACTOR] [-t TAG] [-w WORD] KERNEL [SUITE ...]
#
# KERNEL is a name for kernel-fetch.sh, or a directory that it has printed. -m is
# the guest's memory, 168 MiB if it is not given (224 for arm64, 384 with pages of 16 KiB).
# -s: the kernel is that many times slower than Debian's, so that whatever has to happen
# in a time may take as many times longer. -d is how long the suite "storm" storms, which
# is only run if it is named. -w is a word for the kernel's command line. Without SUITE:
# all that the implementation under test can pass, or is for. The modules under test are
# those of build/modules (debug and debug512: see build-modules.sh), which are brought up
# to date unless -n is given; 'intree' takes the kernel's own zram instead, which
# shows that the suites ask nothing that is not so; 'tree' and 'plain' are for a kernel of
# scripts/tree-build.sh, in which zram and zswap are built in, with Lethe and without. The
# console stays in build/vm, as TAG-RELEASE.log (TAG: what -i says). The last line is
# "vm: N passed, N failed".

set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
impl=lethe
build=yes
tag=
mib=
storm=60
slow=1
words=()

die() {
	printf 'tests/vm: %s\n' "$*" >&2
	exit 1
}

while getopts d:i:m:ns:t:w: option; do
	case $option in
	d) storm=$OPTARG ;;
	i) impl=$OPTARG ;;
	m) mib=$OPTARG ;;
	n) build=no ;;
	s) slow=$OPTARG ;;
	t) tag=$OPTARG ;;
	w) words+=("$OPTARG") ;;
	*) die "usage: run.sh [-d SECONDS] [-i IMPLEMENTATION] [-m MIB] [-n] [-s FACTOR] [-t TAG] [-w WORD] KERNEL [SUITE ...]" ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 1 ] || die "which kernel?"
kernel=$("$top/scripts/kernel-fetch.sh" "$1")
kver=$(cat "$kernel/kver")
shift
# shellcheck source=scripts/arch.sh
. "$top/scripts/arch.sh"
arch_set "$(arch_of "$kernel")"
[ -n "$mib" ] || case $arch-$kver in
amd64-*) mib=168 ;;
*-16k) mib=384 ;; # whatever takes a few pages takes four times as much
*) mib=224 ;;
esac
compiler=(gcc)
[ "$arch" = "$(machine_arch)" ] ||
	compiler=("$arch_gnu-gcc" "--sysroot=$("$top/scripts/sysroot-fetch.sh" "$arch")/root")

abi=(sysfs bio codecs params idle ext4 backing devices)
ours=("${abi[@]}" greedy recompress swap pending causes policies teardown hotplug streams stat try pressure)
case $impl in
lethe | debug | debug512)
	suites=("${ours[@]}")
	kind=${impl/lethe/}
	[ "$kind" != debug512 ] || suites=(bio teardown)
	# The disk to write back to is cut into pages of 4 KiB.
	[ "$kind-$arch" != debug512-amd64 ] || suites+=(parts failing)
	modules=$top/build/modules/$kver${kind:+/$kind}
	[ "$build" = no ] || "$top/scripts/build-modules.sh" "$kernel" ${kind:+"$kind"} >/dev/null
	;;
intree)
	suites=("${abi[@]}")
	modules=-
	;;
tree | plain)
	suites=(tree zswap swap bio ext4)
	[ "$impl" = plain ] || suites+=(pending causes pressure stat)
	modules=-
	words+=(zram.num_devices=2)
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
"${compiler[@]}" -std=gnu11 -O2 -Wall -Wextra -Werror -static -o "$vmtest" "$here"/prog/*.c
guest=("$here/guest/init:/init" "$here/guest/lib.sh:/lib.sh" "$vmtest:/bin/vmtest")
for suite in "${suites[@]}"; do
	[ -f "$here/guest/suites/$suite.sh" ] || die "there is no suite '$suite'"
	guest+=("$here/guest/suites/$suite.sh:/suites/$suite.sh")
done
expected=()
# Suites that write pages back to a disk
to_disk=' (writeback|failing|parts) '
case " ${suites[*]} " in
# Memory runs out on purpose, or is refused.
*" causes "* | *" storm "* | *" inject "*) expected=(-x 'vmtest: page allocation failure') ;;
esac
# Pages that cannot be read from a disk that fails; users of the device say so.
[[ ! " ${suites[*]} " =~ $to_disk ]] || expected+=(-x 'Buffer I/O error on dev (zram0|dm-0), ')
# And from a disk that goes, or swapped in.
[[ " ${suites[*]} " != *" failing "* ]] || expected+=(-x '(Buffer )?I/O error,? (on )?dev vda, |Read-error on swap-device')
if [[ " ${suites[*]} " = *" probe "* ]]; then
	# The kernel's own zram asks for tables that no memory can hold. A disk is read-only.
	expected+=(-x 'page allocation failure|vmalloc error|WARNING: .*(alloc|vmalloc)|I/O error, dev loop0, ')
fi
if [[ "$impl ${suites[*]} " =~ ^intree\ (.* )?attributes\  ]]; then
	# The kernel's own devices have slab caches each; of two that come and go at once
	# sysfs takes one for the other.
	expected+=(-x 'cannot create duplicate filename ./kernel/slab/')
fi
if [[ " ${suites[*]} " = *" inject "* ]]; then
	"$here/sites.py" "$modules/lethe.ko" "$modules/zram.ko" >"$work/$name.sites"
	guest+=("$work/$name.sites:/sites")
	# Writes that get no memory fail; users of the device say so.
	expected+=(-x 'Write-error on swap-device|Buffer I/O error on dev zram0, ')
fi
if [[ " ${suites[*]} " =~ \ (stat|try)\  ]]; then
	guest+=("$("$top/scripts/static-tool.sh" "$arch"):/bin/lethe")
fi
# What kernels have shown once, for the suite to compare
[[ " ${suites[*]} " != *" stat "* ]] || guest+=("$top/tests/stat/${impl/debug*/lethe}.txt:/recording")
more=()
[[ " ${suites[*]} " != *" zpool "* ]] || more+=(-m "disk:virtio_pci,virtio_blk")
if [[ " ${suites[*]} " = *" users "* ]]; then
	for program in mkfs.xfs xfs_repair mkfs.btrfs btrfs mkfs.f2fs fsck.f2fs dmsetup lvm fio; do
		more+=(-p "$program")
	done
	# File systems ask for their checksums by name, dm-crypt for its cipher.
	names=crc32c_generic,libcrc32c,crc32_generic,blake2b_generic,xxhash_generic,sha256_generic
	names+=,aes_generic,cbc,essiv,ext4,xfs,btrfs,f2fs,dm_mod,dm_crypt,loop
	more+=(-m "users:$names")
	mib=768
fi
[[ " ${suites[*]} " != *" hugepages "* ]] || mib=1024
if [[ " ${suites[*]} " =~ \ (backing|inject|attributes|probe)\  || " ${suites[*]} " =~ $to_disk ]]; then
	more+=(-m "disks:loop,dm_mod,dm_delay,virtio_pci,virtio_blk")
fi
[[ ! " ${suites[*]} " =~ $to_disk ]] || more+=(-p dmsetup)
"$here/image.sh" "${more[@]}" "$initramfs" "$kernel" "$modules" 6 "${guest[@]}"

how=()
[ "${suites[*]}" != numa ] || how=(-n)
[[ " ${suites[*]} " != *" movable "* ]] || how+=(-p 128)
[[ " ${suites[*]} " != *" cma "* ]] || words+=(cma=32M)
# Since 6.17 the modules' pages stay where they are, so not in what arm64's kernels keep
# for CMA, 64 MiB. README says what comes of that where memory is short.
if [ "$arch-$impl" = arm64-lethe ] && printf '6.17\n%s\n' "$kver" | sort -CV; then
	words=(cma=0 "${words[@]}")
fi
if [[ " ${suites[*]} " = *" zpool "* || " ${suites[*]} " =~ $to_disk ]]; then
	rm -f "$work/$name.disk"
	truncate -s 512M "$work/$name.disk"
	how+=(-d "$work/$name.disk")
fi
# To swap to, and to write back to
if [[ $impl =~ ^(tree|plain)$ ]]; then
	for disk in vda:512M vdb:64M; do
		rm -f "$work/$name.${disk%:*}"
		truncate -s "${disk#*:}" "$work/$name.${disk%:*}"
		how+=(-d "$work/$name.${disk%:*}")
	done
fi

# Three CPUs: one to work on, one to hold the drain threads back on, one to take away
start=$SECONDS
seconds=$((600 * slow))
# Emulated by whatever machine runs this, and slower than one of its own kind
[ "$arch" = "$(machine_arch)" ] || seconds=$((3 * seconds))
[ "${suites[*]}" != storm ] || seconds=$((seconds + 2 * storm))
list=$(IFS=, && printf '%s' "${suites[*]}")
verdict=good
"$here/boot.sh" "${how[@]}" "${expected[@]}" "$kernel" "$initramfs" "$log" "$results" "$seconds" "$mib" 3 \
	"SUITES=$list" "IMPL=${impl/debug*/lethe}" "KIND=$impl" "SLOW=$slow" "STORM=$storm" "${words[@]}" \
	>"$work/$name.verdict" || verdict=$(cat "$work/$name.verdict")

rm -f "$work/$name.disk"
[[ " ${suites[*]} " != *" probe "* ]] ||
	tr -d '\r' <"$results" | sed -n 's/^probe //p' >"$work/$name.answers"
passed=$(grep -a -c '^ok ' "$results" || true)
failed=$(grep -a -c '^not ok ' "$results" || true)
if [ "$verdict" = good ]; then
	passed=$((passed + 1))
else
	failed=$((failed + 1))
fi
rm -f "$work/$name".vd[ab]
if [ "$failed" = 0 ]; then
	rm -f "$results" "$initramfs" "$vmtest" "$work/$name.verdict" "$work/$name.sites"
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
[ ! -s "$log.races" ] ||
	printf 'vm: %d data races of the kernel alone left out\n' "$(wc -l <"$log.races")"
printf 'vm: %s on %s, %s, %d s\n' "$impl" "$kver" "$list" $((SECONDS - start))
printf 'vm: %d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
