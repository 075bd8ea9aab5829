# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# A backing device: given, refused, given back; which pages are written to it, how many,
# and that all of them have their content afterwards. True of the kernel's own zram as
# well. Suite writeback has what the kernel's own is not asked for.

Z1=/sys/block/zram1

# 6.16 took types and ranges as key=value, 7.3 has two attributes more; ours has all of
# it on every kernel.
case $KVER in
6.1.*) rest="" nobody=EINVAL junk=EINVAL old=1 ;;
6.12.*) rest=.. nobody=EINVAL junk=EINVAL old=1 ;;
*) rest=.. nobody=ERANGE junk=ENODEV old=0 ;;
esac
[ "$IMPL" = lethe ] && new=1 || new=$((1 - old))

# A disk of 4096 pages, and one of half as many below. bd_stat and writeback_limit count
# units of 4 KiB.
units=$((PAGE / 4096))
disk=$((16 * units))M below=$((8 * units))M
bd_pages() {
	echo $(($(bd_stat "$1") / units))
}

zram_load num_devices=3
modules_load disks
for file in backing_dev:644 bd_stat:444 writeback:200 writeback_limit:644 \
	writeback_limit_enable:644; do
	same "mode of ${file%:*}" "$(stat -c %a "$Z/${file%:*}")" "${file#*:}"
done

# ---- before there is a size ----

same "no backing device at first" "$(cat $Z/backing_dev)" none
same "bd_stat" "$(cat $Z/bd_stat)" "       0        0        0"
for value in idle huge junk page_index=0 type=idle; do
	same "writeback '$value' without a size" "$(attr writeback $value)" EINVAL
done
ln -s /dev/loop0 /tmp/link
truncate -s $below /tmp/backing
truncate -s 2048 /tmp/small
losetup /dev/loop1 /tmp/small
while read -r path answer; do
	same "backing_dev '$path'" "$(attr backing_dev "$path")" "$answer"
done <<END
none ENOENT
/dev/nope ENOENT
/dev EISDIR
/corpus ENOTBLK
/dev/zram1 EINVAL
/dev/zram0 EINVAL
/dev/loop1 EINVAL
END
same "of none of that anything is left" "$(cat $Z/backing_dev)" none
losetup -d /dev/loop1
losetup /dev/loop0 /tmp/backing
# To be found wrong by KASAN: what is read of the name beyond its end
same "a block device, with more after a NUL" \
	"$(printf '/dev/loop0\0abc\n' >$Z/backing_dev && cat $Z/backing_dev)" /dev/loop0
echo 1 >$Z/reset
same "a block device, by a link" "$(attr backing_dev /tmp/link)" ok
same "is shown by its name" "$(cat $Z/backing_dev)" /dev/loop0
same "it is claimed" "$(vmtest attr $Z1/backing_dev /dev/loop0)" EBUSY
same "none other than a file" "$(attr backing_dev /dev/nope)" ENOENT
same "takes its place" "$(cat $Z/backing_dev)" /dev/loop0
echo 8M >$Z1/disksize
same "another one" "$(attr backing_dev /dev/zram1)" ok
same "does" "$(cat $Z/backing_dev)" /dev/zram1
same "so the first can be had" "$(vmtest attr /sys/block/zram2/backing_dev /dev/loop0)" ok
same "reset of one that is in use" "$(vmtest attr $Z1/reset 1)" EBUSY
same "and its removal" "$(vmtest attr /sys/class/zram-control/hot_remove 1)" EBUSY
same "reset gives it back" "$(attr reset 1)" ok
same "and shows none" "$(cat $Z/backing_dev)" none
same "it can be reset" "$(vmtest attr $Z1/reset 1)" ok
same "reset of a device that has but a backing device" \
	"$(vmtest attr /sys/block/zram2/reset 1)" ok

# ---- settings ----

for value in junk -1; do
	same "writeback_limit '$value'" "$(attr writeback_limit $value)" EINVAL
	same "writeback_limit_enable '$value'" "$(attr writeback_limit_enable $value)" EINVAL
done
same "writeback_limit" "$(attr writeback_limit 100) $(cat $Z/writeback_limit)" "ok 100"
same "writeback_limit_enable" "$(attr writeback_limit_enable 2) $(cat $Z/writeback_limit_enable)" "ok 1"
same "off" "$(attr writeback_limit_enable 0) $(cat $Z/writeback_limit_enable)" "ok 0"

# ---- a device without one ----

echo lz4 >$Z/comp_algorithm
echo $disk >$Z/disksize
for value in idle huge page_index=0; do
	same "writeback '$value' without a backing device" "$(attr writeback $value)" ENODEV
done
same "writeback 'junk' without one" "$(attr writeback junk)" $junk
same "backing_dev on a device with a size" "$(attr backing_dev /dev/loop0)" EBUSY
same "is not given" "$(cat $Z/backing_dev)" none
echo 1 >$Z/reset

# ---- which pages are written ----

