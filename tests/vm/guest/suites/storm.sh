# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Everything at once, for STORM seconds, with every policy in turn: processes with
# swapped-out memory that end, are killed and unmap, more of them than fit; direct
# I/O on a second device; compaction, caches dropped, a CPU that comes and goes,
# statistics read. What is not of the storm's own making is to be seen by the
# kernel it runs on (make test-debug).

total=$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)
policies="tombstone tombstone:700 percpu percpu:700 array sync"
round=$((${STORM:-60} / 6))
parameters=/sys/module/zram/parameters
Z1=/sys/block/zram1

# forever COMMAND...: until the file is gone that says that the round is on
forever() {
	while [ -e /tmp/storm ]; do
		"$@"
	done
}

noise_compact() {
	echo 1 >$Z/compact
	echo 1 >$Z1/compact
	echo 2 >/proc/sys/vm/drop_caches
	usleep 200000
}

noise_hotplug() {
	usleep 1500000
	echo 0 >/sys/devices/system/cpu/cpu2/online
	usleep 500000
	echo 1 >/sys/devices/system/cpu/cpu2/online
}

noise_statistics() {
	cat /sys/kernel/debug/lethe/*/* $Z/*stat $Z1/*stat >/dev/null
	usleep 50000
}

# Its content is checked against a model, and starts from nothing each time.
noise_bio() {
	blkdiscard /dev/zram1 && vmtest bio /dev/zram1 "$seed" 100 512 || echo bio >>/tmp/failed
	seed=$((seed + 1))
}

noise_reset() {
	usleep 700000
	# Refused while it is open, and for the other device, which is swap
	echo 1 >$Z/reset
} 2>/dev/null

# round POLICY[:BUDGET] SEED
round() {
	policy=${1%:*} budget=0
	[ "$policy" = "$1" ] || budget=${1#*:}
	echo "$policy" >$parameters/policy && echo "$budget" >$parameters/budget || return 1
	swap_start $((total * 3 / 2))M && echo 8M >$Z1/disksize || return 1
	: >/tmp/storm
	for noise in compact hotplug statistics bio reset; do
		forever noise_$noise &
		eval "$noise=\$!"
	done
	# shellcheck disable=SC2154 # set by eval above
	vmtest storm $round "$2" 8 $((total * 2 / 8)) && stormed=yes || stormed=no
	rm -f /tmp/storm
	# shellcheck disable=SC2154
	wait "$compact" "$hotplug" "$statistics" "$bio" "$reset"
	swapoff /dev/zram0 || return 1
	[ $stormed = yes ] && [ ! -e /tmp/failed ]
}

nothing_left() {
	[ "$(deferred pending "$1")" = 0 ] && [ "$(orphans "$1")" = 0 ]
}

zram_load num_devices=2
swapped=$(awk '/^pswpout/ { print $2 }' /proc/vmstat)
seed=1
for policy in $policies; do
	check "$policy: nothing is lost in the storm" round "$policy" $((seed * 1000))
	for device in zram0 zram1; do
		check "$policy: all of $device is drained" within 5 nothing_left $device
		same "$policy: no free of $device was invalid" "$(deferred invalid $device)" 0
	done
	check "$policy: reset" eval "echo 1 >$Z/reset && echo 1 >$Z1/reset"
done
swapped=$(($(awk '/^pswpout/ { print $2 }' /proc/vmstat) - swapped))
compare "so many pages went to swap" $swapped -gt $((STORM * 100))
if [ -e /sys/kernel/debug/kmemleak ]; then
	same "no block of memory is left behind by a pool" "$(leaks)" 0
	cat /sys/kernel/debug/kmemleak
fi
check "unload" zram_unload
