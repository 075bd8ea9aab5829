#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Debian systems that run systemd, in virtual machines: zram as their users have it, by
# systemd-zram-generator, zram-tools and zramctl, with the package lethe-dkms and, by the
# same script, with the kernel's own zram. What the tools say must be the same. Packages
# are installed by the system's own dpkg, DKMS and compiler while it is not running, as
# that would take an hour under emulation; they are removed while it runs. To be run as
# root, or where sudo does not ask. Consoles stay in build/systems. The last line is
# "systems: N passed, N failed".
#
# usage: run.sh [-q] [SUITE...]
#
# SUITE: bookworm, trixie, or both if none is given. A suite is five boots: the kernel's
# zram; the package installed; the kernel upgraded, and then the package removed; the
# system after that; and the package installed where the kernel wants a key (lockdown).
# -q is one boot of one suite, both zrams after one another.

set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
PATH=$PATH:/usr/sbin:/sbin
options=("$@")
quick=no
passed=0
failed=0

finish() {
	printf 'systems: %d passed, %d failed\n' "$passed" "$failed"
	[ "$failed" = 0 ]
	exit
}

usage() {
	echo 'usage: run.sh [-q] [bookworm|trixie]...'
	exit 1
}

bad() {
	failed=$((failed + 1))
	printf 'not ok %s\n' "$*"
}

while getopts q option; do
	case $option in
	q) quick=yes ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
for suite; do
	case $suite in
	bookworm | trixie) ;;
	*) usage ;;
	esac
done
# shellcheck source=scripts/as-root.sh
. "$root/scripts/as-root.sh"
if ! as_root "$0" "${options[@]}"; then
	bad "systems: they are root's, and this is not root, nor does sudo let it be"
	finish
fi
# shellcheck source=tests/systems/layer.sh
. "$here/layer.sh"
own_mounts "$0" "${options[@]}"
if ! as_caller "$root/scripts/deb.sh" >&2; then
	bad "packages"
	finish
fi
version=$(cat "$root/VERSION")
out=$root/build/systems
as_caller mkdir -p "$out"

# ---- the system while it does not run ----

# wait_for_devices TIMEOUT: of systemd, until the disks of zram-generator are there
wait_for_devices() {
	local device
	for device in dev-zram0 dev-zram1 dev-vdc; do
		mkdir -p "$sys/etc/systemd/system/$device.device.d"
		printf '[Unit]\nJobRunningTimeoutSec=%s\n' "$1" \
			>"$sys/etc/systemd/system/$device.device.d/test.conf"
	done
}

# The system, with what zram-generator is to set up
begin() {
	system_begin "$system"
	mkdir -p "$sys/var/scratch" "$sys/etc/systemd/journald.conf.d"
	printf '[Journal]\nStorage=volatile\n' >"$sys/etc/systemd/journald.conf.d/test.conf"
	# Under emulation, beside other tests, udev may take longer to start than 90 s.
	wait_for_devices infinity
	cat >"$sys/etc/systemd/zram-generator.conf" <<-'END'
		[zram0]
		zram-size = 128
		compression-algorithm = lz4
		swap-priority = 50
		writeback-device = /dev/vdc
		[zram1]
		zram-size = 64
		fs-type = ext4
		mount-point = /var/scratch
	END
	cp "$root"/build/deb/lethe-dkms_*.deb "$sys/root/"
}

# done_inside WHAT COMMAND: it is to succeed
done_inside() {
	if inside "$2"; then
		passed=$((passed + 1))
	else
		bad "$suite: $1"
		tail -n 20 "$said" | sed 's/^/  | /'
	fi
}

# The system as it is now, to boot from, in "disk"
disk() {
	system_unmount
	rm -rf "$disk" "${work:?}/boot"
	mke2fs -q -t ext4 -L lethe -d "$sys" "$disk" 4G
	system_mount
	cp -r "$sys/boot" "$work/boot"
}

# ---- the system while it runs ----

