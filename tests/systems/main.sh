# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# In the guest, once systemd has booted it: use zram as its users do, by the tools that
# they use, and say "ok NAME" or "not ok NAME". Lines "said NAME: TEXT" are what the tools
# said; the host compares those of the kernel's zram with those of ours. "plan", beside
# this, sets "impl" (lethe, intree, none: there is no zram, or both: lethe's and then the
# kernel's), "version" and "after", a command for the end.

cd "$(dirname "$0")" || exit 1
. ./plan
: "${impl:?}" "${version:?}" "${after?}"
tmp=$(mktemp -d)
updates=/lib/modules/$(uname -r)/updates

# check NAME COMMAND...
check() {
	name=$1
	shift
	if "$@" >"$tmp/log" 2>&1; then
		echo "ok $name"
	else
		echo "not ok $name: $(tail -n 3 "$tmp/log" | tr '\n' ' ')"
	fi
}

# said NAME COMMAND...: what it says, and how it ends
said() {
	name=$1
	shift
	"$@" >"$tmp/said" 2>&1
	status=$?
	sed -e 's/  */ /g' -e 's/ *$//' -e "s/^/said $name: /" "$tmp/said"
	echo "said $name: status $status"
}

# soon COMMAND...: it succeeds within some seconds
soon() {
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || return 1
		sleep 0.2
	done
}

# As systemd-zram-generator has set it up, when the system booted or its units started
generator() {
	check "$1: the swap unit is active" soon systemctl is-active dev-zram0.swap
	check "$1: and so is the mount" soon mountpoint -q /var/scratch
	said "$1: units that failed" systemctl --failed --no-legend --plain
	said "$1: swapon" swapon --show
	said "$1: file system" findmnt -n -o SOURCE,FSTYPE /var/scratch
	said "$1: backing device" cat /sys/block/zram0/backing_dev
	said "$1: zramctl" zramctl --noheadings -o NAME,ALGORITHM,DISKSIZE,STREAMS,MOUNTPOINT
}

# content BYTES: that compresses as programs do, the same at each boot
content() {
	find /usr/lib -xdev -type f -name '*.so*' -print0 | LC_ALL=C sort -z |
		xargs -0 cat 2>/dev/null | head -c "$1"
}

files() {
	content 20000000 >/var/scratch/file
	sync
	echo 3 >/proc/sys/vm/drop_caches
	check "a file in zram is what was written" sh -c \
		"cat /var/scratch/file | sha256sum | grep -q '^$(content 20000000 | sha256sum | cut -c 1-64)'"
	rm /var/scratch/file
	# Once it is unmounted, its unit is done with the device, and resets it.
	check "ext4 is sound" sh -c "fsfreeze -f /var/scratch; e2fsck -fn /dev/zram1; found=\$?
		fsfreeze -u /var/scratch; exit \$found"
}

# Pages of a tmpfs are swapped out, as its cgroup is told to.
swapping() {
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control
	mkdir -p /sys/fs/cgroup/swapping /run/pages
	mount -t tmpfs none /run/pages
	(
		echo 0 >/sys/fs/cgroup/swapping/cgroup.procs
		content 30000000 >/run/pages/file
	)
	# It takes what it can get, and says so by an error if that is less.
	echo 25M >/sys/fs/cgroup/swapping/memory.reclaim 2>/dev/null ||
		echo 15M >/sys/fs/cgroup/swapping/memory.reclaim 2>/dev/null
	used=$(swapon --show=USED --noheadings --raw --bytes | head -n 1)
	check "pages are swapped out" test "${used:-0}" -gt 10000000
	echo all >/sys/block/zram0/idle
	check "and written back" sh -c "echo idle >/sys/block/zram0/writeback"
	check "to the backing device" test "$(awk '{ print $1 }' /sys/block/zram0/bd_stat)" -gt 2000
	check "and come back as they were" sh -c \
		"sha256sum </run/pages/file | grep -q '^$(content 30000000 | sha256sum | cut -c 1-64)'"
	umount /run/pages
	rmdir /sys/fs/cgroup/swapping
}

columns=NAME,DISKSIZE,ALGORITHM,STREAMS,MEM-LIMIT,MOUNTPOINT

# udev looks at a disk that was written, and has it open for so long.
udev_is_done() {
	for _ in 1 2 3; do
		udevadm settle
		sleep 0.3
	done
}

# free_devices N: for zramctl to find. One that it adds itself is looked at by udev at once,
# and then cannot be reset, as zramctl does first.
free_devices() {
	for _ in $(seq "$1"); do
		cat /sys/class/zram-control/hot_add >/dev/null
	done
	udev_is_done
}

