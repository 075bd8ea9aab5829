# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Writeback while things happen: pages that are read, written and freed while they are
# being written back, a backing device that is slow, fails or comes back, swap, other
# devices, reset. Whatever happens, each page has its content, and no block is lost.

zram_load num_devices=2
modules_load disks
check "there is a device-mapper" eval "/sbin/dmsetup version >/dev/null"
check "and a disk" under_make

# ---- settings of the newest kernel ----

same "mode of writeback_batch_size" "$(stat -c %a $Z/writeback_batch_size)" 644
same "mode of compressed_writeback" "$(stat -c %a $Z/compressed_writeback)" 644
same "writes in flight, at first" "$(cat $Z/writeback_batch_size)" 32
for value in 0 junk -1 4294967296; do
	same "writeback_batch_size '$value'" "$(attr writeback_batch_size $value)" EINVAL
done
same "as before" "$(cat $Z/writeback_batch_size)" 32
for value in junk 2 -1; do
	same "compressed_writeback '$value'" "$(attr compressed_writeback $value)" EINVAL
done

# ---- pages that change while they are being written ----

check "a device with a disk below" device 8 recomp_algorithm algo=zstd
noise 64 8
echo 32 >$Z/writeback_batch_size
disk_stops
check "a write starts, and waits for the disk" start huge
noise 64 1
blkdiscard -o $((65 * 4096)) -l 4096 /dev/zram0
read_pages 66 1
same "one at a time" "$(attr writeback huge)" EAGAIN
same "and of recompression" "$(attr recompress type=huge)" EAGAIN
content=$(sum)
# A disk that hangs delays no task that wants nothing from it. A page that is marked as
# idle is the same page.
for what in "echo 3600 >$Z/idle" "echo all >$Z/idle" "cat $Z/mm_stat" "echo 0 >$Z/mem_limit" \
	"cat /sys/kernel/debug/zram/zram0/block_state"; do
	check "meanwhile, $what" timeout 5 sh -c "{ $what; } >/dev/null"
done
check "it is idle meanwhile" grep -qE '^ *67 .*i' /sys/kernel/debug/zram/zram0/block_state
same "nothing is on the disk yet" "$(cat $Z/bd_stat)" "       0        0        0"
disk_goes_on
check "it ends" answers ok
same "compressed_writeback on a device with a size" "$(attr compressed_writeback 1)" EBUSY
same "pages that were written again or freed stay as they are" "$(cat $Z/bd_stat)" \
	"       6        0        8"
unchanged "written in flight"
same "once more" "$(attr writeback huge)" ok
same "the one that was written again is, too" "$(bd_stat count)" 7
unchanged "again"

# An idle page that is read is not idle
fill 8
echo all >$Z/idle
disk_stops
check "idle pages" start idle
read_pages 3 2
disk_goes_on
check "are written" answers ok
same "but for those that were read" "$(awk '$1 < 16 && $3 ~ /w/' /sys/kernel/debug/zram/zram0/block_state | wc -l)" 14
unchanged "read in flight"

# The same page twice
noise 0 1
content=$(sum)
disk_stops
check "a page, twice" start "page_index=0 page_index=0 page_indexes=0-3"
disk_goes_on
check "is written" answers ok
unchanged "twice"

# Killed
noise 0 64
content=$(sum)
disk_stops
check "a write starts" start huge
kill -9 $WRITER
sleep 1
check "a task that is killed waits for its writes" waits $WRITER
disk_goes_on
wait $WRITER
unchanged "killed"
blkdiscard /dev/zram0
same "no block is lost, and no object" "$(bd_stat count) $(stat_of objects)" "0 0"
check "as many pages as the disk has are all on it" all_blocks 8
noise 3000 1
same "and one more" "$(attr writeback huge)" ENOSPC
content=$(sum)
unchanged "full"
check "the end of it" device_end

# ---- a disk that fails ----

