# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Reset and unload with frees pending: nothing is left behind.

available() {
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^MemFree/ { print $2 }' /proc/meminfo
}

# ---- with the drain threads held back, so that frees are pending for certain ----

# pending_after_swapoff SEED: and the drain threads are let go a second later. The end
# of a pool waits for its threads to end, which they do only then.
pending_after_swapoff() {
	make_pending 16 "$1" && swapoff /dev/zram0 && [ "$(deferred pending)" -ge "$PENDING" ] || return 1
	(sleep 1 && kill "$HOG") &
}

zram_load
swap_start 128M
check "frees are pending before the reset, and after swapoff" pending_after_swapoff 1
same "reset" "$(vmtest attr $Z/reset 1)" ok
release_worker
same "no memory is used after it" "$(mm_stat zram0 used)" 0
check "its pool is gone" test ! -e /sys/kernel/debug/lethe/zram0
check "the device can be used again" swap_start 128M
check "frees are pending before the unload, and after swapoff" pending_after_swapoff 2
check "unload of both modules" zram_unload
release_worker
check "nothing is left in debugfs" test ! -e /sys/kernel/debug/lethe

# ---- as it comes, again and again ----

cycle() {
	zram_load policy="$2" && swap_start 128M && held_start 16 "$1" || return 1
	if [ $(($1 % 2)) = 0 ]; then
		held_kill
	else
		held munmap && held_end || return 1
	fi
	swapoff /dev/zram0 || return 1
	[ $(($1 % 3)) = 0 ] || echo 1 >$Z/reset || return 1
	zram_unload
}

# Each time, some 9 MiB were held: not even one of the three is lost. The kernel
# may take a moment to have back what it frees.
no_memory_is_lost() {
	lost=$((before - $(available)))
	[ $lost -lt 6144 ]
}

# The first time, the kernel's caches take some MiB for good.
cycle 2 tombstone
# With 1, all that there is of killed or not, reset or not: 2, 3, 6
for policy in tombstone array; do
	cycle 1 $policy
	before=$(available)
	for n in 2 3 6; do
		check "$policy: pending, swapoff, unload, time $n" cycle $n $policy
	done
	check "$policy: no memory is lost" within 5 no_memory_is_lost
	say "$policy: $lost KiB less"
done
