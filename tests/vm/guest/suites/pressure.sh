# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# When memory is short: fragmentation is given back by the kernel's reclaim, and what
# is pending is shown as memory that can be had.

zram_load
echo lz4 >$Z/comp_algorithm
echo 128M >$Z/disksize

# Since 6.14 a kernel thread waits uninterruptibly until it is first woken, which is
# load, and a hang that the kernel reports. So this comes before there is work.
drain_threads_sleep() {
	states=$(grep -l '^lethe_drain$' /proc/[0-9]*/comm | sed 's/comm$/stat/' |
		xargs cut -d ' ' -f 3 | sort -u)
	[ "$states" = S ]
}
check "a drain thread without work sleeps as any thread does" within 5 drain_threads_sleep


# fragmented: seven pages of eight are discarded. Sets FULL and SPARSE, in pages.
fragmented() {
	check "the device is filled" vmtest punch fill /dev/zram0 /corpus 32 8
	FULL=$(stat_of pages)
	check "seven pages of eight are discarded" vmtest punch discard /dev/zram0 /corpus 32 8
	SPARSE=$(stat_of pages)
	compare "most of its memory stays in fragments" "$SPARSE" -gt $((FULL / 2))
}

# given_back BY: what reclaim or the OOM killer has given back
given_back() {
	compare "$1 gives fragments back" "$(stat_of pages)" -lt $((FULL / 4))
	compare "by moving objects together" "$(stat_of pages_compacted)" -gt $((SPARSE / 2))
	check "what is left has its content" vmtest punch check /dev/zram0 /corpus 32 8
	check "discard all" blkdiscard /dev/zram0
	same "nothing is left" "$(stat_of objects)" 0
}

fragmented
for _ in 1 2 3 4 5 6 7 8; do
	echo 2 >/proc/sys/vm/drop_caches
done
given_back "the shrinker"

# Each round of the OOM killer takes what it needs; a victim may have to go as well.
fragmented
before=$(stat_of pages_compacted)
oom_kill
compare "the OOM killer asks for fragments first" "$(stat_of pages_compacted)" -gt "$before"
compare "and takes some, not all" "$(($(stat_of pages_compacted) - before))" -lt $((SPARSE / 2))
check "what is left has its content" vmtest punch check /dev/zram0 /corpus 32 8
check "reset" eval 'echo 1 >$Z/reset'

# ---- what is pending is visible ----

reclaimable() {
	awk '$1 == "nr_kernel_misc_reclaimable" { print $2 }' /proc/vmstat
}
# Pages that MemAvailable counts beside those that are free. What else is freed meanwhile
# raises both, so the difference shows only what changes its kind.
available_not_free() {
	awk -v page="$PAGE" '{ kib[$1] = $2 }
		END { print (kib["MemAvailable:"] - kib["MemFree:"]) * 1024 / page }' /proc/meminfo
}

swap_start 128M
check "frees are pending" make_pending 16 7
held_pages=$((USED / PAGE))
shown=$(reclaimable)
compare "they are shown as reclaimable" "$shown" -gt $((held_pages / 2))
compare "and as no more than they hold" "$shown" -lt $((held_pages * 3 / 2))
during=$(available_not_free)
release_worker
check "they are drained" within 5 nothing_pending
nothing_shown() {
	[ "$(reclaimable)" = 0 ]
}
check "nothing is shown after that" within 5 nothing_shown
# MemAvailable leaves out half of it at most: less, if the low watermark is less.
compare "MemAvailable had counted it" "$(awk -v a="$during" -v b="$(available_not_free)" \
	-v s="$shown" 'BEGIN { print int(100 * (a - b) / s) }')" -gt 40

check "drain threads sleep when all is drained" within 5 drain_threads_sleep
same "no free was invalid" "$(deferred invalid)" 0
check "stop" swap_stop
check "unload" zram_unload
