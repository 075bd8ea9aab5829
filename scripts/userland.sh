#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Run a command in the userland of a suite of Debian: with its compiler, its make, and
# what else building modules takes. It sees the same files at the same places: this
# tree, the cache, and the working directory.
#
# usage: userland.sh [-a ARCH] SUITE COMMAND [ARGUMENT]...
#
# -a: with a compiler for ARCH as well, as Debian calls architectures, if that is another
# than this machine's. On a machine that runs SUITE, that is the machine itself. Elsewhere the userland is
# made on first use, in the cache (a minute; 500 MiB), and entered by chroot in a mount
# namespace of its own: root is needed, or sudo that does not ask.

set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
usage="usage: userland.sh [-a ARCH] SUITE COMMAND [ARGUMENT]..."
top=$(dirname "$here")
lethe=${XDG_CACHE_HOME:-$HOME/.cache}/lethe
cache=$lethe/userlands
# What kernels' headers are built with: libelf-dev stands for the library that objtool
# is linked to; perl and python3 are for W=1.
packages=gcc,make,libelf-dev,perl,python3-minimal
recipe=1 # to be raised by a change here after which what is cached will not do
# shellcheck source=scripts/cache.sh
. "$here/cache.sh"
# shellcheck source=scripts/suite.sh
. "$here/suite.sh"

foreign=
while getopts a: option; do
	case $option in
	a)
		arch_set "$OPTARG" || exit 1
		[ "$arch" = "$(machine_arch)" ] || foreign=$arch packages=$packages,gcc-${arch_gnu/_/-}
		;;
	*) die "$usage" ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 2 ] || die "$usage"
suite=$1
shift
case $suite in
'' | *[!a-z]*) die "'$suite' cannot be the name of a suite" ;;
esac
if [ "$suite" = "$(machine_suite)" ]; then
	[ -z "$foreign" ] || need "$arch_gnu-gcc:gcc-${arch_gnu/_/-}"
	exec "$@"
fi

as_root=()
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || die "to build in Debian's $suite, root or sudo is needed"
	sudo -n true 2>/dev/null ||
		die "to build in Debian's $suite, root is needed, or sudo that asks for no password"
	as_root=(sudo -n)
fi

make_entry() {
	local from
	from=$(mirror '')
	[ -n "$from" ] || die "this machine's apt gets nothing from a mirror of Debian"
	say "making a userland of Debian's $suite${foreign:+, to build for $foreign}, once"
	"${as_root[@]}" debootstrap --variant=minbase --include="$packages" \
		"$suite" "$tmp/entry" "$from" >"$tmp/log" 2>&1 || {
		tail -n 5 "$tmp/log" >&2
		die "debootstrap of $suite failed"
	}
	"${as_root[@]}" rm -rf "$tmp/entry"/var/cache/apt/archives/*.deb \
		"$tmp/entry"/var/lib/apt/lists/*
	# What marks an entry as whole
	printf '%s\n' "$suite" | "${as_root[@]}" tee "$tmp/entry/kver" >/dev/null
}

entry=$cache/$suite${foreign:+-$foreign}_$recipe
if [ ! -f "$entry/kver" ]; then
	PATH=$PATH:/usr/sbin:/sbin
	need flock:util-linux debootstrap:debootstrap
	cache_lock
	cache_add "$entry" make_entry
	cleanup
	exec 9>&-
fi

# Mounts are made in a namespace of its own, so they go when the command ends.
# shellcheck disable=SC2016 # for the inner shell to expand
exec "${as_root[@]}" unshare --mount --fork sh -euc '
	entry=$1 user=$2 dir=$3
	shift 3
	for place in "$1" "$2" "$dir"; do
		mkdir -p "$entry$place"
		mount --bind "$place" "$entry$place"
	done
	shift 2
	mount -t proc proc "$entry/proc"
	mount --bind /dev "$entry/dev"
	exec chroot --userspec="$user" "$entry" \
		/usr/bin/env -i PATH=/usr/sbin:/usr/bin HOME=/ LC_ALL=C \
		sh -c "cd \"\$0\" && exec \"\$@\"" "$dir" "$@"
' sh "$entry" "$(id -u):$(id -g)" "$PWD" "$top" "$lethe" "$@"
