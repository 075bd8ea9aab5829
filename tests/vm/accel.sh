#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Print the QEMU accelerator that a kernel is to be run with here: "kvm" if there
# is one that works, else "tcg,thread=multi": always for a kernel of another architecture.
#
# usage: accel.sh KERNEL_DIR
#
# A /dev/kvm that can be opened may still be of no use: in a virtual machine whose
# host emulates it, kernels stop at instructions that it does not know. So the
# kernel is tried: without a root file system it must come to its panic, and QEMU
# to its end, in some seconds. What was found is kept until this machine boots again.

set -euo pipefail

# shellcheck source=scripts/arch.sh
. "$(dirname "$0")/../../scripts/arch.sh"
kernel=$1
arch_set "$(arch_of "$kernel")"
found=tcg,thread=multi

try_kvm() {
	emulator=$("$(dirname "$0")/../../scripts/qemu-fetch.sh" "$arch") || return 1
	# shellcheck disable=SC2086 # arch_board is words
	timeout --kill-after=2 10 "$emulator" $arch_board -accel kvm -cpu host -m 256 -smp 2 \
		-nodefaults -no-user-config -display none -no-reboot \
		-kernel "$kernel/boot/vmlinuz-$(cat "$kernel/kver")" -append "panic=-1" \
		</dev/null >/dev/null 2>&1
}

if [ "$arch" = "$(machine_arch)" ] && [ -r /dev/kvm ] && [ -w /dev/kvm ]; then
	cache=${XDG_CACHE_HOME:-$HOME/.cache}/lethe
	mkdir -p "$cache"
	known=$cache/accel
	exec 9>"$known.lock"
	flock 9
	key="$(cat /proc/sys/kernel/random/boot_id) $(cat "$kernel/kver")"
	touch "$known"
	if ! grep -qxF "$key yes" "$known" && ! grep -qxF "$key no" "$known"; then
		answer=no
		if try_kvm; then
			answer=yes
		fi
		printf '%s %s\n' "$key" "$answer" >>"$known"
	fi
	if grep -qxF "$key yes" "$known"; then
		found=kvm
	fi
fi
printf '%s\n' "$found"
