# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# All attributes of four devices, at random, with values that are right and wrong: written
# and read by three tasks, while another resets, sets up, removes and adds devices, and
# one does I/O of known content (vmtest attributes). Then all works as before, and
# nothing is left. True of the kernel's own zram as well.
#
# ATTRIBUTES is how many seconds of that there are, 20 if it is not given and the kernel
# is not slow; SEED what to choose by (run.sh -w SEED=5): what the tasks do follows from
# it, but not in which order.

control=/sys/class/zram-control

devices() {
	find /sys/block -name 'zram*' | wc -l
}
pools() {
	find /sys/kernel/debug/lethe -name 'zram*' 2>/dev/null | wc -l
}
# all COMMAND...: of each device there is; those for which it fails
all() {
	for path in /sys/block/zram*; do
		[ ! -d "$path" ] || "$@" "${path##*/zram}" || echo "$path"
	done
}
reset() {
	[ "$(vmtest attr "/sys/block/zram$1/reset" 1)" = ok ]
}
remove() {
	[ "$(vmtest attr $control/hot_remove "$1")" = ok ]
}
# One may be the backing device of another, which goes first.
reset_all() {
	all reset >/dev/null
	all reset
}

seed=${SEED:-$(od -An -N2 -tu2 /dev/urandom | tr -d ' ')}
say "seed $seed"
zram_load num_devices=4
modules_load disks
dd if=/corpus of=/tmp/dict bs=16k count=1 2>/dev/null
truncate -s 8M /tmp/disk0
truncate -s 2M /tmp/disk1
check "there are disks" eval "losetup /dev/loop0 /tmp/disk0 && losetup /dev/loop1 /tmp/disk1"
# So that there is a pool to be looked at
echo 8M >$Z/disksize

vmtest attributes "${ATTRIBUTES:-$((20 * ${SLOW:-1}))}" "$seed" 3 $((20 * ${SLOW:-1})) >/tmp/said 2>&1
same "all attributes at once: each can be used, none hangs, I/O is right (seed $seed)" $? 0
sed "s/^/# $SUITE: /" /tmp/said
# So would all that follows.
! grep -q 'does not end' /tmp/said || exit 1

# ---- afterwards ----

[ -d $Z ] || cat $control/hot_add >/dev/null
same "all devices can be reset" "$(reset_all)" ""
same "no pool is left of those" "$(pools)" 0
if [ "$IMPL" = lethe ]; then
	echo tombstone >/sys/module/zram/parameters/policy
	echo 0 >/sys/module/zram/parameters/budget
fi
echo 0 >$Z/writeback_limit_enable
echo lz4 >$Z/comp_algorithm
same "a device can be given a backing device" "$(attr backing_dev /dev/loop0)" ok
same "and a size" "$(attr disksize 8M)" ok
same "of which nothing is used" "$(mm_stat zram0 orig) $(bd_stat count)" "0 0"
dd if=/corpus of=/dev/zram0 bs=64k count=64 oflag=direct 2>/dev/null
dd if=/corpus bs=64k count=64 2>/dev/null >/tmp/wanted
check "it holds what is written" eval "dd if=/dev/zram0 bs=64k count=64 iflag=direct 2>/dev/null | cmp - /tmp/wanted"
# The kernel's own takes memory for as many writes as it may have in flight.
[ "$IMPL" != lethe ] || echo 4294967295 >$Z/writeback_batch_size
echo all >$Z/idle
same "its pages are written back" "$(attr writeback idle)" ok
compare "most of them" "$(bd_stat count)" -gt 512
check "and hold it" eval "dd if=/dev/zram0 bs=64k count=64 iflag=direct 2>/dev/null | cmp - /tmp/wanted"
rm /tmp/wanted
same "it can be reset" "$(reset_all)" ""
same "all devices can be removed" "$(all remove) $(devices)" " 0"
same "no pool is left" "$(pools)" 0
check "no disk is in use" eval "losetup -d /dev/loop0 && losetup -d /dev/loop1"
if [ "$IMPL" = lethe ] && [ -w /sys/kernel/debug/kmemleak ]; then
	same "no block of memory is left behind" "$(leaks)" 0
fi
check "unload" zram_unload