device 8
fill 32
huge=$(mm_stat zram0 huge) used=$(mm_stat zram0 used)
disk_fails
same "a disk that fails" "$(attr writeback huge)" EIO
same "takes no page" "$(cat $Z/bd_stat)" "       0        0        0"
same "all are in memory" "$(mm_stat zram0 huge) $(mm_stat zram0 used)" "$huge $used"
unchanged "failed"
disk_is "0 128 linear $UNDER 0
128 $((SECTORS - 128)) error"
same "a disk that fails in part" "$(attr writeback huge)" EIO
compare "takes the others" "$(bd_stat count)" -le 16
same "and no more than those are not in memory" "$(mm_stat zram0 huge)" $((huge - $(bd_stat count)))
unchanged "failed in part"
disk_works
same "a disk that works again" "$(attr writeback huge)" ok
same "has all" "$(bd_stat count)" "$huge"
failed=$(awk '{ print $1 }' $Z/io_stat)
disk_fails
check "pages on a disk that fails are not read" eval '! read_pages 3 1'
check "nor with others" eval '! dd if=/dev/zram0 of=/dev/null bs=64k count=2 iflag=direct 2>/dev/null'
check "nor parts of them" eval '! dd if=/dev/zram0 of=/dev/null bs=4k skip=3 count=1 2>/dev/null'
compare "which is counted" "$(awk '{ print $1 }' $Z/io_stat)" -gt "$failed"
same "they can be written" "$(noise 3 1 && echo yes)" yes
check "and read then" read_pages 3 1
disk_works
content=$(sum)
unchanged "works again"
blkdiscard /dev/zram0
same "nothing is lost" "$(bd_stat count) $(stat_of objects)" "0 0"
check "nor a block" all_blocks 8
check "the end of it" device_end

# ---- each of its blocks fails in turn ----

# How many of the first eight pages cannot be read
unreadable() {
	lost=0
	for page in $(seq 0 7); do
		read_pages $page 1 || lost=$((lost + 1))
	done
	echo $lost
}
# block_fails BLOCK: of a disk of eight, when pages are written back and when they are read.
# Says what was wrong.
block_fails() {
	noise 0 4
	dd if=/corpus of=/dev/zram0 bs=4k seek=4 skip=$((4 * $1)) count=4 oflag=direct 2>/dev/null
	content=$(sum)
	disk_fails_at "$1"
	[ "$(attr writeback page_indexes=0-7)" = EIO ] || echo "no EIO"
	[ "$(bd_stat count)" = 7 ] || echo "not 7 pages are on the disk, but $(bd_stat count)"
	[ "$(sum)" = "$content" ] || echo "other content after a write that failed"
	disk_works
	[ "$(attr writeback page_indexes=0-7)" = ok ] || echo "not written at last"
	[ "$(bd_stat count) $(stat_of objects)" = "8 0" ] || echo "not on the disk at last"
	disk_fails_at "$1"
	[ "$(unreadable)" = 1 ] || echo "not one page is lost, but $(unreadable)"
	disk_works
	echo 3 >/proc/sys/vm/drop_caches
	[ "$(sum)" = "$content" ] || echo "other content"
	blkdiscard /dev/zram0
	[ "$(bd_stat count) $(stat_of objects)" = "0 0" ] || echo "something is left"
}

for compressed in 0 1; do
	disk_of 64
	echo $compressed >$Z/compressed_writeback
	echo lz4 >$Z/comp_algorithm
	echo $DISK >$Z/backing_dev
	echo 64K >$Z/disksize
	for block in $(seq 0 7); do
		same "a disk whose block $block fails, compressed: $compressed" "$(block_fails "$block")" ""
	done
	check "the end of it" device_end
done
echo 0 >$Z/compressed_writeback

# ---- a block that is read is not used for another page ----

