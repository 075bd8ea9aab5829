#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# make, for modules of a kernel that this machine need not run: by the compiler that
# built the kernel, or for another architecture, the one like it that runs here.
#
# usage: kbuild.sh KERNEL_DIR [ARGUMENT OF MAKE]...
#
# KERNEL_DIR is what kernel-fetch.sh, debug-build.sh or uml-build.sh printed. Its file
# "userland" says whose compiler that is (userland.sh), if it is not the machine's own,
# and "arch" for which architecture, if it is not the machine's, or that it is User-Mode
# Linux ("um").
# What M= says is to be in this tree or in the cache.

set -eu

here=$(dirname "$0")
# shellcheck source=scripts/arch.sh
. "$here/arch.sh"
dir=$1
shift
# What a calling make was told is not meant for Kbuild.
unset MAKEFLAGS
arch_set "$(arch_of "$dir")"
if [ ! -f "$dir/arch" ]; then
	:
elif [ "$(cat "$dir/arch")" = um ]; then
	set -- ARCH=um "$@"
else
	set -- ARCH="$arch_kernel" CROSS_COMPILE="$arch_gnu-" "$@"
fi
set -- make -C "$dir/build" -j"$(nproc)" "$@"
[ ! -f "$dir/userland" ] ||
	set -- "$here/userland.sh" -a "$arch" "$(cat "$dir/userland")" "$@"
exec "$@"
