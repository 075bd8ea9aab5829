# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# What people put on a disk: file systems, dm-crypt, LVM, loop devices, and fio's random
# load that verifies what it reads. True of the kernel's own zram as well.

PATH=$PATH:/sbin
size=$((512 << 20))
sectors=$((size / 512))

zram_load num_devices=2
modules_load users
zram_start() {
	echo lz4 >$Z/comp_algorithm
	[ ! -e $Z/recomp_algorithm ] || echo "algo=zstd priority=1" >$Z/recomp_algorithm
	echo $size >$Z/disksize
}

used() {
	mm_stat zram0 used
}

# ---- file systems ----

make_fs() {
	case $1 in
	ext4) /sbin/mke2fs -q -F -t ext4 "$2" ;;
	xfs) mkfs.xfs -q -f "$2" ;;
	btrfs) mkfs.btrfs -q -f "$2" ;;
	f2fs) mkfs.f2fs -q -f "$2" ;;
	esac
}

check_fs() {
	case $1 in
	ext4) /sbin/e2fsck -fn "$2" ;;
	xfs) xfs_repair -n "$2" ;;
	btrfs) btrfs check "$2" ;;
	f2fs) fsck.f2fs "$2" ;;
	esac >/tmp/fsck 2>&1 || { cat /tmp/fsck && false; }
}

# on_fs TYPE DEVICE WHERE: files of known content, read again from the device
on_fs() {
	check "mkfs.$1 $3" make_fs "$1" "$2"
	check "mount $1 $3" mount -t "$1" "$2" /mnt
	check "write to $1 $3" vmtest files write /mnt 16 7
	check "umount $1 $3" umount /mnt
	echo 3 >/proc/sys/vm/drop_caches
	check "$1 $3 is clean" check_fs "$1" "$2"
	mount -t "$1" "$2" /mnt
	check "$1 $3 has it" vmtest files check /mnt 16 7
}

# fill_fs TYPE: what is mounted, with copies of a file until there is no room
fill_fs() {
	copies=0
	while cat /corpus >/mnt/copy$copies; do
		copies=$((copies + 1))
	done 2>/dev/null
	compare "$1: it takes copies until it is full" $copies -ge 50
	check "umount $1 that is full" umount /mnt
	compare "of $copies, each is smaller in memory" "$(mm_stat zram0 compr)" -lt \
		$((copies * $(wc -c </corpus) * 3 / 4))
	echo 3 >/proc/sys/vm/drop_caches
	mount -t "$1" /dev/zram0 /mnt
	others=
	for copy in $(seq 0 $((copies - 1))); do
		cmp -s /corpus "/mnt/copy$copy" || others="$others $copy"
	done
	same "and each has its content" "$others" ""
}

for fs in ext4 xfs btrfs f2fs; do
	# Debian's cloud kernels have no f2fs.
	if ! grep -q "[[:space:]]$fs\$" /proc/filesystems; then
		say "this kernel has no $fs"
		continue
	fi
	zram_start
	on_fs $fs /dev/zram0 "on zram"
	before=$(used)
	rm /mnt/file*
	sync
	# Mounted to discard, f2fs leaves what fstrim asks for to an idle minute.
	[ $fs != f2fs ] || mount -o remount,nodiscard /mnt
	trimmed() {
		fstrim /mnt
		[ "$(used)" -lt $((before / 2)) ]
	}
	check "$fs: deleted files give memory back" within 10 trimmed
	say "$fs: $before bytes, $(used) after that"
	fill_fs $fs
	umount /mnt
	check "$fs is clean" check_fs $fs /dev/zram0
	check "reset after $fs" eval 'echo 1 >$Z/reset'
done

# ---- device mapper, loop ----

zram_start
key=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
check "dm-crypt on zram" dmsetup --noudevsync create secret \
	--table "0 $sectors crypt aes-cbc-essiv:sha256 $key 0 /dev/zram0 0 1 allow_discards"
dmsetup mknodes
on_fs ext4 /dev/mapper/secret "on dm-crypt"
compare "what is encrypted does not compress" "$(mm_stat zram0 huge)" -ge 4000
umount /mnt
check "dm-crypt goes" dmsetup --noudevsync remove secret
echo 1 >$Z/reset

zram_start
echo $size >/sys/block/zram1/disksize
lvm_config='activation { udev_sync=0 udev_rules=0 verify_udev_operations=1 }
	global { locking_type=1 use_lvmlockd=0 use_lvmpolld=0 } backup { backup=0 archive=0 }
	devices { use_devicesfile=0 obtain_device_list_from_udev=0 types=["zram", 16] scan="/dev" }'
