#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# make, for modules of a kernel that this machine need not run: by the compiler that
# built the kernel.
#
# usage: kbuild.sh KERNEL_DIR [ARGUMENT OF MAKE]...
#
# KERNEL_DIR is what kernel-fetch.sh, debug-build.sh or uml-build.sh printed. Its file
# "userland" says whose compiler that is (userland.sh), if it is not the machine's own.
# What M= says is to be in this tree or in the cache.

set -eu

dir=$1
shift
# What a calling make was told is not meant for Kbuild.
unset MAKEFLAGS
[ ! -f "$dir/arch" ] || set -- ARCH="$(cat "$dir/arch")" "$@"
set -- make -C "$dir/build" -j"$(nproc)" "$@"
[ ! -f "$dir/userland" ] ||
	set -- "$(dirname "$0")/userland.sh" "$(cat "$dir/userland")" "$@"
exec "$@"
