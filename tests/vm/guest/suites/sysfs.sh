# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# The ABI of Documentation/admin-guide/blockdev/zram.rst: files, modes, values,
# errors. True of the kernel's own zram as well.

control=/sys/class/zram-control

attr() {
	vmtest attr "$@"
}

fields() {
	awk '{ n += NF } END { print n }' "$1"
}

# said SENTENCE: the kernel's log has it
said() {
	dmesg | grep -q -F "zram: $1"
}

mode() {
	stat -c %a "$1"
}

# ---- the module and its devices ----

zram_load num_devices=0
same "no device if none is asked for" "$(echo /sys/block/zram*)" "/sys/block/zram*"
same "hot_add gives the first number" "$(attr $control/hot_add)" 0
zram_unload
zram_load num_devices=3
for n in 0 1 2; do
	check "device $n is there" test -b /dev/zram$n
done
check "and no more" test ! -e /dev/zram3
same "hot_add gives the next number" "$(attr $control/hot_add)" 3
check "its device is there" test -b /dev/zram3
check "the log has it" said "Added device: zram3"
same "hot_remove takes it" "$(attr $control/hot_remove 3)" ok
check "the log has that too" said "Removed device: zram3"
check "its device is gone" test ! -e /sys/block/zram3
same "hot_remove of what is gone" "$(attr $control/hot_remove 3)" ENODEV
same "hot_remove of no number" "$(attr $control/hot_remove junk)" EINVAL
same "hot_remove of a negative number" "$(attr $control/hot_remove -1)" EINVAL
same "mode of hot_add" "$(mode $control/hot_add)" 400
same "mode of hot_remove" "$(mode $control/hot_remove)" 200

# ---- modes, and a device that has no size yet ----

for file in disksize:644 initstate:444 reset:200 comp_algorithm:644 mem_limit:200 \
	mem_used_max:200 mm_stat:444 io_stat:444 debug_stat:444 compact:200; do
	same "mode of ${file%:*}" "$(mode $Z/${file%:*})" "${file#*:}"
done
same "initstate without a size" "$(attr $Z/initstate)" 0
same "disksize without a size" "$(attr $Z/disksize)" 0
same "mm_stat has nine columns" "$(fields $Z/mm_stat)" 9
same "mm_stat is zero" "$(awk '{ for (i = 1; i <= 9; i++) s += $i } END { print s }' $Z/mm_stat)" 0
case $KVER in
6.1.*) invalid='       0' ;;
*) invalid=0 ;;
esac
same "io_stat to the byte" "$(cat $Z/io_stat)" "       0        0 $invalid        0"
case $KVER in
7.*) stalls=0 ;;
*) stalls='       0' ;;
esac
same "debug_stat to the byte" "$(cat $Z/debug_stat)" "version: 1
$stalls        0"
same "compact without a size" "$(attr $Z/compact 1)" EINVAL
same "reset without a size" "$(attr $Z/reset 1)" ok
same "disksize of zero" "$(attr $Z/disksize 0)" EINVAL
same "disksize of no number" "$(attr $Z/disksize junk)" EINVAL
same "disksize whose table no memory holds" "$(attr $Z/disksize 1024T)" ENOMEM
case $KVER in
6.1.*) default=lzo-rle ;;
*) default=lz4 ;;
esac
case $KVER in
6.1.*) long=EINVAL ;;
*) long=E2BIG ;;
esac
same "an algorithm's name of 200 letters" \
	"$(attr $Z/comp_algorithm "$(printf 'x%.0s' $(seq 1 200))")" $long
same "default of comp_algorithm" "$(sed 's/.*\[\(.*\)\].*/\1/' $Z/comp_algorithm)" $default
same "an unknown algorithm" "$(attr $Z/comp_algorithm nonsense)" EINVAL
same "a known algorithm" "$(attr $Z/comp_algorithm zstd)" ok
same "it is shown as chosen" "$(sed 's/.*\[\(.*\)\].*/\1/' $Z/comp_algorithm)" zstd
case $KVER in
7.*) check "max_comp_streams is gone" test ! -e $Z/max_comp_streams ;;
*)
	same "mode of max_comp_streams" "$(mode $Z/max_comp_streams)" 644
	compare "max_comp_streams is a number" "$(cat $Z/max_comp_streams)" -ge 1
	same "it takes anything" "$(attr $Z/max_comp_streams junk)" ok
	;;
