# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# To be sourced by what keeps downloads in the cache, outside the checkout. The
# caller sets "cache", a directory of its own. Entries are directories with a
# file "kver". They appear by a rename, so one is whole or not there.

: "${cache:?is for the caller to set}"
tmp=

say() {
	printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2
}

die() {
	say "$*"
	exit 1
}

# need TOOL:PACKAGE...
need() {
	local tool
	for tool; do
		command -v "${tool%:*}" >/dev/null ||
			die "${tool%:*} is missing (package ${tool#*:})"
	done
}

# find_version PACKAGE: sets version to the newest that apt knows
find_version() {
	version=$({ apt-cache show --no-all-versions "$1" 2>/dev/null || true; } |
		sed -n 's/^Version: //p')
	[ -n "$version" ]
}

# Only when a package is unknown, so never on a machine that is set up.
update_lists() {
	[ "$(id -u)" = 0 ] ||
		die "package $1 is unknown here: there is none, or 'apt-get update' has to be run, as root"
	say "package $1 is unknown here: updating the package lists"
	apt-get update -qq >&2 || die "apt-get update failed"
}

# As root, apt would warn that its sandbox user cannot write to our directory.
download() {
	apt-get -q=1 -o APT::Sandbox::User=root download "$@" >&2
}

# What a command that broke off has left mounted below (/dev, say) is not ours to remove.
cleanup() {
	[ -z "$tmp" ] || rm -rf --one-file-system "$tmp"
}

# Concurrent callers wait for one another. Descriptor 9 is the lock.
cache_lock() {
	mkdir -p "$cache"
	exec 9>"$cache/.lock"
	flock 9
	trap cleanup EXIT
	trap 'exit 1' HUP INT TERM
	# With the lock held, whatever is half done is nobody's.
	rm -rf --one-file-system "$cache"/.tmp.*
}

# cache_add ENTRY COMMAND: the command makes $tmp/entry, unless ENTRY is there
cache_add() {
	[ ! -f "$1/kver" ] || return 0
	tmp=$(mktemp -d "$cache/.tmp.XXXXXX")
	"$2"
	chmod 755 "$tmp/entry"
	sync -f "$tmp/entry"
	mv -T "$tmp/entry" "$1"
}