device 1
noise 0 256
same "a small disk" "$(attr writeback huge)" ok
same "is full" "$(bd_stat count)" 256
first=$(dd if=/dev/zram0 bs=4k skip=7 count=1 iflag=direct 2>/dev/null | md5sum)
check "a disk that is slow to read" disk_is "0 $SECTORS delay $UNDER 0 2000 $UNDER 0 0"
# Of what was read for the page cache
echo 3 >/proc/sys/vm/drop_caches
dd if=/dev/zram0 of=/tmp/page bs=4k skip=7 count=1 iflag=direct 2>/dev/null &
reader=$!
check "a read that takes long" within 1 waits $reader
# A discard would wait for the reader, in the block layer.
noise 7 1
check "the block is given up while it is read" waits $reader
noise 1000 1
content=$(dd if=/dev/zram0 bs=4k skip=1000 count=1 iflag=direct 2>/dev/null | md5sum)
same "another page is written to the block meanwhile" "$(attr writeback page_index=1000)" ok
wait $reader
same "what was read is what was there" "$(md5sum </tmp/page)" "$first"
same "and what was written, too" \
	"$(dd if=/dev/zram0 bs=4k skip=1000 count=1 iflag=direct 2>/dev/null | md5sum)" "$content"
# How long eight writes of 0.2 s take, one by one and all at once
check "one that is slow to write" disk_is "0 $SECTORS delay $UNDER 0 0 $UNDER 0 200"
took() {
	blkdiscard -l 65536 /dev/zram0
	noise 0 8
	begin=$(cut -d ' ' -f 1 /proc/uptime | tr -d .)
	echo "$1" >$Z/writeback_batch_size
	echo huge >$Z/writeback
	echo $(($(cut -d ' ' -f 1 /proc/uptime | tr -d .) - begin))
}
one=$(took 1)
all=$(took 8)
compare "one write at a time" "$one" -ge 160
compare "or several" $((all * 2)) -lt "$one"
echo 32 >$Z/writeback_batch_size
check "the end of it" device_end

# ---- reset and removal with writes in flight ----

for how in reset remove unload; do
	device 8
	noise 0 32
	disk_stops
	check "a write, and a $how" start huge
	case $how in
	reset) vmtest attr $Z/reset 1 >/tmp/gone & ;;
	remove) vmtest attr /sys/class/zram-control/hot_remove 0 >/tmp/gone & ;;
	unload)
		rmmod zram &
		echo ok >/tmp/gone
		;;
	esac
	gone=$!
	check "which waits for it" within 10 waits $gone
	disk_goes_on
	check "the write ends" answers ok
	wait $gone || echo "it failed" >/tmp/gone
	same "and the $how" "$(cat /tmp/gone)" ok
	case $how in
	remove) cat /sys/class/zram-control/hot_add >/dev/null ;;
	unload) check "zram is loaded again" zram_load num_devices=2 ;;
	esac
	same "there is no backing device" "$(cat $Z/backing_dev)" none
	check "it is given back" disk_remove
done

# ---- block I/O of every shape ----

for compressed in 0 1; do
	for alignment in 4096 512; do
		device 4 compressed_writeback $compressed writeback_batch_size 5
		vmtest bio /dev/zram0 4$compressed 3000 $alignment &
		io=$!
		all_the_while $io 4095
		check "all that is read is what was written, aligned to $alignment, compressed: $compressed" wait $io
		compare "of which some was written back" "$(bd_stat writes)" -gt 100
		compare "and read from there" "$(bd_stat reads)" -gt 100
		say "$alignment, $compressed: bd_stat $(cat $Z/bd_stat)"
		blkdiscard /dev/zram0
		same "nothing is left" "$(bd_stat count) $(stat_of objects)" "0 0"
		check "and no block lost" all_blocks 4
		check "the end of it" device_end
	done
done
echo 32 >$Z/writeback_batch_size

# ---- compressed ----

device 8 compressed_writeback yes recomp_algorithm algo=zstd
same "compressed_writeback" "$(cat $Z/compressed_writeback)" 1
fill 64
echo priority=1 >$Z/recompress
dd if=/corpus of=/dev/zram0 bs=4k seek=200 count=64 oflag=direct 2>/dev/null
content=$(sum)
same "pages of two algorithms, and none" "$(attr writeback page_indexes=0-4095)" ok
same "are all on the disk" "$(mm_stat zram0 compr) $(stat_of objects)" "0 0"
unchanged "compressed"
# Zeroes follow: the first 64 blocks are noise, and then come pages of files.
short=0
for block in $(seq 80 99); do
	last=$(dd if=$UNDER bs=4k skip="$block" count=1 iflag=direct 2>/dev/null | tail -c 256 | tr -d '\0' | wc -c)
	[ "$last" != 0 ] || short=$((short + 1))
