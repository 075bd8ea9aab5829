#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Write a series of patches that puts Lethe into a kernel's own source, in place of
# mm/zsmalloc.c, under its own zram and zswap.
#
# usage: kernel-patch.sh KERNEL_SOURCE [DIRECTORY]
#
# KERNEL_SOURCE is a directory, or a package of Debian's (linux-source-6.12), which is
# unpacked into the cache. The patches go to DIRECTORY, build/kernel-patch/VERSION if none
# is given, which is printed; "git am DIRECTORY/*.patch" in the source takes them.
#
# The source is only read. What the patches change of the kernel's own files is made by
# rules of kernel/tree, which refuse a source that has not the shape that they know. The
# author, and who signs off, is whom git knows as the user of KERNEL_SOURCE, or "Your Name
# <you@example.org>", to be changed before the patches are sent anywhere.

set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
tree=$root/kernel/tree

die() {
	printf 'kernel-patch: %s\n' "$*" >&2
	exit 1
}

case $# in
1 | 2) ;;
*) die "usage: kernel-patch.sh KERNEL_SOURCE [DIRECTORY]" ;;
esac
case $1 in
'') die "whose source? KSRC is a directory, or a package such as linux-source-6.12" ;;
linux-source-[0-9]*) source=$("$root/scripts/kernel-source.sh" "$1") ;;
*)
	[ -d "$1" ] || die "'$1' is no directory, and no package linux-source-VERSION"
	source=$(cd "$1" && pwd)
	;;
esac
for tool in git spatch:coccinelle clang-format python3; do
	command -v "${tool%:*}" >/dev/null || die "${tool%:*} is missing (package ${tool#*:})"
done

# The release, as "make kernelversion" says it
version() {
	awk -F ' *= *' '/^(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION) *=/ { said[$1] = $2 }
		END {
			if (said["VERSION"] == "" || said["PATCHLEVEL"] == "")
				exit 1
			print said["VERSION"] "." said["PATCHLEVEL"] "." said["SUBLEVEL"] said["EXTRAVERSION"]
		}' "$source/Makefile" 2>/dev/null
}

