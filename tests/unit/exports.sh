#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
# The shared library shows every function of the public header that is not inline, and
# zs_create_pool() for those who look it up by name; nothing else; each of a version.
# Usage: exports.sh HEADER LIBRARY
set -eu

declared=$({
	echo zs_create_pool
	sed -n '/^static /d; s/^[a-z].*[ *]\(zs_[a-z_]*\)(.*/\1/p' "$1"
} | sort)
unversioned=$(nm -D --defined-only "$2" | awk '$2 != "A" && $3 !~ /@@LETHE_[0-9.]+$/ { print $3 }')
if [ -n "$unversioned" ]; then
	echo "shown without a version: $unversioned"
	exit 1
fi
shown=$(nm -D --defined-only "$2" |
	awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort)

if [ "$declared" != "$shown" ]; then
	echo "declared in the header:"
	echo "$declared"
	echo "shown by the library:"
	echo "$shown"
	exit 1
fi
