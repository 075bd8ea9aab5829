#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Make a Debian system that boots with systemd, in the cache, and print the directory it
# is in. To be run as root: its files are root's.
#
# usage: system-fetch.sh bookworm|trixie
#
# The directory printed holds
#   root/      the system, with the older of Debian's two newest cloud kernels 6.12, its
#              headers, dkms, systemd-zram-generator and zram-tools (no zram is set up)
#   newer/     the packages of the newer of the two kernels
#   kver       the release of the older one
#   kver-newer and of the newer one
#
# An entry is made once and then used without the network: "rm -r" makes it anew. It
# appears by a rename, so it is whole or not there. Concurrent calls wait for one another.

set -euo pipefail

here=$(dirname "$0")
recipe=2 # to be raised by a change here after which what is cached will not do
cache=${XDG_CACHE_HOME:-$HOME/.cache}/lethe/systems
mirror=http://deb.debian.org
# shellcheck source=scripts/cache.sh
. "$here/cache.sh"

packages=systemd-sysv,udev,dbus,kmod,e2fsprogs,initramfs-tools,zstd,openssl,mokutil
packages=$packages,dkms,systemd-zram-generator,zram-tools
# What programs are built with, and what the packages of Lethe depend on
packages=$packages,libc6-dev,pkgconf,libncurses6,liblzo2-2

# In the new system: the two newest kernels that have headers, the older one installed
kernels() {
	cat <<-'END'
		set -eu
		# What a virtual machine boots from: a small initramfs is soon made, and read.
		echo MODULES=list >/etc/initramfs-tools/conf.d/virtual
		printf '%s\n' virtio_pci virtio_blk ext4 >>/etc/initramfs-tools/modules
		apt-cache search --names-only '^linux-headers-6\.12\.[0-9].*[0-9]-cloud-amd64$' |
			sed 's/^linux-headers-//; s/ .*//' | sort -V | tail -n 2 >/kernels
		[ "$(wc -l </kernels)" = 2 ] || { echo "there are no two kernels 6.12" >&2; exit 1; }
		older=$(head -n 1 /kernels) newer=$(tail -n 1 /kernels)
		apt-get install -y --no-install-recommends linux-image-$older linux-headers-$older
		mkdir /newer
		apt-get install -y --no-install-recommends --download-only \
			linux-image-$newer linux-headers-$newer
		mv /var/cache/apt/archives/linux-*-${newer%-cloud-amd64}[_-]*.deb /newer/
	END
}

# What the tests need, and no zram yet: units that come with packages are enabled
settle() {
	local root=$1
	printf 'lethe-%s\n' "$suite" >"$root/etc/hostname"
	printf '/dev/vda / ext4 errors=remount-ro 0 1\n' >"$root/etc/fstab"
	chroot "$root" systemctl -q disable zramswap.service
	rm -f "$root/etc/systemd/zram-generator.conf"
	# A boot waits for none of these.
	chroot "$root" systemctl -q mask systemd-timesyncd.service apt-daily.timer \
		apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
		man-db.timer getty@tty1.service serial-getty@ttyS0.service
	# Runs what the second disk, a tar archive, has for it.
	cat >"$root/etc/systemd/system/lethe-test.service" <<-'END'
		[Unit]
		After=multi-user.target
		[Service]
		Type=oneshot
		StandardOutput=file:/dev/ttyS1
		StandardError=inherit
		TimeoutStartSec=infinity
		ExecStart=/bin/sh -c 'mkdir -p /run/test && tar -xf /dev/vdb -C /run/test && exec sh /run/test/main'
		ExecStopPost=/bin/systemctl --no-block poweroff
		[Install]
		WantedBy=graphical.target
	END
	chroot "$root" systemctl -q enable lethe-test.service
	chroot "$root" systemctl -q set-default graphical.target
}

make_entry() {
	local root=$tmp/entry/root
	say "making a system of $suite; some minutes"
	mkdir "$tmp/entry"
	kernels >"$tmp/kernels.sh"
	# What is left out is documentation and translations.
	if ! mmdebstrap --mode=root --variant=minbase --include="$packages" \
		--dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
		--customize-hook="copy-in $tmp/kernels.sh /" \
		--customize-hook='chroot "$1" sh /kernels.sh' \
		"$suite" "$root" "deb $mirror/debian $suite main" \
		"deb $mirror/debian $suite-updates main" \
		"deb $mirror/debian-security $suite-security main" >"$tmp/log" 2>&1; then
		tail -n 20 "$tmp/log" >&2
		die "a system of $suite could not be made"
	fi
	settle "$root" >&2
	mv "$root/newer" "$tmp/entry/newer"
	head -n 1 "$root/kernels" >"$tmp/entry/kver"
	tail -n 1 "$root/kernels" >"$tmp/entry/kver-newer"
	rm "$root/kernels" "$root/kernels.sh"
}

PATH=$PATH:/usr/sbin:/sbin
case $#:${1-} in
1:bookworm | 1:trixie) suite=$1 ;;
*) die "usage: system-fetch.sh bookworm|trixie" ;;
esac
entry=$cache/$suite-$recipe
if [ ! -f "$entry/kver" ]; then
	[ "$(id -u)" = 0 ] || die "a system of $suite can only be made by root"
	need flock:util-linux mmdebstrap:mmdebstrap
	cache_lock
	cache_add "$entry" make_entry
fi
printf '%s\n' "$entry"
