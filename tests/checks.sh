# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# To be sourced by scripts that count checks of commands: a directory of their own
# to work in, which goes when they end. The caller has set "root" to the tree.

: "${root:?is for the caller to set}"
passed=0
failed=0

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM
cd "$tmp" || exit 1

# check NAME COMMAND...: the command succeeds.
check() {
	name=$1
	shift
	if "$@" >check.log 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED: $name"
		sed 's/^/    /' check.log
	fi
}
