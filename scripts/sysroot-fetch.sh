#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Fetch what it takes to build programs for another architecture, and to run them, into
# the cache, and print the directory it is in: Debian's packages of that architecture,
# unpacked. Nothing is installed, and nothing of it runs here but by qemu-user.
#
# usage: sysroot-fetch.sh ARCH
#
# ARCH is arm64 or amd64, as Debian says it. The directory printed holds
#   root/      libc and the libraries of tools and tests, for "gcc --sysroot"; and what
#              image.sh puts into a guest: busybox, and programs for file systems and zram
#   meson.ini  a cross file for Meson, in which qemu-user runs what has been built
#
# The packages are of the suite that this machine runs, or of Debian 13. An entry is made
# once and then used without the network: "rm -r" makes it anew. It appears by a rename,
# so it is whole or not there. Concurrent calls wait for one another.

set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
lethe=${XDG_CACHE_HOME:-$HOME/.cache}/lethe
cache=$lethe/sysroots
recipe=1 # to be raised by a change here after which what is cached will not do
packages=(libc6-dev libcmocka-dev liblz4-dev liblzo2-dev libzstd-dev libncurses-dev
	busybox-static e2fsprogs util-linux)
# shellcheck source=scripts/cache.sh
. "$here/cache.sh"
# shellcheck source=scripts/suite.sh
. "$here/suite.sh"

# With all that they depend on: apt has been told that nothing is installed.
fetch() {
	suite_open "$suite" "$arch"
	suite_is_known || suite_update || die "the package lists of $suite for $arch could not be had"
	say "downloading what programs for $arch are built with"
	mkdir -p "$tmp/debs/partial"
	apt-get -q=1 -y --no-install-recommends --download-only -o Debug::NoLocking=1 \
		-o Dir::Cache::archives="$tmp/debs" install "${packages[@]}" >"$tmp/log" 2>&1 || {
		tail -n 5 "$tmp/log" >&2
		die "the download for $arch failed"
	}
}

# unpack ROOT: as dpkg would onto a system where /lib is a link to /usr/lib, and the like
unpack() {
	local deb dir link
	for dir in bin sbin lib; do
		mkdir -p "$1/usr/$dir"
		ln -s "usr/$dir" "$1/$dir"
	done
	for deb in "$tmp"/debs/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$1" --no-same-owner --keep-directory-symlink
	done
	rm -rf "$1"/usr/share/{doc,man,locale}
	# What says where on a system something is says it from its own place.
	find "$1" -type l -lname '/*' -printf '%l %p\n' | while read -r dir link; do
		ln -sfnr "$1$dir" "$link"
	done
}

cross_file() {
	cat <<-END
		[binaries]
		c = ['$arch_gnu-gcc', '--sysroot=$entry/root']
		ar = '$arch_gnu-ar'
		strip = '$arch_gnu-strip'
		pkgconfig = 'pkg-config'
		exe_wrapper = ['qemu-$arch_machine-static', '-L', '$entry/root']

		[properties]
		sys_root = '$entry/root'
		pkg_config_libdir = '$entry/root/usr/lib/$arch_gnu/pkgconfig'

		[host_machine]
		system = 'linux'
		cpu_family = '$arch_machine'
		cpu = '$arch_machine'
		endian = 'little'
	END
}

make_entry() {
	mkdir "$tmp/entry"
	fetch
	unpack "$tmp/entry/root"
	cross_file >"$tmp/entry/meson.ini"
	printf '%s\n' "$suite" >"$tmp/entry/kver"
}

[ $# = 1 ] || die "usage: sysroot-fetch.sh ARCH"
arch_set "$1" || exit 1
suite=$(machine_suite)
suite=${suite:-trixie}
entry=$cache/$suite-${arch}_$recipe
if [ ! -f "$entry/kver" ]; then
	need flock:util-linux apt-get:apt dpkg-deb:dpkg
	cache_lock
	cache_add "$entry" make_entry
fi
need "$arch_gnu-gcc:gcc-${arch_gnu/_/-}" "qemu-$arch_machine-static:qemu-user-static"
printf '%s\n' "$entry"
