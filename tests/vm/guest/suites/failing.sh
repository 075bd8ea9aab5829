# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Pages on a backing device that fails, or goes away, and are wanted: by whole pages, by
# pages in pieces, by parts of pages where blocks are that small, by swap-in. The task that
# wants them has EIO or, of its memory, SIGBUS. No page but those is lost, nothing leaks,
# and the device can be reset, and used again.

zram_load
modules_load disks
block=$(cat $Z/queue/logical_block_size)
check "there is a device-mapper" eval "/sbin/dmsetup version >/dev/null"
check "and a disk" under_make

# direct read|write|zero PAGE BYTES SKEW [OFFSET]: of a page and those after it
direct() {
	vmtest direct "$1" /dev/zram0 $(($2 * 4096 + ${5:-0})) "$3" "$4"
}
failed_reads() {
	awk '{ print $1 }' $Z/io_stat
}
failed_writes() {
	awk '{ print $2 }' $Z/io_stat
}
# unreadable SKEW: of sixteen pages, how many cannot be read
unreadable() {
	lost=0
	for page in $(seq 32 47); do
		[ "$(direct read "$page" 4096 "$1")" = ok ] || lost=$((lost + 1))
	done
	echo $lost
}

# ---- block I/O ----

for compressed in 0 1; do
	now="compressed: $compressed"
	check "a device, $now" device 8 compressed_writeback $compressed
	fill 32
	same "64 pages" "$(attr writeback page_indexes=0-63)" ok
	same "are on the disk" "$(bd_stat count)" 64
	unchanged "from the disk"
	disk_fails
	while read -r bytes skew what; do
		before=$(failed_reads)
		same "$what of a disk that fails, $now" "$(direct read 3 "$bytes" "$skew")" EIO
		compare "is counted" "$(failed_reads)" -gt "$before"
	done <<-END
		4096 0 a page
		65536 0 16 pages
		4096 512 a page in two pieces
		65536 512 16 pages in pieces
	END
	if [ "$block" -lt 4096 ]; then
		same "a block of a page" "$(direct read 3 $block 0 1024)" EIO
		same "the end of a page, and the beginning of another" "$(direct read 3 $((2 * block)) 0 $((4096 - block)))" EIO
		before=$(failed_writes)
		same "a block cannot be written to a page that cannot be read" "$(direct write 3 $block 0 1024)" EIO
		same "nor zeroes" "$(direct zero 3 $block 0 1024)" EIO
		compare "which is counted" "$(failed_writes)" -gt "$before"
	fi
	same "all pages are on the disk yet" "$(bd_stat count)" 64
	same "a page of its own is read" "$(direct read 100 4096 512)" ok
	disk_works
	unchanged "after that"
	disk_fails_at 40
	for skew in 0 512; do
		same "where a block fails, one page is lost, of memory at $skew" "$(unreadable $skew)" 1
	done
	disk_works
	unchanged "after that, too"

	# Reads that are under way when the disk comes to fail
	for skew in 0 512; do
		disk_stops
		vmtest direct read /dev/zram0 $((5 * 4096)) 65536 $skew >/tmp/answer &
		WRITER=$!
		check "a read waits for the disk, to memory at $skew" within 10 waits $WRITER
		echo "0 $SECTORS error" >/tmp/table
		dm reload disk /tmp/table
		disk_goes_on
		check "and fails with it" answers EIO
		disk_works
	done
	unchanged "after reads under way"

	if [ $compressed = 1 ]; then
		dd if=/dev/urandom of=$UNDER bs=64k count=4 oflag=direct 2>/dev/null
		for skew in 0 512; do
			same "what is no page any more is not read, to memory at $skew" "$(direct read 40 4096 $skew)" EIO
		done
		[ "$block" = 4096 ] || same "nor a block of it" "$(direct read 40 $block 0 512)" EIO
	fi
	disk_fails
	blkdiscard /dev/zram0
	same "pages that cannot be read can be given up" "$(bd_stat count) $(stat_of objects)" "0 0"
	disk_works
	check "no block is lost" all_blocks 8
	disk_fails
	same "reset with pages on a disk that fails" "$(attr reset 1)" ok
	same "of which nothing is left" "$(cat $Z/bd_stat)" "       0        0        0"
	check "the disk is given back" disk_remove
done
echo 0 >$Z/compressed_writeback

# ---- swap ----

# swapped_to_disk SEED: a process, nearly all of whose memory is on the disk
swapped_to_disk() {
	held_start 8 "$1" && echo all >$Z/idle && [ "$(attr writeback idle)" = ok ] &&
		[ "$(bd_stat count)" -gt 1900 ]
}
# died: the process that holds memory has, of SIGBUS
died() {
	! held check || return 1
	wait "$HELD"
	[ $? = 135 ]
}

