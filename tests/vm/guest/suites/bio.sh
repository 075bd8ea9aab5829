# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Bios of every shape, from several processes at once.
#
# The kernel's own zram is asked for page-aligned memory only: with 4 KiB pages
# it takes each piece of a bio for a whole page, and mixes up the content of
# direct I/O from memory that is not so aligned.

align=512
[ "$IMPL" = lethe ] || align=4096
block=4096
[ "$KIND" != debug512 ] || block=512
zram_load num_devices=2
same "bytes of a block" "$(cat $Z/queue/logical_block_size)" $block
echo 16M >$Z/disksize
echo 4M >/sys/block/zram1/disksize
for seed in 1 2; do
	blkdiscard /dev/zram0
	check "odd block I/O, seed $seed" vmtest bio /dev/zram0 $seed 1500 4096
done
blkdiscard /dev/zram0
check "odd block I/O from odd memory" vmtest bio /dev/zram0 5 3000 $align
blkdiscard /dev/zram0
vmtest bio /dev/zram0 3 1000 $align &
one=$!
vmtest bio /dev/zram1 4 1000 $align &
two=$!
check "two devices at once, the first" wait $one
check "two devices at once, the second" wait $two
same "no read failed" "$(awk '{ print $1 }' $Z/io_stat)" 0
same "no write failed" "$(awk '{ print $2 }' $Z/io_stat)" 0
blkdiscard /dev/zram0
same "nothing is left after a discard of all" "$(mm_stat zram0 used)" 0
check "unload with content" zram_unload