kver=$(version) || die "'$1' holds no kernel source: its Makefile says no version"
[ -f "$source/mm/zsmalloc.c" ] || die "Linux $kver in '$1' has no mm/zsmalloc.c to take the place of"
[ ! -e "$source/mm/lethe" ] || die "Linux $kver in '$1' has Lethe already: there is mm/lethe"
out=$(realpath -m "${2:-$root/build/kernel-patch/$kver}")
case $out/ in
"$(realpath "$source")"/*) die "the patches are not to be in the source that they are for" ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
repo=$work/linux

who() {
	git -C "$source" config "user.$1" 2>/dev/null || printf '%s\n' "$2"
}

git_here() {
	git -C "$repo" -c core.hooksPath=/dev/null -c commit.gpgSign=false \
		-c user.name="$name" -c user.email="$email" "$@"
}

# The kernel's files that any step may change
touched() {
	local file
	for file in include/linux/zsmalloc.h include/linux/zpool.h mm/Kconfig mm/Makefile \
		mm/zpool.c mm/zswap.c; do
		[ ! -f "$source/$file" ] || printf '%s\n' "$file"
	done
	(cd "$source" && grep -l 'swap_slot_free_notify' drivers/block/zram/*.c 2>/dev/null) || true
}

# step MESSAGE COMMAND...: a commit
step() {
	local message=$1
	shift
	"$@"
	git_here add -A
	git_here commit -q -s -F "$tree/messages/$message"
}

# cocci RULES FILE [DEFINITION]...: what it prints
cocci() {
	local rules=$1 file=$2 word
	local definitions=()
	shift 2
	for word; do
		definitions+=(-D "$word")
	done
	spatch --very-quiet --no-show-diff "${definitions[@]}" --sp-file "$tree/rules/$rules.cocci" \
		"$repo/$file" --in-place 2>"$work/spatch.log" ||
		die "spatch failed on $file: $(tail -n 1 "$work/spatch.log")"
}

add_core() {
	python3 "$tree/copy.py" "$root" "$source" "$repo/mm/lethe" core
	reformat
}

add_home() {
	python3 "$tree/copy.py" "$root" "$source" "$repo/mm/lethe" home
	reformat
	python3 "$tree/edit.py" "$repo" zsmalloc
}

# The names are longer there. Comments stay as they are.
reformat() {
	{
		grep -v '^ReflowComments:' "$root/.clang-format"
		echo 'ReflowComments: false'
	} >"$work/.clang-format"
	find "$repo/mm/lethe" -name '*.[ch]' -exec clang-format -i --style="file:$work/.clang-format" {} +
}

# Drivers have those of Linux 6.10 to 6.14.
add_zpool() {
	local operation
	for operation in map unmap total_pages; do
		grep -q "(\*$operation)(" "$source/include/linux/zpool.h" ||
			die "include/linux/zpool.h has drivers without $operation(), as Lethe does not know them"
	done
	python3 "$tree/edit.py" "$repo" zpool
	cocci zpool mm/zpool.c
	grep -q '^void zpool_free_deferred(' "$repo/mm/zpool.c" ||
		die "mm/zpool.c has no zpool_free() of a pool with a driver, as it is known here"
}

add_limit() {
	cocci limit "$zram"
	[ "$(grep -c 'zs_total_pages_within(' "$repo/$zram")" = 1 ] ||
		die "$zram does not compare the pages of its pool with a limit in one place, as it is known here"
}

# code FILE: without comments, in one line
code() {
	python3 -c 'import re, sys
text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", open(sys.argv[1]).read(), flags=re.S)
print(re.sub(r"\s+", " ", text))' "$1"
}

# defer FILE RULES FREE WHAT: FREE becomes FREE_deferred where a task gives back what it
# has in swap
defer() {
	local file=$1 rules=$2 free=$3 what=$4 found notify release calls changed
	found=$(cocci "$rules" "$file" "free=$free" notify=zswap_invalidate | sort -u)
	[ "$(wc -l <<<"$found")" = 1 ] && [ -n "$found" ] ||
		die "$file does not have one function that frees $what by $free(): $(tr '\n' ' ' <<<"$found")"
	read -r _ notify release <<<"$found"
	calls=$(code "$repo/$file" | grep -oE "\<$release\(" | wc -l)
	cocci defer "$file" "free=$free" "free_deferred=${free}_deferred" "notify=$notify" "release=$release"
	changed=$(code "$repo/$file" | grep -oE "\<$release\([^;{}]*, (true|false|bool deferred)\)" | wc -l)
	[ "$calls" = "$changed" ] && grep -q "${free}_deferred(" "$repo/$file" ||
		die "$file: of $calls uses of $release(), $changed could be told how to free"
}

name=$(who name 'Your Name')
email=$(who email 'you@example.org')
git init -q "$repo"
while read -r file; do
	mkdir -p "$repo/$(dirname "$file")"
	cp "$source/$file" "$repo/$file"
done < <(touched)
git_here add -A
git_here commit -q -m "Linux $kver"
git_here tag base

zram=$(touched | grep '^drivers/block/zram/' || true)
[ "$(wc -w <<<"$zram")" = 1 ] ||
	die "drivers/block/zram has not one file that the swap core notifies: ${zram:-none}"

step core add_core
# Before what has the operation: each patch is to build.
free=zs_free
if [ -f "$source/include/linux/zpool.h" ]; then
	step zpool add_zpool
	free=zpool_free
fi
step home add_home
step zram defer "$zram" release_of_slot zs_free "a slot of a task"
step limit add_limit
step zswap defer mm/zswap.c release_of_entry "$free" "an entry of a task"

mkdir -p "$out"
rm -f "$out"/[0-9][0-9][0-9][0-9]-*.patch "$out"/0000-cover-letter.txt
# With the figures as they were measured last
cover=$(python3 "$root/bench/report.py" -t "$tree/messages/cover" "$root/docs/performance") ||
	die "the cover letter has no figures"
git_here config branch."$(git_here branch --show-current)".description "$cover"
git_here format-patch -q --no-signature --cover-letter --cover-from-description=subject \
	-o "$out" base
# "git am" would take it for an empty patch.
mv "$out"/0000-cover-letter.patch "$out/0000-cover-letter.txt"
printf '%s\n' "$out"