done
compare "and most of them shorter than a block" $short -ge 10
# The disk holds other data now: noise is no page.
dd if=/dev/urandom of=$UNDER bs=64k count=32 oflag=direct 2>/dev/null
check "what is no page any more is not read" eval '! read_pages 200 64'
check "the end of it" device_end
echo 0 >$Z/compressed_writeback

# ---- swap ----

check "a disk for swap" disk_make 64
for compressed in 0 1; do
	echo $compressed >$Z/compressed_writeback
	echo $DISK >$Z/backing_dev
	check "swap on a device with a backing device" swap_start 64M
	check "memory is swapped out" held_start 12 $((50 + compressed))
	echo all >$Z/idle
	same "and written back" "$(attr writeback idle)" ok
	compare "nearly all of it" "$(bd_stat count)" -gt 2900
	check "it has its content" held check
	compare "which comes from the disk" "$(bd_stat reads)" -gt 2900
	held pageout
	echo all >$Z/idle
	echo idle >$Z/writeback
	disk_stops
	held munmap
	check "unmapped while the disk does nothing, it is given up" within 5 few_are_left
	disk_goes_on
	held_end
	# Freed in flight
	held_start 4 9
	echo all >$Z/idle
	disk_stops
	check "memory is being written back" start idle
	held_kill
	disk_goes_on
	check "and the process gone meanwhile" answers ok
	check "and what it had on the disk" within 5 few_are_left
	vmtest storm 6 5 3 4 &
	storm=$!
	all_the_while $storm 0
	check "beside exits and swap-in, memory has its content" wait $storm
	check "all is drained after it" within 20 nothing_pending
	say "storm: bd_stat $(cat $Z/bd_stat)"
	check "swapoff" swapoff /dev/zram0
	check "no block is lost" all_blocks 64
	check "stop" eval 'echo 1 >$Z/reset'
done
check "the disk can be removed" disk_remove
echo 0 >$Z/compressed_writeback

# ---- an exit costs no more than with the pages in memory, nor for their ages ----

disk_make 64
echo $DISK >$Z/backing_dev
swap_start 64M
# unmap WHERE: ns that it takes to unmap 16 MiB in swap
unmap() {
	held_start 16 3
	if [ "$1" = disk ]; then
		echo all >$Z/idle
		echo idle >$Z/writeback
	fi
	held munmap
	held_took
	held_end
	within 20 nothing_pending
}
: >/tmp/memory
: >/tmp/disk
: >/tmp/aged
for _ in 1 2 3 4 5 6 7; do
	unmap memory >>/tmp/memory
	unmap disk >>/tmp/disk
done
# From here on it is noted when a page is accessed.
echo 4000000000 >$Z/idle
for _ in 1 2 3 4 5 6 7; do
	unmap memory >>/tmp/aged
done
# The least: what else the machine does comes on top, and not in all of them alike.
memory=$(sort -n /tmp/memory | head -n 1)
backed=$(sort -n /tmp/disk | head -n 1)
aged=$(sort -n /tmp/aged | head -n 1)
say "munmap of a page in memory $((memory / 4096)) ns, on the disk $((backed / 4096)) ns, whose access is noted $((aged / 4096)) ns"
# A kernel that watches each access says nothing about time.
if [ "$SLOW" = 1 ]; then
	# Not by a wait for the disk, or for a lock. How much it is, benchmarks measure.
	compare "unmapping is no slower for it" "$backed" -lt $((memory * 2))
	compare "nor for ages" "$aged" -lt $((memory * 2))
fi
swap_stop
disk_remove

# ---- on top of each other, and below a file system ----

disk_make 16
echo $DISK >/sys/block/zram1/backing_dev
echo 1 >/sys/block/zram1/compressed_writeback
echo 16M >/sys/block/zram1/disksize
echo /dev/zram1 >$Z/backing_dev
echo 16M >$Z/disksize
vmtest bio /dev/zram0 77 2000 512 &
io=$!
while kill -0 $io 2>/dev/null; do
	attr writeback page_indexes=0-4095 >/dev/null
	vmtest attr /sys/block/zram1/writeback page_indexes=0-4095 >/dev/null
