#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
# Include rules of the tree (design: one core, several homes):
#   core/       its own headers, port.h and lethe/zsmalloc.h, nothing else
#   port/       never a header of core/
#   tools/      never a header of core/ or port/
# Usage: includes.sh SOURCE_ROOT
set -eu
cd "$1"

find core port tools -name '*.[ch]' -exec awk '
BEGIN {
	while (("ls core" | getline file) > 0)
		if (file ~ /\.h$/)
			of_core[file] = 1
}
/^[ \t]*#[ \t]*include[ \t]*[<"]/ {
	header = $0
	sub(/^[^<"]*[<"]/, "", header)
	sub(/[>"].*/, "", header)
	area = FILENAME
	sub(/\/.*/, "", area)
	seen[area]++
	ok = 1
	if (area == "core")
		ok = header in of_core || header == "port.h" || header == "lethe/zsmalloc.h" ||
		     (FILENAME == "core/all.c" && header ~ /^[a-z_]+\.c$/)
	else
		ok = !(header in of_core)
	if (area == "tools" && (header == "port.h" || header == "port_home.h"))
		ok = 0
	if (!ok) {
		print FILENAME " must not include " header
		bad = 1
	}
}
END {
	if (seen["core"] < 10 || seen["port"] < 10) {
		print "found next to nothing: is this the source tree?"
		bad = 1
	}
	exit bad
}' {} +
