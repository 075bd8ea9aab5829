# shellcheck shell=sh disable=SC2034 # lethe is for the script that reads this
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Sets lethe to the program to test: $1, or what meson builds in build/user. The caller
# has set "root" to the tree.

: "${root:?is for the caller to set}"
if [ $# -gt 0 ]; then
	lethe=$(realpath "$1") || exit 1
else
	# Parts of "make test" come here at the same time.
	mkdir -p "$root/build" || exit 1
	(
		flock 9
		[ -f "$root/build/user/build.ninja" ] ||
			meson setup "$root/build/user" "$root" >&2 || exit 1
		ninja -C "$root/build/user" tools/lethe >&2
	) 9>"$root/build/user.lock" || exit 1
	lethe=$root/build/user/tools/lethe
fi