check "a disk for swap" disk_make 32
for compressed in 0 1; do
	now="compressed: $compressed"
	echo $compressed >$Z/compressed_writeback
	echo $DISK >$Z/backing_dev
	check "swap, $now" swap_start 32M
	check "a process has its memory on the disk" swapped_to_disk $((60 + compressed))
	disk_fails
	before=$(failed_reads)
	check "which fails: it is killed when it wants that" died
	exec 7>&- 8<&-
	compare "reads have failed" "$(failed_reads)" -gt "$before"
	check "what it had is given up" within 5 few_are_left
	disk_works
	check "another process" swapped_to_disk $((70 + compressed))
	check "has its content from the disk that works" held check
	held pageout
	echo all >$Z/idle
	echo idle >$Z/writeback
	# What cannot be read is marked as lost in the process, and the swap is off.
	disk_fails
	check "swapoff of a disk that fails" swapoff /dev/zram0
	disk_works
	check "no process has other content than its own" died
	exec 7>&- 8<&-
	check "no block is lost" all_blocks 32
	check "reset" eval "echo 1 >$Z/reset"
done
check "the disk is given back" disk_remove
echo 0 >$Z/compressed_writeback

# ---- a disk that is taken away ----

# What goes on while it is, with pages on the disk and with others
read_on() {
	while [ -e /tmp/on ]; do
		direct read 0 65536 0
		direct read 16 65536 512
	done >/dev/null
}
write_on() {
	while [ -e /tmp/on ]; do
		noise 1024 64
		attr writeback page_indexes=1024-1087
	done >/dev/null
}
ended() {
	! kill -0 "$1" 2>/dev/null
}
# gone HOW: its driver lets go of the disk, or the bus of the device
gone() {
	case $1 in
	unbind) echo "$virtio" >/sys/bus/virtio/drivers/virtio_blk/unbind ;;
	remove) echo 1 >"$pci/remove" ;;
	esac
}
back() {
	case $1 in
	unbind) echo "$virtio" >/sys/bus/virtio/drivers/virtio_blk/bind ;;
	remove) echo 1 >/sys/bus/pci/rescan ;;
	esac
	within 5 test -b /dev/vda
}
in_memory() {
	dd if=/dev/zram0 bs=4k skip=512 count=128 iflag=direct 2>/dev/null | md5sum
}

if [ -b /dev/vda ]; then
	for how in unbind remove; do
		virtio=$(basename "$(readlink -f /sys/block/vda/device)")
		pci=$(dirname "$(readlink -f /sys/block/vda/device)")
		same "a disk, $how" "$(attr backing_dev /dev/vda)" ok
		echo 16M >$Z/disksize
		noise 0 256
		same "has pages on it" "$(attr writeback huge) $(bd_stat count)" "ok 256"
		dd if=/corpus of=/dev/zram0 bs=4k seek=512 count=128 oflag=direct 2>/dev/null
		content=$(in_memory)
		: >/tmp/on
		read_on &
		reader=$!
		write_on &
		writer=$!
		sleep 1
		gone $how &
		going=$!
		check "it goes while it is in use" within 20 ended $going
		check "and is gone" test ! -b /dev/vda
		sleep 1
		rm /tmp/on
		check "no read of it waits for ever" within 20 ended $reader
		check "nor a write" within 20 ended $writer
		for skew in 0 512; do
			same "a page on it cannot be read, to memory at $skew" "$(direct read 0 4096 $skew)" EIO
		done
		[ "$block" = 4096 ] || same "nor a block of one" "$(direct read 0 $block 0 512)" EIO
		noise 2048 8
		before=$(bd_stat count)
		same "no page can be written to it" "$(attr writeback page_indexes=2048-2055)" EIO
		same "those stay in memory" "$(direct read 2048 32768 0) $(bd_stat count)" "ok $before"
		same "what is in memory has its content" "$(in_memory)" "$content"
		same "a page on it can be written, and read then" \
			"$(direct write 7 4096 0) $(direct read 7 4096 512)" "ok ok"
		# Of one, all is given up before the reset, of the other by it.
		if [ $how = unbind ]; then
			blkdiscard /dev/zram0
			same "and the others given up" "$(bd_stat count) $(stat_of objects)" "0 0"
		fi
		timeout 20 vmtest attr $Z/reset 1 >/tmp/answer
		same "reset" "$(cat /tmp/answer)" ok
		same "there is no backing device" "$(cat $Z/backing_dev)" none
		check "the disk comes back" back $how
		same "and is taken" "$(attr backing_dev /dev/vda)" ok
		echo 16M >$Z/disksize
		fill 64
		same "it has pages" "$(attr writeback page_indexes=0-4095) $(bd_stat count)" "ok 128"
		unchanged "from the disk that came back"
		check "reset, $how" eval "echo 1 >$Z/reset"
	done
else
	# Of the kernels that are built for tests (tests/debug/), none has such a disk.
	check "there is a disk that can go" eval 'case $KVER in *-lethe-*) ;; *) false ;; esac'
fi
if [ -e /sys/kernel/debug/kmemleak ]; then
	same "no block of memory is left behind" "$(leaks)" 0
fi
check "unload" zram_unload
