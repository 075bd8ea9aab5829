# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# A backing device: given, refused, given back. True of the kernel's own zram as well.

Z1=/sys/block/zram1
attr() {
	vmtest attr "$Z/$1" "$2"
}

zram_load num_devices=3
modules_load disks
same "mode of backing_dev" "$(stat -c %a $Z/backing_dev)" 644

# ---- before there is a size ----

same "no backing device at first" "$(cat $Z/backing_dev)" none
ln -s /dev/loop0 /tmp/link
truncate -s 8M /tmp/backing
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

# ---- a device without one ----

echo lz4 >$Z/comp_algorithm
echo 16M >$Z/disksize
same "backing_dev on a device with a size" "$(attr backing_dev /dev/loop0)" EBUSY
same "is not given" "$(cat $Z/backing_dev)" none
echo 1 >$Z/reset

# ---- reset ----

echo /dev/loop0 >$Z/backing_dev
same "disksize with a backing device" "$(attr disksize 16M)" ok
same "reset" "$(attr reset 1)" ok
same "forgets the backing device" "$(cat $Z/backing_dev)" none
check "the backing device is given back" losetup -d /dev/loop0
rm /tmp/backing /tmp/small /tmp/link
check "unload" zram_unload