volume() {
	command=$1
	shift
	lvm "$command" --config "$lvm_config" "$@" >/tmp/lvm 2>&1 || { cat /tmp/lvm && false; }
}
check "LVM: pvcreate" volume pvcreate -y /dev/zram0 /dev/zram1
check "LVM: vgcreate" volume vgcreate both /dev/zram0 /dev/zram1
check "LVM: lvcreate, striped" volume lvcreate -y -Wn -Zn -i 2 -L 200M -n half both
on_fs ext4 /dev/both/half "on LVM"
umount /mnt
check "LVM goes" eval 'volume vgchange -an both && volume vgremove -f both'
echo 1 >$Z/reset
echo 1 >/sys/block/zram1/reset

zram_start
check "a loop device on zram" losetup /dev/loop0 /dev/zram0
on_fs ext4 /dev/loop0 "on loop"
umount /mnt
check "the loop device goes" losetup -d /dev/loop0
on_fs ext4 /dev/zram0 "below loop"
dd if=/dev/zero of=/mnt/disk bs=1M count=1 seek=63 2>/dev/null
check "a loop device on a file there" losetup /dev/loop0 /mnt/disk
mkdir -p /tmp/inner
make_fs ext4 /dev/loop0
check "mount it" mount -t ext4 /dev/loop0 /tmp/inner
check "write there" vmtest files write /tmp/inner 8 9
umount /tmp/inner
echo 3 >/proc/sys/vm/drop_caches
mount -t ext4 /dev/loop0 /tmp/inner
check "it is there" vmtest files check /tmp/inner 8 9
umount /tmp/inner
losetup -d /dev/loop0
umount /mnt
echo 1 >$Z/reset

# ---- fio ----

# While it runs, whatever else the device can do is done.
meanwhile() {
	while :; do
		echo all >$Z/idle
		for what in "type=huge" "type=idle max_pages=64"; do
			[ ! -e $Z/recompress ] || echo "$what" >$Z/recompress
		done
		# How many pages are recompressed, until some are. 6.1 does not say.
		[ -s /tmp/recompressed ] ||
			awk '$3 ~ /r/ { n++ } END { if (n) print n }' $state >/tmp/recompressed
		[ "$backed" = no ] || echo idle >$Z/writeback
		echo 1 >$Z/compact
		cat $Z/mm_stat >/dev/null
		usleep 50000
	done 2>/dev/null
}

backed=no
if [ -e $Z/backing_dev ]; then
	echo 128M >/sys/block/zram1/disksize
	check "zram is the backing device of zram" eval 'echo /dev/zram1 >$Z/backing_dev' && backed=yes
fi
zram_start
state=/sys/kernel/debug/zram/zram0/block_state
: >/tmp/recompressed
# 48 MiB of files, to be recompressed, written back, and discarded by fio
files=$((192 << 20))
for part in 0 6 12 18 24 30 36 42; do
	dd if=/corpus of=/dev/zram0 bs=1M seek=$(((files >> 20) + part)) count=6 oflag=direct 2>/dev/null
done
meanwhile &
also=$!
# Two jobs: fio 3.33 ends, and says nothing of it by its exit code, where a job that reads
# and writes is to trim as well.
check "fio verifies what it reads" fio --filename=/dev/zram0 --direct=1 --ioengine=psync \
	--randrepeat=1 --buffer_compress_percentage=60 --refill_buffers --output=/tmp/fio \
	--name=verify --size=64M --rw=randrw --bsrange=4k-64k --verify=crc32c \
	--verify_backlog=512 --verify_fatal=1 \
	--name=trim --offset=64M --size=64M --rw=trimwrite --bs=64k --loops=4 \
	--name=discard --offset=$files --size=32M --rw=randtrim --bs=64k --thinktime=20ms 2>/tmp/said
cat /tmp/said
check "no job of it was stopped" eval '! grep -q signal /tmp/said'
same "all three came to their end" "$(grep -c 'err= 0' /tmp/fio)" 3
grep -E 'err=|verify' /tmp/fio
if [ $backed = yes ]; then
	compare "pages were written back meanwhile" "$(awk '{ print $3 }' $Z/bd_stat)" -gt 100
	compare "and read from there" "$(awk '{ print $2 }' $Z/bd_stat)" -gt 10
fi
kill $also
wait $also 2>/dev/null
# bytes FROM COUNT: MiB, past the page cache
bytes() {
	dd if=/dev/zram0 bs=1M skip="$1" count="$2" iflag=direct 2>/dev/null
}
check "what fio has discarded reads as zeroes" \
	eval 'bytes $((files >> 20)) 32 | cmp -n $((32 << 20)) - /dev/zero'
same "and the files beside it as they were" \
	"$(bytes $(((files >> 20) + 36)) 12 | md5sum)" "$(cat /corpus /corpus | md5sum)"
if [ -e $Z/recompress ]; then
	case $KVER in
	6.1.*) say "6.1 does not say what is recompressed" ;;
	*) compare "pages were recompressed meanwhile" "$(tail -n 1 /tmp/recompressed)" -gt 0 ;;
	esac
fi
check "reset after fio" eval 'echo 1 >$Z/reset'
check "unload" zram_unload
