# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Swap under pressure: more memory than there is, all of it verified, while
# compaction and reclaim of caches go on.

zram_load
# What the kernel keeps in reserve is so many bytes, and what a reclaimer takes at a time
# so many pages. Of larger pages the reserve does not suffice for all that reclaim at
# once, and writes fail, those of the kernel's own zram too. As many as there are of 4 KiB:
reserve=$(cat /proc/sys/vm/min_free_kbytes)
echo $((reserve * (PAGE / 4096))) >/proc/sys/vm/min_free_kbytes
total=$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)
more=$((total * 11 / 10))
check "swapon" swap_start $((total * 2))M

compacts_and_drops() {
	while sleep 0.3; do
		echo 1 >$Z/compact
		echo 2 >/proc/sys/vm/drop_caches
	done
}
check "$more MiB of content in $total MiB of memory, of four processes" \
	beside compacts_and_drops vmtest fill $more 31 4
compare "it was swapped" "$(awk '/^pswpout/ { print $2 }' /proc/vmstat)" -gt $((total * PER_MIB / 4))
same "no read failed" "$(awk '{ print $1 }' $Z/io_stat)" 0
same "no write failed" "$(awk '{ print $2 }' $Z/io_stat)" 0

memory_is_back() {
	[ "$(mm_stat zram0 used)" -lt $((1024 * PAGE)) ]
}
echo "$reserve" >/proc/sys/vm/min_free_kbytes
check "swapoff" swapoff /dev/zram0
check "the memory is back" within 10 memory_is_back
check "reset" eval 'echo 1 >$Z/reset'
check "unload" zram_unload
