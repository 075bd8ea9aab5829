# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# To be sourced by scripts that work in a Debian system which is not booted: that of
# scripts/system-fetch.sh as a layer, so that the system itself stays as it is. The
# caller sets "root" (the tree) and calls own_mounts first of all.
#
# Nothing of the machine's is mounted into the system: /dev is one of its own. A script
# that goes wrong, or is ended, can do no harm to more than the layer.

: "${root:?is for the caller to set}"

# own_mounts SCRIPT ARGUMENT...: the script once more, with "work" set, where mounts and
# processes are its own and end with it. Then nothing is mounted in "work" any more, and
# it is deleted: of one file system, in case that is not so.
own_mounts() {
	local status=0 dir
	if [ -n "${LAYER_WORK-}" ]; then
		work=$LAYER_WORK
		unset LAYER_WORK
		mount -t tmpfs -o mode=755 none "$work"
		return
	fi
	dir=$(mktemp -d) || exit 1
	LAYER_WORK=$dir unshare --mount --propagation private --mount-proc \
		--pid --fork --kill-child "$@" ||
		status=$?
	rm -rf --one-file-system "$dir"
	exit $status
}

# system_begin SYSTEM: sets "sys", where it is
system_begin() {
	sys=$work/sys
	mkdir "$work/up" "$work/work" "$sys"
	mount -t overlay none -o "lowerdir=$1/root,upperdir=$work/up,workdir=$work/work" "$sys"
	system_mount
}

# What programs need to run in it
system_mount() {
	local node
	mount -t proc none "$sys/proc"
	mount -t tmpfs -o mode=755 none "$sys/dev"
	for node in 'null 1 3' 'zero 1 5' 'full 1 7' 'random 1 8' 'urandom 1 9'; do
		# shellcheck disable=SC2086 # words
		set -- $node
		mknod -m 666 "$sys/dev/$1" c "$2" "$3"
	done
	ln -s /proc/self/fd "$sys/dev/fd"
}

# unmount DIRECTORY: and what is below. DKMS leaves a "sleep 3" behind, which has /dev open.
unmount() {
	local tries=20
	until umount -R "$1" 2>/dev/null; do
		tries=$((tries - 1))
		[ $tries != 0 ] || return 1
		sleep 0.5
	done
}

system_unmount() {
	unmount "$sys/proc" && unmount "$sys/dev"
}

system_end() {
	unmount "$sys" && rm -rf --one-file-system "$work/up" "$work/work" "$sys"
}

# inside COMMAND: by the system's shell. What it says is in "said", a file.
said=
inside() {
	said=$work/said
	chroot "$sys" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
		DEBIAN_FRONTEND=noninteractive sh -c "$1" </dev/null >"$said" 2>&1
}