# content: 64 pages of files, 4 of noise, 4 of zeroes; sets sum
content() {
	dd if=/corpus of=/dev/zram0 bs=$PAGE count=64 oflag=direct 2>/dev/null
	dd if=/dev/urandom of=/dev/zram0 bs=$PAGE seek=64 count=4 oflag=direct 2>/dev/null
	dd if=/dev/zero of=/dev/zram0 bs=$PAGE seek=68 count=4 oflag=direct 2>/dev/null
	sum=$(md5sum </dev/zram0)
}
unchanged() {
	echo 3 >/proc/sys/vm/drop_caches
	same "$1: the content is the same" "$(md5sum </dev/zram0)" "$sum"
}

echo lz4 >$Z/comp_algorithm
echo /dev/loop0 >$Z/backing_dev
same "disksize with a backing device" "$(attr disksize $disk)" ok
content
huge=$(mm_stat zram0 huge)
orig=$(mm_stat zram0 orig)
same "idle pages, of which there are none" "$(attr writeback idle)" ok
same "none is written" "$(bd_pages writes)" 0
same "huge pages" "$(attr writeback huge)" ok
same "are written" "$(cat $Z/bd_stat)" "$(printf '%8d %8d %8d' $((huge * units)) 0 $((huge * units)))"
same "and are not in memory" "$(mm_stat zram0 huge)" 0
same "but on the device" "$(mm_stat zram0 orig)" "$orig"
case $(flags 64) in
.w*) ok "and so marked" ;;
*) not_ok "and so marked (got '$(flags 64)')" ;;
esac
unchanged "huge"
same "each was read from the backing device" "$(bd_pages reads)" "$huge"
same "huge pages, once more" "$(attr writeback huge)" ok
same "there are no more" "$(bd_pages writes)" "$huge"
page=0
while [ "$(flags $page)" != "....$rest" ]; do
	page=$((page + 1))
done
same "one page" "$(attr writeback page_index=$page)" ok
same "is written" "$(flags $page)" ".w..$rest"
same "it and no other" "$(bd_pages count)" $((huge + 1))
same "once more" "$(attr writeback page_index=$page)" ok
same "a page of zeroes" "$(attr writeback page_index=70)" ok
same "a page that is not there" "$(attr writeback page_index=1000)" ok
same "are not" "$(bd_pages writes)" $((huge + 1))
same "the last page but one" "$(attr writeback page_index=4095)" ok
for value in page_index=4096 page_index=99999999; do
	same "writeback '$value'" "$(attr writeback $value)" $nobody
done
for value in junk page_index= page_index=junk page_index=-1 IDLE; do
	same "writeback '$value'" "$(attr writeback $value)" EINVAL
done
[ $old = 0 ] || same "writeback of no word" "$(attr writeback "
")" EINVAL
same "none of that writes" "$(bd_pages writes)" $((huge + 1))
echo all >$Z/idle
dd if=/dev/zram0 of=/dev/null bs=$PAGE skip=60 count=4 iflag=direct 2>/dev/null
same "incompressible idle pages" "$(attr writeback huge_idle)" ok
same "are all written already" "$(bd_pages writes)" $((huge + 1))
same "idle pages" "$(attr writeback idle)" ok
before=$(bd_pages writes)
compare "are written" "$before" -ge 60
compare "but for those that were read" "$before" -le 68
compare "which are still in memory" "$(mm_stat zram0 compr)" -le $((4 * PAGE))
unchanged "idle"
same "blocks are as many as pages" "$(bd_pages count)" "$before"
dd if=/dev/urandom of=/dev/zram0 bs=$PAGE seek=64 count=2 oflag=direct 2>/dev/null
same "a page that is written again is in memory" "$(bd_pages count)" $((before - 2))
blkdiscard -o $((66 * PAGE)) -l $((2 * PAGE)) /dev/zram0
same "one that is discarded is nowhere" "$(bd_pages count)" $((before - 4))
sum=$(md5sum </dev/zram0)
unchanged "some written again"

if [ $new = 1 ]; then
	same "all of a range" "$(attr writeback page_indexes=64-67)" ok
	same "that is in memory" "$(bd_pages count)" $((before - 2))
	same "ranges and pages" "$(attr writeback "page_index=0 page_indexes=1-5 page_index=70 page_indexes=10-4095")" ok
	same "type=" "$(attr writeback type=huge)" ok
	for value in page_indexes=10-4096 page_indexes=5-2 page_index=18446744073709551616; do
		same "writeback '$value'" "$(attr writeback $value)" $nobody
	done
	before=$(bd_pages writes)
	for value in page_indexes=7- page_indexes=-7 page_indexes= page_indexes=1-2-3 \
		page_indexes=3 type=junk type= "page_index=64 junk" "page_index=64 page_indexes=junk"; do
		same "writeback '$value'" "$(attr writeback "$value")" EINVAL
	done
	if [ $old = 0 ]; then
		same "a key that is not known" "$(attr writeback foo=1)" ok
		same "what follows a type" "$(attr writeback "idle junk")" ok
	else
		same "a key that is not known" "$(attr writeback foo=1)" EINVAL
		same "what follows a type" "$(attr writeback "idle junk")" EINVAL
	fi
	same "none of that writes" "$(bd_pages writes)" "$before"
	unchanged "ranges"
