# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# The kernel's own zram, in its own tree: what it writes back and recompresses, compacts,
# and resets with frees pending. The same with Lethe in place of zsmalloc, and without.

pool=/sys/kernel/debug/lethe/zram0
unchanged() {
	same "the content is the same $1" "$(md5sum </dev/zram0)" "$sum"
}

check "zram is there" zram_load
echo 32M >$Z/disksize
case $IMPL in
tree) check "its allocator is Lethe" test -e $pool/deferred_free ;;
plain) check "its allocator is zsmalloc" test ! -e $pool ;;
esac

# ---- compaction ----

content() {
	dd if=/corpus of=/dev/zram0 bs=1M count=4 oflag=direct 2>/dev/null
	dd if=/dev/urandom of=/dev/zram0 bs=64k seek=64 count=1 oflag=direct 2>/dev/null
	sum=$(md5sum </dev/zram0)
}
check "the device is filled" vmtest punch fill /dev/zram0 /corpus 24 8
full=$(mm_stat zram0 used)
check "seven pages of eight are discarded" vmtest punch discard /dev/zram0 /corpus 24 8
echo 1 >$Z/compact
compare "compaction gives pages back" "$(mm_stat zram0 compacted)" -gt 0
compare "most of them" "$(mm_stat zram0 used)" -lt $((full / 4))
check "what is left has its content" vmtest punch check /dev/zram0 /corpus 24 8
check "discard all" blkdiscard /dev/zram0
same "nothing is held" "$(mm_stat zram0 used)" 0
echo 1 >$Z/reset

# ---- recompression ----

echo lz4 >$Z/comp_algorithm
same "a second algorithm" "$(attr recomp_algorithm 'algo=zstd priority=1')" ok
echo 32M >$Z/disksize
content
compr=$(mm_stat zram0 compr) used=$(mm_stat zram0 used)
echo all >$Z/idle
same "idle pages are recompressed" "$(attr recompress type=idle)" ok
compare "they are smaller" "$(mm_stat zram0 compr)" -lt $((compr * 9 / 10))
compare "in memory as well" "$(mm_stat zram0 used)" -lt "$used"
unchanged "after recompression"
compr=$(mm_stat zram0 compr)
echo all >$Z/idle
same "once more" "$(attr recompress type=idle)" ok
same "there is nothing left to do" "$(mm_stat zram0 compr)" "$compr"
echo 16M >/sys/block/zram1/disksize
vmtest bio /dev/zram1 21 2000 4096 &
io=$!
while kill -0 $io 2>/dev/null; do
	echo all >$Z/idle
	echo type=idle threshold=100 >$Z/recompress
	echo 1 >$Z/compact
done
check "I/O beside it" wait $io
unchanged "after all that"
check "reset" zram_unload

# ---- writeback ----

same "a disk to write back to" "$(attr backing_dev /dev/vdb)" ok
echo 32M >$Z/disksize
content
used=$(mm_stat zram0 used)
echo all >$Z/idle
same "idle pages are written back" "$(attr writeback idle)" ok
compare "they are on the disk" "$(awk '{ print $1 }' $Z/bd_stat)" -gt 900
compare "and not in memory" "$(mm_stat zram0 used)" -lt $((used / 4))
unchanged "when it is read from the disk"
dd if=/corpus of=/dev/zram0 bs=1M count=2 oflag=direct conv=notrunc 2>/dev/null
unchanged "after pages were written again"
check "discard all" blkdiscard /dev/zram0
same "nothing is held" "$(mm_stat zram0 used)" 0
check "reset with a disk" zram_unload

# ---- codecs ----

for codec in lzo lzo-rle lz4 zstd; do
	echo $codec >$Z/comp_algorithm
	echo 16M >$Z/disksize
	check "$codec: block I/O" vmtest bio /dev/zram0 7 500 4096
	echo 1 >$Z/reset
done

[ "$IMPL" = tree ] || return 0

# ---- how pools defer ----

policy=/sys/module/zsmalloc/parameters/policy
same "tombstone is the default" "$(cat $policy)" tombstone
same "an unknown policy is refused" "$(vmtest attr $policy nonsense)" EINVAL
for name in sync array tombstone; do
	echo $name >$policy
	same "$name: the parameter says so" "$(cat $policy)" $name
	swap_start 128M
	same "$name: and the pool" "$(deferred policy)" $name
	hold_worker 25
	held_start 16 6
	held munmap
	held_end
	case $name in
	sync)
		same "sync: nothing is ever pending" "$(orphans)" 0
		same "sync: nothing was queued" "$(deferred queued)" 0
		;;
	*) compare "$name: frees are pending" "$(orphans)" -gt $((16 * PER_MIB * 7 / 8)) ;;
	esac
	check "$name: slots are used again" held_start 8 7
	release_worker
	check "$name: their content is right" held check
	held_kill
	check "$name: all is drained" within 5 nothing_pending
	same "$name: no free was invalid" "$(deferred invalid)" 0
	check "$name: stop" swap_stop
done

# ---- reset with frees pending ----

echo lz4 >$Z/comp_algorithm
check "swap" swap_start 128M
check "frees are pending" make_pending 16 5
check "swapoff" swapoff /dev/zram0
# The end of a pool waits for its threads, which have no CPU.
(sleep 1 && kill "$HOG") &
same "reset" "$(attr reset 1)" ok
release_worker
same "nothing is held" "$(mm_stat zram0 used)" 0
check "the pool is gone" test ! -e $pool
