# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# To be sourced by what builds for another architecture than this machine's, or runs
# it. Architectures have the names that Debian gives them; what they are called by others
# is here. (What a kernel's command line has to say on each is in tests/vm/boot.sh.)

machine_arch() {
	case $(uname -m) in
	x86_64) echo amd64 ;;
	aarch64) echo arm64 ;;
	*) uname -m ;;
	esac
}

# arch_of KERNEL_DIR: of a kernel that kernel-fetch.sh or another one printed. Only one
# that is not for this machine has a file that says so, and User-Mode Linux.
arch_of() {
	case $(cat "$1/arch" 2>/dev/null) in
	'' | um) machine_arch ;;
	*) cat "$1/arch" ;;
	esac
}

# arch_set ARCH: sets what the architecture is called
#   arch          by Debian: ARCH itself
#   arch_kernel   by the kernel's make, as ARCH=
#   arch_machine  by uname -m, and by QEMU
#   arch_gnu      by compilers: the prefix of gcc and the rest
#   arch_board    which machine QEMU is to be, as arguments, where it has no default
# shellcheck disable=SC2034 # for the caller
arch_set() {
	arch=$1 arch_board=
	case $arch in
	amd64) arch_kernel=x86_64 arch_machine=x86_64 ;;
	arm64)
		arch_kernel=arm64 arch_machine=aarch64
		arch_board='-machine virt,gic-version=max'
		;;
	*)
		printf "'%s' is no architecture that is known here\n" "$arch" >&2
		return 1
		;;
	esac
	arch_gnu=$arch_machine-linux-gnu
}