fi
blkdiscard /dev/zram0
same "all is given up by a discard of all" "$(bd_pages count)" 0

# ---- how many ----

noise() {
	dd if=/dev/urandom of=/dev/zram0 bs=$PAGE seek=100 count=16 oflag=direct 2>/dev/null
	sum=$(md5sum </dev/zram0)
}
noise
before=$(bd_pages writes)
echo $((10 * units)) >$Z/writeback_limit
echo 1 >$Z/writeback_limit_enable
same "no more than the limit" "$(attr writeback huge)" EIO
same "is written" "$(bd_pages writes)" $((before + 10))
same "and nothing left of it" "$(cat $Z/writeback_limit)" 0
same "nor written any more" "$(attr writeback huge) $(bd_pages writes)" "EIO $((before + 10))"
echo $((3 * units)) >$Z/writeback_limit
same "with more" "$(attr writeback huge)" EIO
same "as much is" "$(bd_pages writes)" $((before + 13))
echo $((100 * units)) >$Z/writeback_limit
same "with plenty" "$(attr writeback huge)" ok
same "all is" "$(bd_pages writes)" $((before + 16))
same "and what was not needed is left" "$(cat $Z/writeback_limit)" $((97 * units))
unchanged "limits"
noise
echo 0 >$Z/writeback_limit
echo 0 >$Z/writeback_limit_enable
same "without a limit that is on" "$(attr writeback huge)" ok
same "all is written" "$(bd_pages writes)" $((before + 32))
unchanged "no limit"

# ---- incompressible: what recompression has tried in vain ----

if [ "$IMPL-$new" = lethe-1 ]; then
	echo 1 >$Z/reset
	echo lz4 >$Z/comp_algorithm
	echo algo=zstd >$Z/recomp_algorithm
	echo /dev/loop0 >$Z/backing_dev
	echo $disk >$Z/disksize
	content
	same "incompressible pages, before anything has been tried" "$(attr writeback incompressible)" ok
	same "are none" "$(bd_pages writes)" 0
	for again in once twice; do
		echo all >$Z/idle
		same "recompression, $again" "$(attr recompress priority=1)" ok
	done
	same "incompressible pages" "$(attr writeback incompressible)" ok
	same "are the noise" "$(bd_pages writes) $(flags 64 | cut -c 2)$(flags 67 | cut -c 2)" "4 ww"
	unchanged "incompressible"
	dd if=/dev/urandom of=/dev/zram0 bs=$PAGE seek=100 count=4 oflag=direct 2>/dev/null
	dd if=/corpus of=/dev/zram0 bs=$PAGE count=64 oflag=direct 2>/dev/null
	sum=$(md5sum </dev/zram0)
	echo all >$Z/idle
	dd if=/dev/zram0 of=/dev/null bs=$PAGE skip=101 count=1 iflag=direct 2>/dev/null
	before=$(bd_pages writes)
	same "pages that are huge and idle" "$(attr writeback huge_idle)" ok
	same "are those that nobody has read" "$(bd_pages writes)" $((before + 3))
	same "and not this" "$(flags 101)" "..h.$rest"
	unchanged "huge and idle"
fi

# ---- full ----

blkdiscard /dev/zram0
dd if=/dev/urandom of=/dev/zram0 bs=$((16 * PAGE)) count=144 oflag=direct 2>/dev/null
sum=$(md5sum </dev/zram0)
same "more than there is room for" "$(attr writeback huge)" ENOSPC
compare "the backing device is full" "$(bd_pages count)" -ge 2047
compare "and not more than that" "$(bd_pages count)" -le 2048
unchanged "full"
dd if=/corpus of=/dev/zram0 bs=64k count=4 oflag=direct 2>/dev/null
sum=$(md5sum </dev/zram0)
unchanged "full, and written"
blkdiscard -l $((2 * units))M /dev/zram0
sum=$(md5sum </dev/zram0)
same "with room again" "$(attr writeback huge)" ok
unchanged "full, and made room"
blkdiscard /dev/zram0
same "it is empty" "$(bd_pages count) $(mm_stat zram0 used)" "0 0"

# ---- reset ----

noise
echo huge >$Z/writeback
echo 7 >$Z/writeback_limit
same "reset with pages on it" "$(attr reset 1)" ok
same "forgets the backing device" "$(cat $Z/backing_dev)" none
same "and what was done" "$(cat $Z/bd_stat)" "       0        0        0"
same "not the limit" "$(cat $Z/writeback_limit)" 7
check "the backing device is given back" losetup -d /dev/loop0
rm /tmp/backing /tmp/small /tmp/link
check "unload" zram_unload