esac
# The kernel's own stumbles over it in vmalloc(), and says so.
case $KVER in
7.*) overflow=EINVAL ;;
*) overflow=ENOMEM ;;
esac
[ "$IMPL" = intree ] || same "disksize of all that 64 bits say" \
	"$(attr $Z/disksize 18446744073709551615)" $overflow

# ---- a device with a size ----

same "disksize with a suffix" "$(attr $Z/disksize 16M)" ok
same "disksize is read in bytes" "$(cat $Z/disksize)" 16777216
same "size of the block device" "$(cat $Z/size)" 32768
same "initstate with a size" "$(cat $Z/initstate)" 1
same "disksize a second time" "$(attr $Z/disksize 16M)" EBUSY
check "the log says why" said "Cannot change disksize for initialized device"
same "comp_algorithm in use" "$(attr $Z/comp_algorithm lz4)" EBUSY
check "the log says why" said "Can't change algorithm for initialized device"
same "logical_block_size" "$(cat $Z/queue/logical_block_size)" 4096
for limit in physical_block_size minimum_io_size optimal_io_size discard_granularity; do
	same "$limit" "$(cat $Z/queue/$limit)" "$PAGE"
done
same "rotational" "$(cat $Z/queue/rotational)" 0
compare "discard is offered" "$(cat $Z/queue/discard_max_bytes)" -gt 0
# The kernel's own does not where its blocks are smaller than pages.
zeroes=yes
[ "$IMPL" = lethe ] || [ "$PAGE" = 4096 ] || zeroes=
[ ! "$zeroes" ] || compare "writing zeroes is offered" "$(cat $Z/queue/write_zeroes_max_bytes)" -gt 0
same "compact" "$(attr $Z/compact 1)" ok

# ---- what mm_stat and io_stat count ----

dd if=/dev/zero of=/dev/zram0 bs=64k count=16 oflag=direct 2>/dev/null
same "zeroes are stored" "$(mm_stat zram0 orig)" 1048576
same "as same-filled pages" "$(mm_stat zram0 same)" "$PER_MIB"
same "without memory" "$(mm_stat zram0 used)" 0
yes abcdefg | dd of=/dev/zram0 bs=64k count=16 iflag=fullblock oflag=direct 2>/dev/null
same "any eight bytes throughout are a same-filled page" "$(mm_stat zram0 same)" "$PER_MIB"
same "of no compressed size" "$(mm_stat zram0 compr)" 0
same "and with no object" "$(mm_stat zram0 used)" 0
check "and are read back" eval 'yes abcdefg | dd bs=64k count=16 iflag=fullblock 2>/dev/null |
	cmp -n 1048576 - /dev/zram0'
dd if=/dev/urandom of=/dev/zram0 bs=64k count=16 oflag=direct 2>/dev/null
same "noise takes the zeroes' place" "$(mm_stat zram0 same)" 0
same "as incompressible pages" "$(mm_stat zram0 huge)" "$PER_MIB"
same "compressed as they are" "$(mm_stat zram0 compr)" 1048576
compare "with memory for each" "$(mm_stat zram0 used)" -ge 1048576
dd if=/corpus of=/dev/zram0 bs=64k count=16 seek=16 oflag=direct 2>/dev/null
compare "real content is compressed" "$(mm_stat zram0 compr)" -lt 2097152
high=$(mm_stat zram0 max)
compare "the most used is remembered" "$high" -ge "$(mm_stat zram0 used)"
notified() {
	awk '{ print $4 }' $Z/io_stat
}
columns() {
	awk '{ print $5, $6, $7, $12, $13, $14, $15 }' $Z/stat
}
before=$(columns)
free_before=$(notified)
check "discard" blkdiscard /dev/zram0
same "each of its pages is counted" "$(notified)" $((free_before + 16 * PER_MIB))
check "discard of what is empty" blkdiscard -o $PAGE -l $((10 * PAGE)) /dev/zram0
same "is counted too" "$(notified)" $((free_before + 16 * PER_MIB + 10))
if [ "$zeroes" ]; then
	check "writing zeroes" /sbin/blkdiscard -z -o $((2 * PAGE)) -l $((10 * PAGE)) /dev/zram0
	same "is counted too" "$(notified)" $((free_before + 16 * PER_MIB + 20))
