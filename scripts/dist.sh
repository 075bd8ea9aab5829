#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Write build/dist/lethe-VERSION.tar.gz and print its name: the tree as it is committed,
# and the dkms.conf that distributions' packages of DKMS modules expect in its root. The
# same commit gives the same bytes. It appears by a rename: concurrent calls do not disturb
# one another.
#
# usage: dist.sh

set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
version=$(cat "$root/VERSION")

die() {
	printf 'dist: %s\n' "$*" >&2
	exit 1
}

[ $# = 0 ] || die "usage: dist.sh"
git -C "$root" rev-parse -q --verify HEAD >/dev/null 2>&1 ||
	die "a tarball is made of a commit, and this is no git repository"
[ -z "$(git -C "$root" status --porcelain)" ] ||
	printf 'dist: what is not committed is left out\n' >&2

work=$(mktemp -d)
new=
trap 'rm -rf "$work" ${new:+"$new"}' EXIT
trap 'exit 1' HUP INT TERM
"$root/scripts/module-source.sh" -c "$work/dkms.conf"
touch -d "$(git -C "$root" log -1 --format=%cI)" "$work/dkms.conf"
git -C "$root" archive --prefix="lethe-$version/" -o "$work/tar" --format=tar HEAD
tar -C "$work" --owner=0 --group=0 --numeric-owner --mode=644 \
	--transform="s|^|lethe-$version/|" -r -f "$work/tar" dkms.conf
mkdir -p "$root/build/dist"
new=$(mktemp "$root/build/dist/.new.XXXXXX")
gzip -n -9 <"$work/tar" >"$new"
chmod 644 "$new"
mv "$new" "$root/build/dist/lethe-$version.tar.gz"
printf '%s\n' "$root/build/dist/lethe-$version.tar.gz"
