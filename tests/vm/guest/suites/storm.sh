# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Everything at once, for STORM seconds, with every policy in turn: processes with
# swapped-out memory that end, are killed and unmap, more of them than fit; idle pages
# that are written back to a third device, and recompressed; direct
# I/O on a second device; compaction, caches dropped, a CPU that comes and goes,
# statistics read. What is not of the storm's own making is to be seen by the
# kernel it runs on (make test-debug).

total=$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)
policies="tombstone tombstone:700 array array:700 sync"
parameters=/sys/module/zram/parameters
align=512
# In the kernel's own tree
case $IMPL in
tree)
	policies="tombstone array sync"
	align=4096 # see bio.sh
	parameters=/sys/module/zsmalloc/parameters
	;;
esac
round=$((${STORM:-60} / $(echo "$policies" | wc -w)))
Z1=/sys/block/zram1
Z2=/sys/block/zram2

# forever COMMAND...: until the file is gone that says that the round is on
forever() {
	while [ -e /tmp/storm ]; do
		"$@"
	done
}

put() {
	echo "$1" >"$2"
}

# expected COMMAND...: it succeeds
expected() {
	"$@" || echo "$*" >>/tmp/failed
}

noise_compact() {
	expected put 1 $Z/compact
	put 1 $Z1/compact 2>/dev/null # which may have no size just now
	expected put 2 /proc/sys/vm/drop_caches
	usleep 200000
}

# One refuses while the other is at work, and the third device may be full.
noise_writeback() {
	expected put all $Z/idle
	put idle $Z/writeback 2>/dev/null
	usleep 100000
	expected put 1 $Z/idle
	expected put "type=idle max_pages=200" $Z/recompress
	usleep 100000
}

noise_hotplug() {
	usleep 1500000
	expected put 0 /sys/devices/system/cpu/cpu2/online
	usleep 500000
	expected put 1 /sys/devices/system/cpu/cpu2/online
}

noise_statistics() {
	cat /sys/kernel/debug/lethe/*/* $Z/*stat $Z1/*stat >/dev/null
	usleep 50000
}

# Its content is checked against a model, and starts from nothing each time: one time
# in four it is a new device.
noise_bio() {
	expected blkdiscard /dev/zram1
	expected vmtest bio /dev/zram1 "$seed" 100 "$align"
	seed=$((seed + 1))
	if [ $((seed % 4)) = 0 ]; then
		expected put 1 $Z1/reset
		expected put 8M $Z1/disksize
	fi
}

# A device that is swap stays.
noise_reset() {
	usleep 700000
	! put 1 $Z/reset 2>/dev/null || echo "reset of swap" >>/tmp/failed
}

# round POLICY[:BUDGET] SEED
round() {
	policy=${1%:*} budget=0
	[ "$policy" = "$1" ] || budget=${1#*:}
	echo "$policy" >$parameters/policy || return 1
	[ ! -e $parameters/budget ] || echo "$budget" >$parameters/budget || return 1
	echo 8M >$Z2/disksize && echo /dev/zram2 >$Z/backing_dev &&
		echo algo=zstd >$Z/recomp_algorithm || return 1
	swap_start $((total * 3 / 2))M && echo 8M >$Z1/disksize || return 1
	rm -f /tmp/failed
	: >/tmp/storm
	for noise in compact hotplug statistics bio reset writeback; do
		forever noise_$noise &
		eval "$noise=\$!"
	done
	# shellcheck disable=SC2154 # set by eval above
	vmtest storm $round "$2" 8 $((total * 2 / 8)) && stormed=yes || stormed=no
	rm -f /tmp/storm
	# shellcheck disable=SC2154
	wait "$compact" "$hotplug" "$statistics" "$bio" "$reset" "$writeback"
	backed=$(bd_stat writes)
	swapoff /dev/zram0 || return 1
	[ ! -e /tmp/failed ] || cat /tmp/failed
	[ $stormed = yes ] && [ ! -e /tmp/failed ]
}

nothing_left() {
	[ "$(deferred pending "$1")" = 0 ] && [ "$(orphans "$1")" = 0 ]
}

zram_load num_devices=2
[ -d $Z2 ] || cat /sys/class/zram-control/hot_add >/dev/null
swapped=$(awk '/^pswpout/ { print $2 }' /proc/vmstat)
seed=1
for policy in $policies; do
	check "$policy: nothing is lost in the storm" round "$policy" $((seed * 1000))
	for device in zram0 zram1; do
		check "$policy: all of $device is drained" within 5 nothing_left $device
		same "$policy: no free of $device was invalid" "$(deferred invalid $device)" 0
	done
	compare "$policy: pages were written back" "$backed" -gt $((100 / SLOW))
	# The header of the swap is one.
	compare "$policy: the third device has one page of the first's at most" "$(bd_stat count)" -le 1
	check "$policy: reset" eval "echo 1 >$Z/reset && echo 1 >$Z1/reset && echo 1 >$Z2/reset"
	seed=$((seed + 1))
done
swapped=$(($(awk '/^pswpout/ { print $2 }' /proc/vmstat) - swapped))
compare "so many pages went to swap" $swapped -gt $((STORM * 100))
if [ -e /sys/kernel/debug/kmemleak ]; then
	same "no block of memory is left behind by a pool" "$(leaks)" 0
	cat /sys/kernel/debug/kmemleak
fi
check "unload" zram_unload
