# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Parts of pages that are on the backing device, where blocks are smaller than a page
# (run.sh -i debug512): read, written, zeroed, discarded; two of one page at once, and
# beside a writeback of the same page. A part that is written is merged with the rest,
# which is read from the disk first.

zram_load
modules_load disks
block=$(cat $Z/queue/logical_block_size)
compare "blocks are smaller than pages" "$block" -lt 4096
check "and there is a disk" under_make

# What the device should hold: its first 64 pages
model_is() {
	echo 3 >/proc/sys/vm/drop_caches
	dd if=/dev/zram0 bs=64k count=4 iflag=direct 2>/dev/null | cmp - /tmp/model
}
# put BLOCK COUNT: noise, to the model and, by one request, to the device
put() {
	dd if=/dev/urandom of=/tmp/part bs="$block" count="$2" 2>/dev/null
	dd if=/tmp/part of=/tmp/model bs="$block" seek="$1" conv=notrunc 2>/dev/null
	[ "$(vmtest direct write /dev/zram0 $((block * $1)) $((block * $2)) 512 /tmp/part)" = ok ]
}
# get BLOCK COUNT: from the device, by one request, as the model has it?
get() {
	[ "$(vmtest direct read /dev/zram0 $((block * $1)) $((block * $2)) 0 /tmp/part)" = ok ] &&
		dd if=/tmp/model bs="$block" skip="$1" count="$2" 2>/dev/null | cmp - /tmp/part
}
# to_disk: all that is in memory of the model
to_disk() {
	[ "$(attr writeback page_indexes=0-63)" = ok ] && [ "$(bd_stat count)" = 64 ]
}
# Blocks of a page
per=$((4096 / block))

for compressed in 0 1; do
	now="compressed: $compressed"
	check "a device, $now" device 8 compressed_writeback $compressed
	fill 32
	dd if=/dev/zram0 of=/tmp/model bs=64k count=4 iflag=direct 2>/dev/null
	check "64 pages are on the disk" to_disk

	# read
	reads=$(bd_stat reads)
	check "the first block of a page" get $((3 * per)) 1
	check "one within" get $((40 * per + 2)) 1
	check "the last one" get $((41 * per - 1)) 1
	check "the end of a page, and the beginning of the next" get $((6 * per - 2)) 4
	check "parts of pages, and a page between" get $((50 * per - 1)) $((per + 2))
	same "each page was read from the disk, each time" "$(bd_stat reads)" $((reads + 8))
	same "and all are there yet" "$(bd_stat count)" 64

	# written
	check "the first block of a page is written" put $((3 * per)) 1
	check "one within" put $((40 * per + 2)) 1
	check "the last one" put $((42 * per - 1)) 1
	check "the end of a page, and the beginning of the next" put $((6 * per - 2)) 4
	check "parts of pages, and a page between" put $((50 * per - 1)) $((per + 2))
	same "these pages are in memory" "$(bd_stat count)" $((64 - 8))
	check "merged with the rest of them" model_is
	check "again they are on the disk" to_disk
	check "with that content" model_is

	# zeroes, and a discard, which leaves parts of pages as they are
	dd if=/dev/zero of=/tmp/model bs="$block" seek=$((10 * per + 3)) count=2 conv=notrunc 2>/dev/null
	same "zeroes in a page" "$(vmtest direct zero /dev/zram0 $((10 * 4096 + 3 * block)) $((2 * block)) 0)" ok
	dd if=/dev/zero of=/tmp/model bs="$block" seek=$((13 * per - 1)) count=$((2 * per + 2)) conv=notrunc 2>/dev/null
	same "from the end of a page to the beginning of another" \
		"$(vmtest direct zero /dev/zram0 $((13 * 4096 - block)) $((2 * 4096 + 2 * block)) 0)" ok
	same "leave the other pages there" "$(bd_stat count)" $((64 - 5))
	check "zeroes are merged" model_is
	check "and written back, but for the two pages of zeroes" \
		eval '[ "$(attr writeback page_indexes=0-63)" = ok ] && [ "$(bd_stat count)" = 62 ]'
	check "so that is the content" model_is
	blkdiscard -o $((20 * 4096 + block)) -l $block /dev/zram0
	same "a discard of a part leaves the page there" "$(bd_stat count)" 62
	check "as it is" model_is
	check "on the disk" get $((20 * per)) $per

	# Two tasks at once, of one page, and a reader, while the disk does nothing
	disk_stops
	dd if=/dev/urandom of=/tmp/one bs="$block" count=1 2>/dev/null
	dd if=/dev/urandom of=/tmp/two bs="$block" count=1 2>/dev/null
	vmtest direct write /dev/zram0 $((30 * 4096 + block)) "$block" 0 /tmp/one >/tmp/one.said &
	one=$!
	check "a part of a page waits for the disk" within 10 waits $one
	vmtest direct write /dev/zram0 $((30 * 4096 + 5 * block)) "$block" 0 /tmp/two >/tmp/two.said &
	two=$!
	check "and another of the same page" within 10 waits $two
	vmtest direct read /dev/zram0 $((31 * 4096 + 2 * block)) "$block" 0 /tmp/read >/tmp/read.said &
	reader=$!
	check "and a reader of a part of another" within 10 waits $reader
	# Of a page that is given up meanwhile, what is read is what it held. A discard would
	# wait for the reader, in the block layer.
	dd if=/dev/zero of=/dev/zram0 bs=4k seek=31 count=1 oflag=direct 2>/dev/null
	check "which waits yet when the page is written" waits $reader
	disk_goes_on
	wait $one $two $reader
	same "all end well" "$(cat /tmp/one.said /tmp/two.said /tmp/read.said | tr '\n' ' ')" "ok ok ok "
	check "with what was there" eval 'dd if=/tmp/model bs="$block" skip=$((31 * per + 2)) count=1 2>/dev/null | cmp - /tmp/read'
	dd if=/tmp/one of=/tmp/model bs="$block" seek=$((30 * per + 1)) conv=notrunc 2>/dev/null
	dd if=/tmp/two of=/tmp/model bs="$block" seek=$((30 * per + 5)) conv=notrunc 2>/dev/null
	dd if=/dev/zero of=/tmp/model bs=4k seek=31 count=1 conv=notrunc 2>/dev/null
	check "neither is lost" model_is

	# A part of a page that is being written back
	disk_stops
	check "a page is being written back" start page_index=30
	check "a part of it is written meanwhile, without the disk" put $((30 * per + 3)) 2
	before=$(bd_stat count)
	disk_goes_on
	check "it ends" answers ok
	same "the page stays in memory" "$(bd_stat count)" "$before"
	check "with the part" model_is

	blkdiscard /dev/zram0
	same "nothing is left" "$(bd_stat count) $(stat_of objects)" "0 0"
	check "and no block lost" all_blocks 8
	check "the end of it" device_end
done

# ---- I/O of every shape, beside writeback ----

for compressed in 0 1; do
	device 4 compressed_writeback $compressed writeback_batch_size 5
	vmtest bio /dev/zram0 6$compressed 3000 512 &
	io=$!
	all_the_while $io 4095
	check "all that is read is what was written, compressed: $compressed" wait $io
	compare "of which some was written back" "$(bd_stat writes)" -gt 100
	compare "and read from there" "$(bd_stat reads)" -gt 100
	say "$compressed: bd_stat $(cat $Z/bd_stat)"
	blkdiscard /dev/zram0
	same "nothing is left" "$(bd_stat count) $(stat_of objects)" "0 0"
	check "and no block lost" all_blocks 4
	check "the end of it" device_end
done
check "unload" zram_unload
