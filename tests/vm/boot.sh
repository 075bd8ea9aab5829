#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Boot a kernel in QEMU and judge its console.
#
# usage: boot.sh [-d FILE]... [-i] [-n] [-p MIB] [-x ERE] KERNEL_DIR INITRAMFS LOG RESULTS SECONDS
#                MIB CPUS [WORD ...]
#
# -d: a disk of the guest's, /dev/vda and so on, in this order; the guest writes to it.
# -n: two NUMA nodes: the first has CPU 0, and half of the memory.
# -p: a module of memory, of so many MiB, that the guest may bring online.
# -x: lines of the console that are no complaints, as they are what the boot is for.
# -i: a ns of the guest's time is an instruction carried out, on one CPU, so that
# the same run gives the same figures on any machine, busy or not.
#
# LOG receives the console, RESULTS what the guest writes to its second serial
# port, of which the environment variable RESULTS of init is the device. WORDs go to the kernel command line, where those with a '=' and no '.'
# become environment variables of init. The kernel comes up on one CPU, and init
# takes the others in (guest_start): with more than one, QEMU's translator now and
# then carries out a breakpoint that the kernel has just taken out of its own code
# again, some boots in a hundred on a busy machine. Exit status 0: the guest ended by its
# own power-off with the line "end" as its last result, in time, and the kernel
# had nothing to complain about. Otherwise one sentence says what went wrong.

set -euo pipefail

complaints='WARNING:|BUG:|BUG at|BUG [a-zA-Z0-9_-]+ \(|Oops|general protection|unable to handle|stack segment|'\
'Kernel panic|soft lockup|hard LOCKUP|blocked for more than|detected stalls|self-detected stall|'\
'non-static key|ODEBUG|pagealloc: |corrupted page details|detected expedited stalls|'\
'printk messages dropped|cannot create duplicate|tried to init an initialized|'\
'possible circular|possible recursive|inconsistent lock|suspicious RCU|bad: scheduling|'\
'scheduling while atomic|sleeping function|refcount_t:|list_(add|del) corruption|'\
'Bad page|bad_page|UBSAN|KASAN|still in use|Objects remaining|page allocation failure|'\
'kmemleak: (Cannot (insert|allocate a kmemleak)|Found object by alias|Freeing|Memory pool)|'\
'lethe: pool |nobody cared|Bad swap|I/O error|error on swap-device|EXT4-fs error'

die() {
	printf '%s\n' "$*"
	exit 1
}

# Of the reports of data races (KCSAN), those in which neither stack has a function
# of our modules: the kernel's own, which are not held against us. Their titles. One is
# the kernel's whoever calls: a task that is preempted while it gives up its plug
# (__blk_flush_plug) finds that the scheduler has cleared the plug's time meanwhile, or
# that the timer reads its flags (kthread_data), of which it clears one.
kernels_own_races() {
	tr -d '\r' <"$log" | awk '
		/BUG: KCSAN: / { title = $0; ours = 0; next }
		/\[(lethe|zram)\]/ { ours = 1 }
		title != "" && /==================/ {
			if (!ours || title ~ /data-race in __blk_flush_plug(\+[^\/]*\/0x[0-9a-f]+| \/ kthread_data)$/)
				print title
			title = ""
		}'
}

expected='^$'
counted=no
nodes=1
disks=()
module=
usage="usage: boot.sh [-d FILE]... [-i] [-n] [-p MIB] [-x ERE] KERNEL_DIR INITRAMFS LOG RESULTS SECONDS MIB CPUS [WORD ...]"
while getopts d:inp:x: option; do
	case $option in
	d) disks+=(-drive "file=$OPTARG,format=raw,if=virtio,cache=unsafe") ;;
	i) counted=yes ;;
	n) nodes=2 ;;
	p) module=$OPTARG ;;
	x) expected="$expected|$OPTARG" ;;
	*) die "$usage" ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 7 ] || die "$usage"
kernel=$1 initramfs=$2 log=$3 results=$4 seconds=$5 mib=$6 cpus=$7
shift 7
words=("$@")
memory=(-m "$mib")
if [ -n "$module" ]; then
	memory=(-m "size=${mib}M,slots=1,maxmem=$((mib + module + 1024))M")
	memory+=(-object "memory-backend-ram,id=module,size=${module}M")
	memory+=(-device "pc-dimm,memdev=module")
	# It lies above 4 GiB, for which the kernel would set aside 64 MiB to bounce I/O.
	words+=(memhp_default_state=offline swiotlb=noforce)
