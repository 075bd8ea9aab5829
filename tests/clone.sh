#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# What README tells a newcomer to type, in a clone of this tree's last commit, as root of
# a Debian on which nothing is installed but make: made by debootstrap, in memory, and
# entered by chroot. Takes 16 GiB at most, and as long as the targets do. To be run as
# root, or where sudo does not ask. What each has said is in build/clone. The last line is
# "clone: N passed, N failed".
#
# Kernels and systems are fetched into a cache of its own, build/clone/SUITE-cache, which
# stays: what another release has cached may want that release's compiler.
#
# usage: clone.sh SUITE [TARGET]...
#
#   SUITE   bookworm or trixie
#   TARGET  of make: demo and test if none is given

set -uo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
PATH=$PATH:/usr/sbin:/sbin
options=("$@")
passed=0
failed=0

finish() {
	printf 'clone: %d passed, %d failed\n' "$passed" "$failed"
	[ "$failed" = 0 ]
	exit
}

die() {
	printf 'clone: %s\n' "$*"
	failed=$((failed + 1))
	finish
}

suite=${1-}
case $suite in
bookworm | trixie) shift ;;
*) die "usage: clone.sh SUITE [TARGET]..." ;;
esac
targets=("$@")
[ $# != 0 ] || targets=(demo test)
# shellcheck source=scripts/as-root.sh
. "$root/scripts/as-root.sh"
as_root "$0" "${options[@]}" || die "a system is root's, and this is not root, nor does sudo let it be"
# shellcheck source=tests/systems/layer.sh
. "$root/tests/systems/layer.sh"
own_mounts "$0" "${options[@]}"
# shellcheck source=scripts/suite.sh
. "$root/scripts/suite.sh"
sys=${work:?is of layer.sh}/sys
out=$root/build/clone
as_caller mkdir -p "$out"
mkdir "$sys"

# As apt of this machine is told, so that it finds what this one finds
tell_apt() {
	local place
	for place in apt/apt.conf.d apt/auth.conf.d apt/keyrings ssl/certs resolv.conf hosts; do
		[ ! -e "/etc/$place" ] || {
			mkdir -p "$(dirname "$sys/etc/$place")"
			cp -rLT "/etc/$place" "$sys/etc/$place"
		} 2>/dev/null
	done
	# Files of packages come with those.
	for place in "$sys"/etc/apt/apt.conf.d/*; do
		! dpkg -S "${place#"$sys"}" >/dev/null 2>&1 || rm "$place"
	done
	sources "$suite" >"$sys/etc/apt/sources.list"
}

# What QEMU and tmux want beside what any system has
terminals() {
	mkdir "$sys/dev/shm" "$sys/dev/pts"
	mount -t tmpfs none "$sys/dev/shm"
	mount -t devpts -o newinstance,ptmxmode=666 none "$sys/dev/pts"
	ln -s pts/ptmx "$sys/dev/ptmx"
	mknod -m 666 "$sys/dev/tty" c 5 0
	mount -t sysfs -o ro none "$sys/sys"
}

mount -o remount,size=16G "$work"
# unshare wants the root of what is inside to be a mount.
mount --bind "$sys" "$sys"
from=$(mirror '')
[ -n "$from" ] || die "this machine's apt gets nothing from a mirror of Debian"
debootstrap --variant=minbase "$suite" "$sys" "$from" >"$out/$suite.log" 2>&1 ||
	die "debootstrap failed; see build/clone/$suite.log"
tell_apt
system_mount
terminals
mkdir -p "$out/$suite-cache" "$sys/root/.cache"
mount --bind "$out/$suite-cache" "$sys/root/.cache"
git clone -q "$root" "$sys/root/lethe" || die "this tree cannot be cloned"
inside "apt-get update && apt-get install -y --no-install-recommends make" || {
	tail -n 5 "${said:?is of layer.sh}"
	die "make cannot be installed"
}
for target in "${targets[@]}"; do
	begin=$SECONDS
	if inside "cd /root/lethe && make $target"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'not ok clone: make %s on %s\n' "$target" "$suite"
		grep -A 4 '^not ok' "$said" || tail -n 20 "$said"
	fi
	cp "$said" "$out/$suite-$target.log"
	printf '%s, make %s, %d s: %s\n' "$suite" "$target" $((SECONDS - begin)) "$(tail -n 1 "$said")"
done
finish
