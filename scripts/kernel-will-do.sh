#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Can the modules be built and used for an installed kernel? If not, print one sentence
# that says why. It stands beside dkms.conf's directory "scripts", and reads it.
#
# usage: kernel-will-do.sh [-b DIRECTORY] [-k BUILD_DIRECTORY] KVER
#
# -b: the system is below DIRECTORY. -k: the kernel's headers are there.

set -eu

conf=$(dirname "$0")/../dkms.conf
base=
kdir=

no() {
	printf 'Linux %s: %s; its own zram stays as it is\n' "$kver" "$*"
	exit 1
}

while getopts b:k: option; do
	case $option in
	b) base=$OPTARG ;;
	k) kdir=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
kver=${1:?which kernel?}
kdir=${kdir:-$base/lib/modules/$kver/build}

# value NAME: of dkms.conf, as it stands there
value() {
	sed -n "s/^$1=\"\(.*\)\"\$/\1/p" "$conf"
}

[ -d "$base/lib/modules/$kver" ] || [ -d "$kdir" ] ||
	no "no kernel of this name is installed"
! grep -qs '/zram/zram\.ko$' "$base/lib/modules/$kver/modules.builtin" ||
	no "zram is built into it (CONFIG_ZRAM=y), so that no module can take its place"
printf '%s\n' "$kver" | grep -Eq -- "$(value BUILD_EXCLUSIVE_KERNEL)" ||
	no "Lethe $(value PACKAGE_VERSION) is not for this kernel"
[ -e "$kdir/include/generated/autoconf.h" ] || [ -e "$kdir/include/config/auto.conf" ] ||
	no "its headers are not installed (on Debian, linux-headers-$kver)"