# Each form that zramctl has, on a device of its own
zramctl_forms() {
	free_devices 1
	said "zramctl --find" zramctl --find --size 32M --algorithm lz4
	device=$(tail -n 1 "$tmp/said")
	content 8000000 | dd of="$device" bs=1M iflag=fullblock conv=fsync 2>/dev/null
	said "zramctl, one" zramctl --noheadings -o $columns "$device"
	# Not COMPR: from which size on a page is stored as it is depends on the allocator.
	said "zramctl, bytes" zramctl --bytes --raw --noheadings -o NAME,DISKSIZE,DATA,MIGRATED "$device"
	check "zramctl shows what memory it takes" test \
		"$(zramctl --bytes --raw --noheadings -o TOTAL "$device")" -gt 1000000
	said "zramctl, all columns" sh -c "zramctl --output-all '$device' | head -n 1"
	free_devices 1
	said "zramctl, an algorithm that there is not" zramctl --find --size 32M --algorithm none
	said "zramctl, a device that there is not" zramctl /dev/zram77
	said "zramctl, in use" zramctl --reset /dev/zram0
	mkswap "$device" >/dev/null
	said "a second swap" swapon -p 7 "$device"
	said "swapon, two" swapon --show=NAME,TYPE,SIZE,PRIO
	said "swapoff" swapoff "$device"
	udev_is_done
	said "zramctl --reset" zramctl --reset "$device"
	said "the device is gone" test -e "$device"
	said "hot_add" cat /sys/class/zram-control/hot_add
	device=/dev/zram$(head -n 1 "$tmp/said")
	udev_is_done
	said "zramctl, a given device" zramctl --size 48M --streams 2 --algorithm zstd "$device"
	said "zramctl, it is there" zramctl --noheadings -o $columns "$device"
	udev_is_done
	said "zramctl -r" zramctl -r "$device"
	said "hot_add, once more" cat /sys/class/zram-control/hot_add
	id=$(head -n 1 "$tmp/said")
	udev_is_done
	said "hot_remove" sh -c "echo $id >/sys/class/zram-control/hot_remove"
	said "devices that are left" sh -c "ls -d /sys/class/block/zram*"
}

# every_column DEVICE: but for those with sizes that depend on the allocator, and the number
# of same-filled pages: a newer kernel brings files that content() takes (modules.softdep)
every_column() {
	zramctl --output-all --raw "$1" | awk '
		NR == 1 { for (i = 1; i <= NF; i++) left_out[i] = $i ~ /^(COMPR|TOTAL|MEM-USED|COMP-RATIO|ZERO-PAGES)$/ }
		{ for (i = 1; i <= NF; i++) if (!left_out[i]) printf "%s ", $i; print "" }'
}

# Forms that say something of all devices, or take all options or several devices at once.
# What is left out of a line are sizes, which depend on the allocator.
zramctl_more() {
	said "zramctl, no argument" sh -c "zramctl | awk '{ print \$1, \$2, \$3 }'"
	check "zramctl shows each device that has a size" sh -c '[ "$(zramctl --noheadings | wc -l)" = "$(grep -lvx 0 /sys/block/zram*/disksize | wc -l)" ]'
	free_devices 2
	said "zramctl, all options" zramctl --find --size 40M --algorithm zstd --streams 2
	first=$(tail -n 1 "$tmp/said")
	said "zramctl, short options" zramctl -f -s 24M -a lz4 -t 1
	second=$(tail -n 1 "$tmp/said")
	check "these are two devices" sh -c "[ '$first' != '$second' ] && [ -b '$first' ] && [ -b '$second' ]"
	content 4000000 | dd of="$first" bs=1M iflag=fullblock conv=fsync 2>/dev/null
	said "zramctl, raw" sh -c "zramctl --raw --noheadings '$first' | cut -d ' ' -f 1-4,7-"
	said "zramctl, two rows" sh -c "zramctl --raw --noheadings -o NAME,ALGORITHM,DISKSIZE | grep -e '^$first ' -e '^$second '"
	said "zramctl, a value for each column" every_column "$first"
	said "zramctl, columns of the memory" sh -c \
		"zramctl --raw --noheadings -o MEM-LIMIT,ZERO-PAGES '$second'"
	said "zramctl, a size that is none" zramctl --find --size nonsense
	said "zramctl, a column that there is not" zramctl --output NONSENSE
	udev_is_done
	said "zramctl -r, several" zramctl -r "$first" "$second"
	check "both are reset" sh -c "! zramctl --noheadings -o NAME | grep -qx -e '$first' -e '$second'"
	said "devices that are left then" sh -c "ls -d /sys/class/block/zram*"
	! version_is util-linux 2.41 || zramctl_new
}

# version_is PACKAGE VERSION: or a later one
version_is() {
	dpkg --compare-versions "$(dpkg-query -W -f '${Version}' "$1")" ge "$2"
}

# What later versions of util-linux have
zramctl_new() {
	free_devices 2
	said "zramctl, parameters" zramctl --find --size 16M --algorithm zstd --algorithm-params level=7
	first=$(tail -n 1 "$tmp/said")
	check "it is a device" test -b "$first"
	said "zramctl, with parameters" zramctl --noheadings -o $columns "$first"
	content 4000000 | dd of="$first" bs=1M iflag=fullblock conv=fsync 2>/dev/null
	check "zramctl shows the ratio" sh -c \
		"zramctl --raw --noheadings -o COMP-RATIO '$first' | grep -q '^ *[1-9]'"
	udev_is_done
	said "zramctl, parameters of a device in use" zramctl -s 16M -a zstd -p level=5 /dev/zram0
	said "zramctl, parameters that are none" zramctl -f -s 16M -a zstd -p level=junk
	said "zramctl -r, with parameters" zramctl -r "$first"
}

