#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Unpack a kernel source as Debian ships it into the cache, and print the directory.
#
# usage: kernel-source.sh [-n] linux-source-SERIES
#
# SERIES is one of kernels.txt, whose suite it is taken from if this machine's own has
# no such package. Entries are keyed by package version and appear by a rename. One that
# is there is used without the network; -n: one that is not there is not made.

set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/lethe/source
# shellcheck source=scripts/cache.sh
. "$here/cache.sh"
# shellcheck source=scripts/suite.sh
. "$here/suite.sh"

make=yes
if [ "${1-}" = -n ]; then
	make=no
	shift
fi
case $#:${1-} in
1:linux-source-[0-9]*) package=$1 ;;
*) die "usage: kernel-source.sh [-n] linux-source-SERIES" ;;
esac

remembered() {
	local entry
	entry=$(find "$cache" -maxdepth 2 -path "*/${package}_*/kver" -printf '%T@ %h\n' 2>/dev/null |
		sort -rn | sed -n '1s/[^ ]* //p')
	[ -n "$entry" ] && printf '%s\n' "$entry/source"
}

# The suites of kernels of this series, one a line
suites() {
	awk -v series="${package#linux-source-}" '!/^#/ && $1 == series && $4 != "-" { print $4 }' \
		"$here/../kernels.txt" | sort -u
}

# Opens the suite that has the package
find_package() {
	local suite
	if find_version "$package"; then
		return 0
	fi
	for suite in $(suites); do
		suite_open "$suite" "$(machine_arch)"
		[ -n "$suite_root" ] || continue
		suite_is_known || suite_update || die "the package lists of $suite could not be had"
		if find_version "$package"; then
			return 0
		fi
		unset APT_CONFIG
		suite_root=
	done
	update_lists "$package"
	find_version "$package" || die "there is no package $package"
}

unpack() {
	say "downloading $package $version"
	mkdir "$tmp/deb"
	(cd "$tmp/deb" && download "$package=$version") ||
		die "the download of $package $version failed"
	say "unpacking"
	mkdir -p "$tmp/entry/source"
	dpkg-deb --fsys-tarfile "$tmp"/deb/*.deb | tar -x -O "./usr/src/$package.tar.xz" |
		tar -x -J -C "$tmp/entry/source" --strip-components=1
	rm -r "$tmp/deb"
	printf '%s\n' "$version" >"$tmp/entry/kver"
}

if remembered; then
	exit 0
fi
[ "$make" = yes ] || exit 1
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
	die "the source comes as a Debian package: apt-get and dpkg are needed"
fi
need flock:util-linux xz:xz-utils
cache_lock
find_package
cache_add "$cache/${package}_$version" unpack
printf '%s\n' "$cache/${package}_$version/source"
