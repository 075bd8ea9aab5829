#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Print the path of a QEMU that runs kernels with more than one CPU reliably.
#
# usage: qemu-fetch.sh ARCH
#
# ARCH: of the kernel, as Debian says it. The QEMU that is installed is used, if it is
# 8.1 or newer. Those before it now and then carry out a breakpoint that the kernel has
# just taken out of its own code on another CPU (in its console: "Oops: int3"), some
# boots in a hundred on a busy machine. In place of such a one, that of Debian's
# backports is put into the cache without installing it; it uses the libraries that came
# with the old one. Where that is not to be had, the old one has to do, and this says so.

set -euo pipefail

cache=${XDG_CACHE_HOME:-$HOME/.cache}/lethe/qemu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/cache.sh
. "$here/cache.sh"
# shellcheck source=scripts/suite.sh
. "$here/suite.sh"

unpack() {
	local deb
	say "downloading QEMU $version for $arch, as the one here is $installed"
	mkdir "$tmp/debs" "$tmp/entry"
	(cd "$tmp/debs" && download "$package" qemu-system-data seabios) || die "the download of QEMU failed"
	for deb in "$tmp"/debs/*.deb; do
		dpkg -x "$deb" "$tmp/entry"
	done
	# It looks for its firmware where it would have been installed.
	cat >"$tmp/entry/$program" <<-END
		#!/bin/sh
		here=\${0%/*}
		exec "\$here/usr/bin/$program" -L "\$here/usr/share/qemu" -L "\$here/usr/share/seabios" "\$@"
	END
	chmod +x "$tmp/entry/$program"
	"$tmp/entry/$program" --version >/dev/null || die "QEMU $version does not run here"
	printf '%s\n' "$version" >"$tmp/entry/kver"
}

old() {
	say "$*: using $program $installed, in which CPUs may carry out breakpoints that are gone"
	command -v "$program"
	exit 0
}

[ $# = 1 ] || die "usage: qemu-fetch.sh ARCH"
arch_set "$1"
program=qemu-system-$arch_machine
package=qemu-system-x86
[ "$arch" = amd64 ] || package=qemu-system-arm
need "$program:$package"

installed=$("$program" --version | sed -n '1s/.* version \([0-9.]*\).*/\1/p')
if [ "$(printf '%s\n' 8.1 "$installed" | sort -V | head -n 1)" = 8.1 ]; then
	command -v "$program"
	exit 0
fi

# One that is there is used without the network, and without package lists.
newest=$(printf '%s\n' "$cache/$arch"_*/"$program" | sort -V | tail -n 1)
if [ -x "$newest" ]; then
	printf '%s\n' "$newest"
	exit 0
fi
own=$(machine_suite)
[ -n "$own" ] || old "this is not Debian"
need apt-get:apt dpkg:dpkg flock:util-linux
cache_lock
suite_open "$own-backports" "$(machine_arch)"
if ! suite_is_known || ! find_version "$package"; then
	suite_update || old "there are no package lists of $own-backports"
	find_version "$package" || old "there is no newer QEMU in $own-backports"
fi
cache_add "$cache/${arch}_$version" unpack
printf '%s\n' "$cache/${arch}_$version/$program"