# boot NAME KVER IMPL AFTER [WORD...]: "NAME.results" is what the guest has said
boot() {
	local name=$suite-$1 kver=$2 good=0 verdict=good
	printf 'impl=%s\nversion=%s\nafter="%s"\n' "$3" "$version" "$4" >"$work/plan"
	shift 4
	cp "$here/main.sh" "$work/main"
	tar -C "$work" -c -f "$work/tar" main plan
	mkdir -p "$work/kernel/boot"
	cp "$work/boot/vmlinuz-$kver" "$work/kernel/boot/"
	echo "$kver" >"$work/kernel/kver"
	# What zram0 writes back to
	truncate -s 128M "$work/backing"
	"$root/tests/vm/boot.sh" -d "$disk" -d "$work/tar" -d "$work/backing" "$work/kernel" \
		"$work/boot/initrd.img-$kver" "$out/$name.log" "$out/$name.results" 1500 640 2 \
		root=/dev/vda rw systemd.show_status=error \
		systemd.default_timeout_start_sec=900 "$@" >"$work/verdict" || verdict=$(cat "$work/verdict")
	tr -d '\r' <"$out/$name.results" >"$work/$name.results"
	good=$(grep -c '^ok ' "$work/$name.results")
	passed=$((passed + good))
	while read -r line; do
		bad "$name: ${line#not ok }"
	done < <(grep '^not ok ' "$work/$name.results")
	if [ "$verdict" = good ]; then
		passed=$((passed + 1))
	else
		bad "$name: $verdict"
		tail -n 15 "$out/$name.log" | tr -d '\r' | sed 's/^/  | /'
	fi
	printf 'systems: %s, %s: %d good, %d s\n' "$name" "$kver" "$good" "$SECONDS"
}

# spoken FILE [IMPL]: what the tools have said, of one zram
spoken() {
	awk -v impl="${2-}" '/^said by / { on = impl == "" || index($0, impl); next }
		on && /^said /' "$1"
}

# same NAME FILE FILE: of the kernel's zram, and of ours
same() {
	if [ -s "$2" ] && diff "$2" "$3" >"$work/diff"; then
		passed=$((passed + 1))
	else
		bad "$suite: $1: the tools say other things of the kernel's zram (<) than of ours (>)"
		sed 's/^/  | /' "$work/diff"
	fi
}

quick_suite() {
	begin
	done_inside "install" "dpkg -i /root/lethe-dkms_*.deb"
	disk
	system_end
	boot both "$kver" both ''
	spoken "$work/$suite-both.results" intree >"$work/intree"
	spoken "$work/$suite-both.results" lethe >"$work/lethe"
	same "quick" "$work/intree" "$work/lethe"
}

whole_suite() {
	local newer
	newer=$(cat "$system/kver-newer")
	begin
	disk
	boot intree "$kver" intree ''
	spoken "$work/$suite-intree.results" >"$work/intree"

	done_inside "install" "dpkg -i /root/lethe-dkms_*.deb"
	disk
	boot installed "$kver" lethe ''
	spoken "$work/$suite-installed.results" >"$work/lethe"
	same "installed" "$work/intree" "$work/lethe"
	# Without zram there are no such disks.
	wait_for_devices 60
	disk
	boot lockdown "$kver" none '' lockdown=integrity
	wait_for_devices infinity

	cp -r "$system/newer" "$sys/root/"
	done_inside "kernel upgrade" "dpkg -i /root/newer/*.deb"
	disk
	system_end
	boot upgraded "$newer" lethe 'dpkg -r lethe-dkms'
	spoken "$work/$suite-upgraded.results" >"$work/lethe"
	same "upgraded" "$work/intree" "$work/lethe"
	boot removed "$newer" intree ''
	spoken "$work/$suite-removed.results" >"$work/lethe"
	same "removed" "$work/intree" "$work/lethe"
}

suites=("$@")
[ $# != 0 ] || suites=(bookworm trixie)
[ $# != 0 ] || [ $quick = no ] || suites=(bookworm)
for suite in "${suites[@]}"; do
	if ! system=$("$root/scripts/system-fetch.sh" "$suite"); then
		bad "$suite: there is no system"
		continue
	fi
	kver=$(cat "$system/kver")
	disk=$out/$suite.disk
	if [ $quick = yes ]; then
		quick_suite
	else
		whole_suite
	fi
	rm -f "$disk"
done
finish
