#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Read the table of kernels, kernels.txt, which says what its columns mean.
#
# usage: kernels.sh get NAME COLUMN       one field of one kernel
#        kernels.sh names COLUMN RUN [ARCH]  the kernels whose COLUMN (test, all) has
#                                         RUN; of an architecture
#        kernels.sh runs COLUMN [ARCH]    all that COLUMN has: lines of NAME RUN
#        kernels.sh markdown              README's table
#        kernels.sh readme                puts it into README.md
#        kernels.sh pattern               a regular expression for the releases, as
#                                         uname -r says them, from the oldest series to
#                                         the newest
#        kernels.sh architectures         one for what uname -m says
#
# Exit status 1: there is no such kernel.

set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
table=$root/kernels.txt
columns='series name arch suite package userland test all where'

die() {
	printf 'kernels: %s\n' "$*" >&2
	exit 2
}

# The number of the column that is named
number() {
	n=1
	for column in $columns; do
		[ "$column" != "$1" ] || break
		n=$((n + 1))
	done
	[ $n -le 9 ] || die "kernels.txt has no column '$1'"
	printf '%d\n' $n
}

# rows AWK_PROGRAM [VARIABLE=VALUE]...: of the lines that are no comments
rows() {
	program=$1
	shift
	# The last field is text: what remains when the others are cut off
	grep -v '^#' "$table" | awk "$@" '
		function text(line, i) {
			for (i = 1; i < 9; i++)
				sub(/^[^ ]+ +/, "", line)
			return line
		}'"$program"
}

get() {
	# shellcheck disable=SC2016 # for awk to expand
	rows '$2 == name { found = 1; print n == 9 ? text($0) : $n } END { exit !found }' \
		-v name="$1" -v n="$2"
}

runs() {
	# shellcheck disable=SC2016
	rows '$n != "-" && (arch == "" || $3 == arch) { count = split($n, run, ",")
		for (i = 1; i <= count; i++)
			print $2, run[i]
	}' -v n="$1" -v arch="${2-}"
}

# What the columns "test" and "all" say, in words
markdown() {
	printf '| kernel | where | architecture | tested by |\n|---|---|---|---|\n'
	# shellcheck disable=SC2016
	rows 'function whole(runs) { return runs ~ /(^|,)lethe(,|$)/ }
	text($0) != "-" {
		by = $3 != "amd64" && whole($8) ? "`make test-" $3 "`" : whole($7) ? "`make test`" : \
			whole($8) ? "`make test-all`" : $8 ~ /test-debug/ ? "`make test-debug`" : \
			($7 $8) ~ /build/ ? "`make test" ($7 ~ /build/ ? "" : "-all") "` builds the modules; else untested" : \
			"untested"
		if (by ~ /-all`/ && $7 ~ /(^|,)lethe:/)
			by = by ", a part of it by `make test`"
		printf "| %s%s | %s | %s | %s |\n", $1, $2 == "-" ? "" : " (`" $2 "`)", \
			text($0), $3 == "-" ? "amd64, arm64" : $3, by
	}'
}

# Between its two marks; README.md is written only if that changes it.
readme() {
	tmp=$(mktemp)
	trap 'rm -f "$tmp"' EXIT
	{
		sed '/^<!-- kernels\.txt/q' "$root/README.md"
		markdown
		sed -n '/^<!-- end of kernels\.txt/,$p' "$root/README.md"
	} >"$tmp"
	cmp -s "$tmp" "$root/README.md" || cat "$tmp" >"$root/README.md"
}

# For DKMS: from the first line's series to the newest of all. A major version has at most
# 20 minor ones after its first.
pattern() {
	# shellcheck disable=SC2016
	rows 'function alternatives(from, to, i, s) {
		for (i = from; i <= to; i++)
			s = s (i > from ? "|" : "") i
		return "(" s ")"
	}
	{
		split($1, v, ".")
		if (!oldest)
			oldest = v[1] * 100 + v[2]
		if (v[1] * 100 + v[2] > newest)
			newest = v[1] * 100 + v[2]
	}
	END {
		for (m = int(oldest / 100); m <= int(newest / 100); m++)
			s = s (s ? "|" : "") m "\\." \
				alternatives(m * 100 < oldest ? oldest % 100 : 0, \
					(m + 1) * 100 > newest ? newest % 100 : 20)
		printf "^(%s)([^0-9]|$)\n", s
	}'
}

architectures() {
	# shellcheck disable=SC2016
	rows '$3 != "-" && !seen[$3]++ {
		s = s (s ? "|" : "") ($3 == "amd64" ? "x86_64" : $3 == "arm64" ? "aarch64" : $3)
	}
	END { printf "^(%s)$\n", s }'
}

case $#:${1-} in
3:get) n=$(number "$3") && get "$2" "$n" ;;
3:names | 4:names) n=$(number "$2") && runs "$n" "${4-}" | sed -n "s/ $3\$//p" ;;
2:runs | 3:runs) n=$(number "$2") && runs "$n" "${3-}" ;;
1:markdown) markdown ;;
1:readme) readme ;;
1:pattern) pattern ;;
1:architectures) architectures ;;
*) die "usage: kernels.sh get NAME COLUMN | names COLUMN RUN [ARCH] | runs COLUMN [ARCH] | markdown | readme | pattern | architectures" ;;
esac
