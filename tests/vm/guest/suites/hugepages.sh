# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# How many huge pages can be had while a device has pages all over memory. It is written
# between files that then go, and three pages of four are discarded. Run if it is named
# only, in 1 GiB; the figures are printed, for ours to be put beside the kernel's own
# (-i intree).

ASKED=290 MIB=240

# huge WANTED: how many the kernel finds
huge() {
	echo "$1" >/proc/sys/vm/nr_hugepages
	cat /proc/sys/vm/nr_hugepages
}

zram_load
echo $((MIB * 2))M >$Z/disksize
mkdir -p /tmp/files
i=0
while [ $i -lt $MIB ]; do
	dd if=/dev/urandom of=/dev/zram0 bs=1M count=1 seek=$i oflag=direct 2>/dev/null &&
		dd if=/dev/zero of=/tmp/files/$i bs=1M count=1 2>/dev/null || break
	i=$((i + 1))
done
same "$MIB MiB are written between files" $i $MIB
rm -r /tmp/files
i=0
while [ $i -lt $((MIB * 4)) ]; do
	blkdiscard -o $(((i * 4 + 1) << 16)) -l $((3 << 16)) /dev/zram0 || break
	i=$((i + 1))
done
same "three of four 64 KiB are discarded" $i $((MIB * 4))
echo 1 >$Z/compact
echo 3 >/proc/sys/vm/drop_caches
sleep 1
echo 1 >/proc/sys/vm/compact_memory
got=$(huge $ASKED)
moved=$(awk '$1 == "pgmigrate_success" { print $2 }' /proc/vmstat)
say "$got of $ASKED huge pages, $(mm_stat zram0 used) bytes used, $moved pages moved"
compare "most of the huge pages can be had" "$got" -ge $((ASKED * 9 / 10))
huge 0 >/dev/null
check "reset" eval "echo 1 >$Z/reset"
check "unload" zram_unload
