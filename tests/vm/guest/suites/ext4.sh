# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# A file system on the device, its files verified after a remount.

zram_load
modules_load ext4
echo 64M >$Z/disksize
check "mkfs.ext4" /sbin/mke2fs -q -F -t ext4 /dev/zram0
check "mount" mount -t ext4 /dev/zram0 /mnt
check "write 24 MiB" vmtest files write /mnt 24 7
umount /mnt
echo 3 >/proc/sys/vm/drop_caches
check "the file system is clean" /sbin/e2fsck -fn /dev/zram0
check "mount again" mount -t ext4 /dev/zram0 /mnt
check "all of it is there" vmtest files check /mnt 24 7
check "overwrite with other content" vmtest files write /mnt 24 8
umount /mnt
echo 3 >/proc/sys/vm/drop_caches
mount -t ext4 -o discard /dev/zram0 /mnt
check "the other content is there" vmtest files check /mnt 24 8
used=$(mm_stat zram0 used)
rm /mnt/file*
sync
files_are_gone() {
	fstrim /mnt
	[ "$(mm_stat zram0 used)" -lt $((used / 3)) ]
}
check "deleted files give memory back" within 5 files_are_gone
umount /mnt
check "the file system is clean at the end" /sbin/e2fsck -fn /dev/zram0
check "reset" eval 'echo 1 >$Z/reset'
check "unload" zram_unload
