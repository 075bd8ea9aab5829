# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# CPUs go and come back while processes with swapped-out memory end. What a CPU that
# goes has pushed is freed all the same, soon, and once.
#
# HOTPLUG is how many seconds of that there are with each policy (run.sh -w HOTPLUG=9).

cpu() {
	echo "$2" >"/sys/devices/system/cpu/cpu$1/online"
}

# Both at once, and each while the other is there
turn() {
	cpu 1 0 && cpu 2 0 && cpu 1 1 && cpu 2 1 && cpu 1 0 && cpu 1 1
}

# What was queued is what was freed, in one way or another.
balance() {
	awk '/^queued:/ { queued = $2 }
		/^(drained|producer_drained|flushed_[a-z]*|pending):/ { freed += $2 }
		END { print queued - freed }' /sys/kernel/debug/lethe/zram0/deferred_free
}

no_page_is_left() {
	[ "$(mm_stat zram0 used)" = 0 ]
}

# push_on_one_that_goes SEED: a process on CPU 2 unmaps 4 MiB, with the drain held
# back on CPU 1, and the CPU goes. Sets PENDING: how many were pending before.
push_on_one_that_goes() {
	hold_worker 25 && held_start 4 "$1" && taskset -p 4 "$HELD" >/dev/null || return 1
	held munmap || return 1
	PENDING=$(deferred pending)
	cpu 2 0
}

# In pages of 4 MiB, but for what the kernel's own caches of swap slots keep
most=$((4 * PER_MIB - 124))

for policy in tombstone array; do
	zram_load policy=$policy
	swap_start 128M

	turns=0 refused=no
	vmtest storm "${HOTPLUG:-1}" 17 3 4 &
	storm=$!
	while kill -0 $storm 2>/dev/null; do
		turn || refused=yes
		turns=$((turns + 1))
	done
	check "$policy: content is right in a storm" wait $storm
	compare "$policy: CPUs went and came meanwhile" $turns -gt 0
	same "$policy: none of them would not" $refused no
	say "$policy: $turns turns"
	check "$policy: all is drained" within 5 nothing_pending

	check "$policy: a CPU goes that has just pushed" push_on_one_that_goes 18
	compare "$policy: what it pushed was pending" "$PENDING" -gt $most
	compare "$policy: and is pending when it has gone" "$(deferred pending)" -gt $most
	release_worker
	check "$policy: nothing stays behind on a CPU that has gone" within 2 nothing_pending
	cpu 2 1
	held_end

	same "$policy: each free that was queued was done, once" "$(balance)" 0
	same "$policy: no free was invalid" "$(deferred invalid)" 0
	swapoff /dev/zram0
	blkdiscard /dev/zram0
	check "$policy: not a page is left" within 2 no_page_is_left
	same "$policy: and no object" "$(orphans)" 0
	echo 1 >$Z/reset
	check "$policy: unload" zram_unload
done