fi
numa=()
if [ $nodes = 2 ]; then
	for node in 0 1; do
		numa+=(-object "memory-backend-ram,id=node$node,size=$((mib / 2))M,prealloc=on")
	done
	# A node has its own sockets.
	numa+=(-smp "$cpus,sockets=$cpus" -numa "node,cpus=0,memdev=node0" -numa "node,cpus=1-$((cpus - 1)),memdev=node1")
fi

# shellcheck source=scripts/arch.sh
. "$(dirname "$0")/../../scripts/arch.sh"
arch_set "$(arch_of "$kernel")"
# shellcheck disable=SC2206 # arch_board is words
machine=($arch_board)
emulator=$("$(dirname "$0")/../../scripts/qemu-fetch.sh" "$arch") || die "there is no QEMU"
case $arch in
amd64)
	results_port=(-serial "file:$results")
	# The kernel's test of the timer counts interrupts for some ms, in which a busy
	# host may let the guest have none. A CPU that comes in later takes 5 s to find
	# that it cannot calibrate its delay: lpj says what it is on a CPU of 5 GHz.
	words=(console=ttyS0 RESULTS=/dev/ttyS1 tsc=reliable no_timer_check lpj=20000000
		"${words[@]}")
	;;
arm64)
	# Its own serial port is alone, and no 16550. Pointers are signed by a cheap
	# algorithm: the architected one takes most of the time of emulation.
	machine+=(-cpu "max,pauth-impdef=on")
	results_port=(-chardev "file,id=results,path=$results" -device "pci-serial,chardev=results")
	words=(console=ttyAMA0 RESULTS=/dev/ttyS0 "${words[@]}")
	;;
esac

# boot ACCELERATOR...: sets status. QEMU pauses for ever when a KVM that seemed to
# work does not know an instruction; it is ended then.
boot() {
	: >"$log"
	: >"$results"
	: >"$log.qemu" # tail looks at it, perhaps before QEMU has it open
	status=0
	# Memory is touched by QEMU before the guest starts: what the host has yet to
	# provide would otherwise be charged to whoever in the guest touches it first.
	timeout --kill-after=5 "$seconds" "$emulator" "${machine[@]}" "$@" \
		"${memory[@]}" -mem-prealloc -smp "$cpus" "${numa[@]}" \
		-nodefaults -no-user-config -display none -no-reboot \
		"${disks[@]}" -serial "file:$log" "${results_port[@]}" \
		-kernel "$kernel/boot/vmlinuz-$(cat "$kernel/kver")" -initrd "$initramfs" \
		-append "panic=-1 oops=panic loglevel=6 maxcpus=1 ${words[*]}" \
		</dev/null >"$log.qemu" 2>&1 &
	qemu=$!
	trap 'kill $qemu 2>/dev/null || true' EXIT
	if [ "$2" = kvm ] && grep -q 'KVM internal error' \
		< <(tail -n +1 -s 0.1 -f --pid=$qemu "$log.qemu" 2>/dev/null); then
		kill $qemu
	fi
	wait $qemu || status=$?
	trap - EXIT
}

if [ "$counted" = yes ]; then
	boot -accel "tcg,thread=single" -icount "shift=0,sleep=off"
elif [ "$("$(dirname "$0")/accel.sh" "$kernel")" != kvm ]; then
	boot -accel "tcg,thread=multi"
else
	boot -accel kvm -cpu host
	if grep -q 'KVM internal error' "$log.qemu"; then
		boot -accel "tcg,thread=multi"
	fi
fi

if [ "$status" = 124 ] || [ "$status" = 137 ]; then
	die "no end within $seconds s"
elif [ "$status" != 0 ]; then
	die "QEMU ended with status $status: $(tail -n 1 "$log.qemu")"
fi
kernels_own_races >"$log.races"
complaint=$(tr -d '\r' <"$log" | grep -a -v -E "$expected" |
	grep -a -v -x -F -f "$log.races" | grep -a -E "$complaints" || true)
[ -s "$log.races" ] || rm "$log.races"
[ -z "$complaint" ] || die "the kernel complained: ${complaint%%$'\n'*}"
[ "$(tail -n 1 "$results" | tr -d '\r')" = end ] || die "the guest stopped before the end"
rm -f "$log.qemu"