# algorithms WORDS WANTED [SECOND]: what the generator makes of them, on a device that it
# is told of now; the second algorithm is to recompress with.
algorithms() {
	conf=/etc/systemd/zram-generator.conf.d
	mkdir -p $conf
	printf '[zram2]\nzram-size = 16\ncompression-algorithm = %s\n' "$1" >$conf/more.conf
	systemctl daemon-reload
	check "the generator sets up '$1'" systemctl start dev-zram2.swap
	check "'$1' is $2" grep -q -F "[$2]" /sys/block/zram2/comp_algorithm
	[ -z "${3-}" ] ||
		check "'$1' has $3 to recompress with" grep -q "^#1.*\[$3\]" /sys/block/zram2/recomp_algorithm
	check "'$1' goes again" systemctl stop dev-zram2.swap systemd-zram-setup@zram2.service
	rm -r $conf
	systemctl daemon-reload
}

# What Debian's own zram has not: it is built without them.
more_algorithms() {
	algorithms deflate deflate
	# Versions before take one algorithm.
	! version_is systemd-zram-generator 1.2 || algorithms 'lz4 zstd(level=3)' lz4 zstd
}

# As docs/admin.md says, and what is mounted here
stop_generator() {
	check "the generator's units stop" systemctl stop var-scratch.mount \
		'dev-zram*.swap' 'systemd-zram-setup@*'
	check "zram can be unloaded" soon modprobe -r zram
}

zram_tools() {
	printf 'ALGO=lz4\nSIZE=64\nPRIORITY=42\n' >/etc/default/zramswap
	check "zram-tools: starts" systemctl start zramswap.service
	said "zram-tools: swapon" swapon --show
	said "zram-tools: status" systemctl is-active zramswap.service
	check "zram-tools: stops" systemctl stop zramswap.service
	said "zram-tools: stopped" swapon --show
	# It unloads zram at once, and fails if udev still looks at the disk.
	systemctl reset-failed zramswap.service 2>/dev/null
	soon modprobe -r zram
}

# Beside the package: modprobe would take that of the package. Later versions of DKMS keep
# the kernel's own elsewhere.
load_intree() {
	module=$(find "/lib/modules/$(uname -r)/kernel" \
		"/var/lib/dkms/lethe/original_module/$(uname -r)" -name 'zram.ko*' ! -name '*.origin')
	# shellcheck disable=SC2046 # words
	modprobe -a $(modinfo -F depends "$module" | tr , ' ') && insmod "$module"
}

# zram-generator loads zram and adds devices when it runs as a generator.
start_generator() {
	[ "$impl $1" != "both intree" ] || check "the kernel's own zram is loaded" load_intree
	check "systemd reads its units anew" systemctl daemon-reload
	check "the generator's units start" systemctl start systemd-zram-setup@zram0.service \
		dev-zram0.swap systemd-zram-setup@zram1.service var-scratch.mount
}

whose_zram() {
	case $1 in
	lethe)
		check "the zram that is loaded is Lethe's" test "$(cat /sys/module/zram/version)" = "$version"
		check "the log says so" sh -c "dmesg | grep -q \"zram: Lethe's, version $version\""
		;;
	intree)
		check "zram is loaded" test -d /sys/module/zram
		check "it is the kernel's" test ! -e /sys/module/zram/version
		;;
	esac
}

round() {
	echo "said by $1: "
	whose_zram "$1"
	generator "booted"
	files
	swapping
	zramctl_forms
	zramctl_more
	[ "$1" != lethe ] || more_algorithms
	stop_generator
	[ "$impl" = both ] || zram_tools
	start_generator "$1"
	whose_zram "$1"
	generator "restarted"
}

# The other processors: see boot.sh
for cpu in /sys/devices/system/cpu/cpu[1-9]/online; do
	echo 1 >"$cpu"
done

case $impl in
none)
	check "a module whose key is unknown is refused" sh -c \
		"modprobe zram 2>&1 | grep -q 'Key was rejected\|not permitted'"
	check "and no zram is there" test ! -e /sys/module/zram
	;;
both)
	round lethe
	stop_generator
	check "the allocator is unloaded as well" test ! -e /sys/module/lethe
	start_generator intree
	round intree
	;;
*) round "$impl" ;;
esac
if [ -n "$after" ]; then
	check "$after" sh -c "$after"
	check "what is loaded stays until it is unloaded" \
		test "$(cat /sys/module/zram/version)" = "$version"
	check "then modprobe takes the kernel's" sh -c "modinfo -F filename zram | grep -q /kernel/"
	check "and nothing is left" sh -c "! find $updates -name '*.ko*' | grep -q ."
fi
echo end
