# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Frees that are pending: queued when a process goes, told truthfully, no harm
# to new data, and drained soon.

zram_load num_devices=2
swap_start 128M
echo 16M >/sys/block/zram1/disksize
same "nothing is pending at first" "$(deferred pending)" 0
compare "the bound is at least 128 MiB of pages" "$(deferred capacity)" -ge $((128 * PER_MIB))

# ---- munmap ----

check "unmapped pages are pending" make_pending 16 1
same "they are the objects that no page has" "$(orphans)" "$PENDING"
compare "all of them were queued" "$(deferred queued)" -ge "$PENDING"
compare "the slots forget them at once" "$(mm_stat zram0 orig)" -lt $((16 * 1048576 / 8))
compare "what is pending still counts as used" "$(mm_stat zram0 used)" -ge $((USED * 9 / 10))

# Slots are used again while the objects they held before are pending.
check "new pages are swapped out" held_start 16 2
compare "with the old ones pending" "$(orphans)" -ge "$PENDING"
release_worker
check "pending frees are drained soon" within 5 nothing_pending
same "and no object is left of them" "$(orphans)" 0
compare "by the drain threads" "$(deferred drained)" -ge "$PENDING"
check "the new pages have their content" held check
held munmap
held_end
check "a remainder does not stay for long" within 2 nothing_pending

# ---- kill ----

hold_worker 25
held_start 16 3
held_kill
PENDING=$(deferred pending)
compare "pages of a killed process are pending" "$PENDING" -gt $((16 * PER_MIB * 7 / 8))
release_worker
check "and are drained soon" within 5 nothing_pending
# The kernel keeps up to 64 freed swap slots a CPU to itself, each of which may
# keep a zspage of up to 8 pages: 2 CPUs * 64 * 8 pages at the very worst.
memory_is_back() {
	[ "$(mm_stat zram0 used)" -lt $((1024 * PAGE)) ]
}
check "their memory is back" within 5 memory_is_back

# Four processes at once
pids=
for n in 1 2 3 4; do
	mkfifo /tmp/in$n /tmp/out$n
	vmtest held 6 4$n </tmp/in$n >/tmp/out$n &
	pids="$pids $!"
done
exec 3>/tmp/in1 4>/tmp/in2 5>/tmp/in3 6>/tmp/in4
for n in 1 2 3 4; do
	read -r _ </tmp/out$n
done
# shellcheck disable=SC2086 # a list of numbers
kill -9 $pids
for pid in $pids; do
	wait "$pid" 2>/dev/null
done
exec 3>&- 4>&- 5>&- 6>&-
check "frees of four killed processes are drained soon" within 5 nothing_pending
check "and their memory is back" within 5 memory_is_back

# ---- everything else is freed at once ----

hold_worker 25
dd if=/corpus of=/dev/zram1 bs=1M count=8 oflag=direct 2>/dev/null
used=$(mm_stat zram1 used)
dd if=/corpus of=/dev/zram1 bs=1M count=8 oflag=direct 2>/dev/null
compare "what is overwritten is freed at once" "$(mm_stat zram1 used)" -le $((used * 11 / 10))
blkdiscard /dev/zram1
same "what is discarded is freed at once" "$(mm_stat zram1 used)" 0
same "none of it was queued" "$(deferred queued zram1)" 0
release_worker

same "no free was invalid" "$(deferred invalid)" 0
same "no free fell back below the bound" "$(deferred fallback)" 0
same "nothing was freed twice, all was freed" "$(orphans)" 0
check "reset of the device" swap_stop
check "unload" zram_unload
