#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Fetch earlyoom, Debian's killer of processes, into the cache without installing
# it, and print the path of the program. One that is installed is used as it is.
#
# usage: killer-fetch.sh

set -euo pipefail

cache=${XDG_CACHE_HOME:-$HOME/.cache}/lethe/killers
# shellcheck source=scripts/cache.sh
. "$(dirname "$0")/cache.sh"

unpack() {
	say "downloading earlyoom $version"
	mkdir "$tmp/debs" "$tmp/entry"
	(cd "$tmp/debs" && download "earlyoom=$version") || die "the download of earlyoom failed"
	dpkg -x "$tmp"/debs/*.deb "$tmp/entry"
	# What marks an entry as whole
	printf '%s\n' "$version" >"$tmp/entry/kver"
}

[ $# = 0 ] || die "usage: killer-fetch.sh"
if command -v earlyoom; then
	exit 0
fi
command -v apt-get >/dev/null && command -v dpkg >/dev/null ||
	die "earlyoom is not installed, and to fetch it apt-get and dpkg are needed"

# One that is there is used without the network, and without package lists.
newest=$(printf '%s\n' "$cache"/earlyoom_*/usr/bin/earlyoom | sort -V | tail -n 1)
if [ -x "$newest" ]; then
	printf '%s\n' "$newest"
	exit 0
fi
need flock:util-linux
cache_lock
if ! find_version earlyoom; then
	update_lists earlyoom
	find_version earlyoom || die "there is no Debian package of earlyoom"
fi
cache_add "$cache/earlyoom_$version" unpack
printf '%s\n' "$cache/earlyoom_$version/usr/bin/earlyoom"
