#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Build the Debian packages into build/deb and print their names. They are built in a
# copy of the tree, since debhelper writes into what it builds, and its tools into the
# directory above. lintian has the last word. Packages of the same tree that are there
# are not built again; concurrent calls wait for one another.
#
# usage: deb.sh

set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
out=$root/build/deb

die() {
	printf 'deb: %s\n' "$*" >&2
	exit 1
}

[ $# = 0 ] || die "usage: deb.sh"
for tool in dpkg-buildpackage dh dh_dkms lintian; do
	command -v $tool >/dev/null || die "$tool is missing: scripts/setup.sh deb installs it"
done
version=$(cat "$root/VERSION")

mkdir -p "$root/build"
exec 9>"$root/build/.deb.lock"
flock 9
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
tar -C "$root" -c --exclude=./build --exclude=./.git --exclude=__pycache__ --sort=name \
	--mtime=@0 --owner=0 --group=0 -f "$work/tar" .
tree=$(sha256sum <"$work/tar")
if [ "$(cat "$out/.tree" 2>/dev/null)" = "$tree" ]; then
	printf '%s\n' "$out"/*.deb
	exit 0
fi
mkdir "$work/lethe"
tar -C "$work/lethe" -x -m -f "$work/tar"

log=$work/log
if ! (cd "$work/lethe" && DEB_BUILD_OPTIONS=noautodbgsym dpkg-buildpackage -b -us -uc) >"$log" 2>&1; then
	tail -n 30 "$log" >&2
	die "the packages could not be built"
fi
# The tag suppressed wants the number of a bug that asks for the package in Debian.
lintian --allow-root --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs \
	"$work"/*.changes >&2 || die "lintian objects"

# All of this version or none: an old package among new ones would be installed with them.
rm -rf "$out.new"
mkdir "$out.new"
cp "$work"/*.deb "$out.new/"
[ -f "$out.new/lethe-dkms_${version}_all.deb" ] || die "VERSION is not that of the packages"
printf '%s\n' "$tree" >"$out.new/.tree"
rm -rf "$out"
mv "$out.new" "$out"
printf '%s\n' "$out"/*.deb