done
check "on another zram, which has a disk, all is right" wait $io
compare "what was read came from there" "$(awk '{ print $2 }' /sys/block/zram1/bd_stat)" -gt 10
echo 1 >$Z/reset
echo 1 >/sys/block/zram1/reset
modules_load ext4
echo $DISK >$Z/backing_dev
echo 32M >$Z/disksize
/sbin/mke2fs -q -F -t ext4 /dev/zram0
mount -t ext4 /dev/zram0 /mnt
vmtest files write /mnt 12 7 &
files=$!
all_the_while $files 0
check "files are written, and written back" wait $files
sync
attr writeback page_indexes=0-8191 >/dev/null
echo 3 >/proc/sys/vm/drop_caches
compare "nothing but the disk has them" "$(bd_stat count)" -gt 2000
check "all of them are there" vmtest files check /mnt 12 7
umount /mnt
check "the file system is clean" /sbin/e2fsck -fn /dev/zram0
echo 1 >$Z/reset
check "the disk is given back" disk_remove

# ---- a dictionary of a disk that hangs ----

disk_make 16
/sbin/mke2fs -q -F -t ext4 $DISK
mount -t ext4 $DISK /mnt
head -c 65536 /corpus >/mnt/dictionary
umount /mnt
mount -t ext4 $DISK /mnt
echo lz4 >$Z/comp_algorithm
disk_stops
vmtest attr $Z/algorithm_params dict=/mnt/dictionary >/tmp/answer &
WRITER=$!
check "a dictionary, while the disk does nothing" within 10 waits $WRITER
check "delays no task that wants nothing from it" timeout 5 cat $Z/mm_stat
same "nor the device" "$(timeout 5 vmtest attr $Z/disksize 16M)" ok
disk_goes_on
check "for which it comes too late" answers EBUSY
echo 1 >$Z/reset
echo lz4 >$Z/comp_algorithm
same "another time it does not" \
	"$(attr algorithm_params dict=/mnt/dictionary) $(attr disksize 16M)" "ok ok"
echo 1 >$Z/reset
umount /mnt
disk_remove

# ---- a partition, and nothing beside it ----

if [ -b /dev/vda ]; then
	# A table with one entry: type 0x83, 16 MiB from 1 MiB on
	{
		head -c 446 /dev/zero
		printf '\0\0\0\0\203\0\0\0\0\010\0\0\0\200\0\0'
		head -c 48 /dev/zero
		printf '\125\252'
	} | dd of=/dev/vda conv=fsync 2>/dev/null
	blockdev --rereadpt /dev/vda
	check "a disk with a partition" within 5 test -b /dev/vda1
	# beside: what the disk has around it
	beside() {
		{
			dd if=/dev/vda bs=64k count=16 iflag=direct
			dd if=/dev/vda bs=64k skip=272 count=16 iflag=direct
		} 2>/dev/null | md5sum
	}
	before=$(beside)
	same "the partition" "$(attr backing_dev /dev/vda1)" ok
	same "is the backing device" "$(cat $Z/backing_dev)" /dev/vda1
	echo 16M >$Z/disksize
	fill 256
	same "pages are written to it" "$(attr writeback page_indexes=0-4095)" ok
	unchanged "a partition"
	check "as many as it has blocks" all_blocks 16
	check "reset" eval "echo 1 >$Z/reset"
	same "beside it the disk is as it was" "$(beside)" "$before"
fi
if [ -e /sys/kernel/debug/kmemleak ]; then
	# Zspages that are full are on no list: only handles lead to them.
	echo 32M >$Z/disksize
	dd if=/corpus of=/dev/zram0 bs=1M oflag=direct 2>/dev/null
	compare "a device has objects" "$(stat_of objects)" -gt 1000
	same "none of what it has is taken for lost" "$(leaks)" 0
	echo 1 >$Z/reset
	same "no block of memory is left behind" "$(leaks)" 0
	cat /sys/kernel/debug/kmemleak
fi
check "unload" zram_unload
