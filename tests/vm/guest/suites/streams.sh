# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Each CPU has its own stream, whenever it came; and a page that is freed while it is
# read is freed nevertheless.

cpu() {
	echo "$2" >"/sys/devices/system/cpu/cpu$1/online"
}

streams() {
	cat /sys/kernel/debug/zram/zram0/streams
}

# ---- CPUs come after the device was set up, and go ----

# On the CPU that stays: this shell and its children.
read -r self _ </proc/self/stat
taskset -p 1 "$self" >/dev/null
zram_load
same "no size, no streams" "$(streams)" 0
cpu 1 0
cpu 2 0
echo zstd >$Z/comp_algorithm
echo 8M >$Z/disksize
same "set up on one CPU: one stream" "$(streams)" 1
cpu 1 1
cpu 2 1
same "the CPUs that come have one each" "$(streams)" 3
for mask in 1 2 4; do
	check "CPUs $mask write and read" taskset $mask vmtest bio /dev/zram0 $mask 200 4096
	blkdiscard /dev/zram0
done
cpu 1 0
same "that of a CPU that goes goes with it" "$(streams)" 2

# Two writers, on the CPUs 0 and 2, with none between them, and one alone. In turns, and
# five times if need be, as this machine may be busy with other things. On an idle one it
# is 240 %; with one stream for both it was 66 %.
for _ in 1 2 3 4 5; do
	alone=0 both=0
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
		alone=$((alone + $(vmtest writers /dev/zram0 250 0)))
		both=$((both + $(vmtest writers /dev/zram0 250 0 2)))
	done
	say "$alone pages by one writer, $both by two"
	[ $((both * 100 / alone)) -lt 90 ] || break
done
compare "two writers do not store less than one, in per cent" $((both * 100 / alone)) -ge 90
cpu 1 1

# A device that is set up, and taken back, while a CPU comes and goes.
(
	while :; do
		cpu 1 0
		cpu 1 1
	done
) &
turns=$!
refused=0
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
	echo 1 >$Z/reset
	echo zstd >$Z/comp_algorithm
	echo 8M >$Z/disksize || refused=$((refused + 1))
	dd if=/corpus of=/dev/zram0 bs=64k count=4 oflag=direct 2>/dev/null || refused=$((refused + 1))
done
kill $turns
wait $turns 2>/dev/null
cpu 1 1
same "set up while a CPU comes and goes" $refused 0
same "there is a stream for each CPU then" "$(streams)" 3
echo 1 >$Z/reset

# ---- a large write with a slow codec lets other tasks run ----

echo zstd >$Z/comp_algorithm
echo algo=zstd level=19 >$Z/algorithm_params
echo 8M >$Z/disksize
# Also on a kernel that preempts nothing that is in the kernel. Three times, as this
# machine may be busy with other things.
for _ in 1 2 3; do
	read -r late took <<-end
		$(vmtest late /dev/zram0 /corpus 0)
	end
	say "of $took ms that a write of a MiB took, a real-time task waited for $late"
	[ $((late * 4)) -ge "$took" ] || break
done
compare "a write of 256 pages gives way, in a quarter of it" $((late * 4)) -lt "$took"
echo 1 >$Z/reset

# ---- notifications that meet a reader ----

taskset -p 7 "$self" >/dev/null
echo 4M >$Z/disksize
mkswap /dev/zram0 >/dev/null
before=$(mm_stat zram0 orig)
# Often, as what is lost is found only until its slot is written again.
failed=0 left=0
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	swapon /dev/zram0
	vmtest meet /dev/zram0 2 4 "$PER_MIB" || failed=$((failed + 1))
	swapoff /dev/zram0
	left=$((left + $(mm_stat zram0 orig) - before))
done
met=$(awk 'NR == 2 { print $2 }' $Z/debug_stat)
same "pages are freed while they are read" $failed 0
compare "notifications met readers" "$met" -gt 0
say "$met of them, $left bytes left behind"
same "no page is left but that of mkswap" $left 0
check "all is drained" within 5 nothing_pending
same "no object is left" "$(orphans)" 0
same "no free was invalid" "$(deferred invalid)" 0
blkdiscard /dev/zram0
same "the counters are even" "$(mm_stat zram0 orig) $(mm_stat zram0 compr) $(mm_stat zram0 used)" "0 0 0"
echo 1 >$Z/reset
check "unload" zram_unload