fi
same "neither is I/O that stat counts" "$(columns)" "$before"
same "discard empties the device" "$(mm_stat zram0 orig)" 0
same "its incompressible pages too" "$(mm_stat zram0 huge)" 0
same "and gives the memory back" "$(mm_stat zram0 used)" 0
same "the most used stays" "$(mm_stat zram0 max)" "$high"
same "pages that ever were incompressible" "$(awk -v n="$PER_MIB" '$9 >= n { print "many" }' $Z/mm_stat)" many
same "mem_used_max takes only 0" "$(attr $Z/mem_used_max 1)" EINVAL
same "mem_used_max of no number" "$(attr $Z/mem_used_max junk)" EINVAL
same "mem_used_max starts over" "$(attr $Z/mem_used_max 0)" ok
same "from what is used now" "$(mm_stat zram0 max)" 0

# ---- mem_limit ----

same "mem_limit of no number" "$(attr $Z/mem_limit junk)" EINVAL
same "mem_limit" "$(attr $Z/mem_limit 512K)" ok
same "mem_limit is shown" "$(mm_stat zram0 limit)" 524288
failed=$(awk '{ print $2 }' $Z/io_stat)
check "a write past it fails" \
	eval '! dd if=/dev/urandom of=/dev/zram0 bs=64k count=16 oflag=direct 2>/dev/null'
compare "no more than that is used" "$(mm_stat zram0 used)" -le 524288
compare "the failure is counted" "$(awk '{ print $2 }' $Z/io_stat)" -gt "$failed"
same "mem_limit is lifted by 0" "$(attr $Z/mem_limit 0)" ok
check "and the write succeeds" \
	eval 'dd if=/dev/urandom of=/dev/zram0 bs=64k count=16 oflag=direct 2>/dev/null'

# ---- in use, and reset ----

same "reset of 0" "$(attr $Z/reset 0)" EINVAL
same "reset of no number" "$(attr $Z/reset junk)" EINVAL
exec 9</dev/zram0
same "reset while open" "$(attr $Z/reset 1)" EBUSY
same "hot_remove while open" "$(attr $control/hot_remove 0)" EBUSY
exec 9<&-
mkswap /dev/zram0 >/dev/null
swapon /dev/zram0
same "reset while swap" "$(attr $Z/reset 1)" EBUSY
same "hot_remove while swap" "$(attr $control/hot_remove 0)" EBUSY
check "the module stays while in use" eval '! rmmod zram 2>/dev/null'
swapoff /dev/zram0
same "reset" "$(attr $Z/reset 1)" ok
same "disksize after reset" "$(cat $Z/disksize)" 0
same "initstate after reset" "$(cat $Z/initstate)" 0
same "mm_stat after reset" "$(awk '{ print $1 + $2 + $3 }' $Z/mm_stat)" 0
same "disksize is rounded up to pages" "$(attr $Z/disksize $((PAGE + 1)))" ok
same "to two of them" "$(cat $Z/disksize)" $((2 * PAGE))
same "hot_remove of a device with a size" "$(attr $control/hot_remove 0)" ok
same "hot_add gives its number again" "$(attr $control/hot_add)" 0

# ---- what people use ----

same "zramctl sets up the first free device" \
	"$(/sbin/zramctl --find --size 8M --algorithm zstd)" /dev/zram0
same "and lists it" "$(/sbin/zramctl --bytes --raw --noheadings --output NAME,DISKSIZE,ALGORITHM)" \
	"/dev/zram0 8388608 zstd"
check "and takes it away" /sbin/zramctl --reset /dev/zram0
check "so that it is gone" test ! -e $Z

check "unload" zram_unload
check "nothing is left in sysfs" test ! -e $control
