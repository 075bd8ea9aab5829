#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Install the Debian packages that building, testing and measuring need, as far
# as they are missing. Silent and fast when none is.
#
# usage: setup.sh [modules|install|deb|kernel-patch|arm64]
#
# modules: only what it takes to build the modules, for a machine that uses them;
# install: what "make install" needs, which builds library and tools as well;
# deb: what "make deb" needs; kernel-patch: what "make kernel-patch" needs;
# arm64: what it takes to build for arm64, and to run it, beside all the rest.

set -eu

# One a line: Debian package, or several with a '|' between them, as releases name it,
# then how to see it on a system without dpkg: commands, libraries, or headers below
# /usr/include, as many; then the groups that it is in. What is in arm64 alone is for
# that group alone. spatch of Debian 13 looks for the libpython that python3-dev has.
packages='
make             make               modules,install,deb,kernel-patch
gcc              gcc                modules,install,deb
kmod             depmod             modules,install
xz-utils         xz                 modules,install,kernel-patch
libc6-dev        stdio.h            install,deb
build-essential  g++                deb
pkg-config       pkg-config         install,deb
meson            meson              install,deb
ninja-build      ninja              install,deb
libcmocka-dev    cmocka.h
liblz4-dev       lz4.h              install,deb
liblzo2-dev      lzo/lzo1x.h        install,deb
libzstd-dev      zstd.h             install,deb
libncurses-dev   curses.h           install,deb
libelf-dev       libelf.h
debhelper        dh                 deb
dh-dkms          dh_dkms            deb
lintian          lintian            deb
mmdebstrap       mmdebstrap
scdoc            scdoc              install,deb
tmux             tmux
clang            clang
libclang-rt-dev  clang
clang-format     clang-format       kernel-patch
coccinelle       spatch             kernel-patch
python3-dev      python3-config     kernel-patch
git              git                kernel-patch
cppcheck         cppcheck
shellcheck       shellcheck
sparse           sparse
e2fsprogs        mke2fs
xfsprogs         mkfs.xfs
btrfs-progs      mkfs.btrfs
f2fs-tools       mkfs.f2fs
dmsetup          dmsetup
lvm2             lvm
fio              fio
flex             flex
bison            bison
bc               bc
busybox-static   busybox
debootstrap      debootstrap
qemu-system-x86  qemu-system-x86_64
python3          python3            kernel-patch
gnuplot-nox      gnuplot
libjemalloc2     libjemalloc.so.2
libmimalloc2.0|libmimalloc3 libmimalloc.so.2|libmimalloc.so.3
libtcmalloc-minimal4|libtcmalloc-minimal4t64 libtcmalloc_minimal.so.4
gcc-aarch64-linux-gnu aarch64-linux-gnu-gcc arm64
qemu-system-arm  qemu-system-aarch64 arm64
qemu-user-static qemu-aarch64-static arm64
'

PATH=$PATH:/usr/sbin:/sbin

die() {
	printf 'setup: %s\n' "$*" >&2
	exit 1
}

group=
case $#:${1-} in
0:) ;;
1:modules | 1:install | 1:deb | 1:kernel-patch | 1:arm64) group=$1 ;;
*) die "usage: setup.sh [modules|install|deb|kernel-patch|arm64]" ;;
esac

# Those of the group asked for: package and probe
wanted() {
	printf '%s' "$packages" | while read -r package probe of; do
		case $group,$of, in
		,arm64,) ;;
		,* | *",${group:-none},"*) [ -z "$package" ] || printf '%s %s\n' "$package" "$probe" ;;
		esac
	done
}

# pkg-config is a virtual package in some releases: whoever provides it counts.
missing_debian() {
	installed=" $(dpkg-query -W -f '${db:Status-Status} ${Package} ${Provides}\n' 2>/dev/null |
		sed -n 's/^installed //p' | sed 's/([^)]*)//g; s/,/ /g' | tr '\n' ' ') "
	wanted | while read -r packages _; do
		for package in $(one_by_one "$packages"); do
			case $installed in
			*" $package "*) continue 2 ;;
			esac
		done
		printf '%s ' "$packages"
	done
}

one_by_one() {
	printf '%s\n' "$1" | tr '|' ' '
}

# The words of "missing", each the first of its names that apt knows
as_named_here() {
	for packages in $missing; do
		for package in $(one_by_one "$packages"); do
			[ -z "$(apt-cache madison "$package" 2>/dev/null)" ] || break
		done
		printf '%s ' "$package"
	done
}

missing_elsewhere() {
	wanted | while read -r packages probes; do
		for probe in $(one_by_one "$probes"); do
			! is_there "$probe" || continue 2
		done
		printf '%s ' "$packages"
	done
}

is_there() {
	case $1 in
	*.h) [ -e "/usr/include/$1" ] ;;
	*.so.*) ldconfig -p | grep -q -F "$1" ;;
	*) command -v "$1" >/dev/null ;;
	esac
}

if command -v dpkg-query >/dev/null; then
	missing=$(missing_debian)
else
	missing=$(missing_elsewhere)
fi
missing=${missing% }
[ -n "$missing" ] || exit 0

command -v apt-get >/dev/null ||
	die "there is no apt-get here; install by hand what these Debian packages hold: $missing"
if [ "$(id -u)" = 0 ]; then
	as_root=
elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
	as_root=sudo # which may ask for a password if there is somebody to ask
else
	die "no right to install packages; as root, run: apt-get install $missing"
fi

printf 'setup: installing %s\n' "$missing" >&2
# shellcheck disable=SC2046,SC2086 # as_root and missing are lists of words
{
	$as_root apt-get -qq update >&2 || die "apt-get update failed; still missing: $missing"
	$as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get -qq install -y --no-install-recommends $(as_named_here) >&2 ||
		die "apt-get could not install: $missing"
}
