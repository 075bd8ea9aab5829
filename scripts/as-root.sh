# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# To be sourced by scripts that are root's, so that a user whose sudo does not ask need
# not be root to call them.

# as_root SCRIPT ARGUMENT...: returns 0 if this is root. Else the script takes the place of
# this one, by sudo and with the cache of this user; returns 1 if sudo would ask.
as_root() {
	local cache=${XDG_CACHE_HOME:-$HOME/.cache}
	[ "$(id -u)" != 0 ] || return 0
	command -v sudo >/dev/null && sudo -n true 2>/dev/null || return 1
	# Root would make it root's.
	mkdir -p "$cache/lethe"
	exec sudo -n env XDG_CACHE_HOME="$cache" AS_ROOT_FOR="$(id -u)" "$@"
}

# as_caller COMMAND...: what writes into the tree, as the user that as_root came from
as_caller() {
	if [ -n "${AS_ROOT_FOR-}" ]; then
		sudo -n -H -u "#$AS_ROOT_FOR" "$@"
	else
		"$@"
	fi
}
