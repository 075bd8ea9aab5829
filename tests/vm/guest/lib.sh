# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# What the suites share. Results go to the second serial port, one line each:
# "ok SUITE: WHAT" or "not ok SUITE: WHAT", and "end" when all has been run.

RESULTS=${RESULTS:-/dev/ttyS1}
SUITE=guest

guest_start() {
	mount -t proc proc /proc
	mount -t sysfs sysfs /sys
	mount -t devtmpfs devtmpfs /dev
	mount -t debugfs debugfs /sys/kernel/debug
	mount -t tmpfs tmpfs /tmp
	stty -F "$RESULTS" raw
	# All but one CPU wait for this (boot.sh).
	for cpu in /sys/devices/system/cpu/cpu[1-9]*/online; do
		[ ! -f "$cpu" ] || echo 1 >"$cpu"
	done
	[ ! -e /sys/kernel/debug/kcsan ] || echo on >/sys/kernel/debug/kcsan
	# One page at a time: what is read back is what was asked for.
	echo 0 >/proc/sys/vm/page-cluster
	KVER=$(uname -r)
	export KVER
}

guest_end() {
	# How much it has looked at
	[ ! -e /sys/kernel/debug/kcsan ] || cat /sys/kernel/debug/kcsan
	# Where the console is written by a thread, it is to be through.
	[ ! -e /sys/kernel/realtime ] || sleep 1
	echo end >"$RESULTS"
	poweroff -f
	sleep 60
}

say() {
	echo "# $SUITE: $*"
}

ok() {
	echo "ok $SUITE: $*" >"$RESULTS"
	echo "$(cut -d ' ' -f 1 /proc/uptime) s: ok $SUITE: $*"
}

not_ok() {
	echo "not ok $SUITE: $*" >"$RESULTS"
	echo "$(cut -d ' ' -f 1 /proc/uptime) s: not ok $SUITE: $*"
}

# check WHAT COMMAND...: the command succeeds
check() {
	what=$1
	shift
	if "$@"; then
		ok "$what"
	else
		not_ok "$what (failed: $*)"
	fi
}

# beside NOISE COMMAND...: while NOISE, a function without end, runs; the status of COMMAND
beside() {
	"$1" &
	beside=$!
	shift
	"$@"
	set -- $?
	kill $beside
	wait $beside 2>/dev/null
	return "$1"
}

# same WHAT GOT WANTED
same() {
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1 (got '$2', wanted '$3')"
	fi
}

# compare WHAT A OP B: integers, OP as for test(1)
compare() {
	if test "$2" "$3" "$4"; then
		ok "$1"
	else
		not_ok "$1 ($2 is not $3 $4)"
	fi
}

# within SECONDS COMMAND...: the command succeeds some time soon. SLOW is how many
# times slower than others this kernel is (run.sh -s).
within() {
	tries=$(($1 * 50 * ${SLOW:-1}))
	shift
	while ! "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		usleep 20000
	done
}

run_suite() {
	SUITE=$1
	say "start at $(cut -d ' ' -f 1 /proc/uptime) s"
	# shellcheck disable=SC1090 # which suite it is, the caller decides
	# In a subshell: what a suite defines or breaks off stays its own.
	if (. "/suites/$1.sh"); then
		:
	else
		not_ok "the suite broke off"
	fi
	SUITE=$1
	say "stop at $(cut -d ' ' -f 1 /proc/uptime) s"
	clean_up 2>/dev/null
}

# After a suite that broke off, so that the next one has a chance.
clean_up() {
	pids=$(pidof vmtest)
	# shellcheck disable=SC2086 # a list of numbers
	[ -z "$pids" ] || kill -9 $pids
	for cpu in 1 2; do
		echo 1 >/sys/devices/system/cpu/cpu$cpu/online
	done
	drain_on 7
	umount /mnt
	swapoff -a
	[ ! -d /sys/module/zram ] || zram_unload
}

# ---- modules ----

# attr NAME [VALUE]: read or write an attribute of zram0; says ok, or the errno
attr() {
	vmtest attr "$Z/$1" "$2"
}

# flags PAGE: what block_state says of a page of zram0
flags() {
	awk -v page="$1" '$1 == page { print $3 }' /sys/kernel/debug/zram/zram0/block_state
}

# modules_load LIST: what is on it and not there yet, but for zram itself
modules_load() {
	while read -r ko; do
		name=$(basename "$ko" .ko | tr - _)
		[ "$name" = zram ] || [ -d "/sys/module/$name" ] || insmod "$ko" || return 1
	done <"/modules/$1/order"
}

# zram_needs: load what the zram under test needs
zram_needs() {
	modules_load "$IMPL"
}

# In the kernel's own tree (IMPL=tree, or plain: without Lethe) zram is built in, with
# two devices; or it is a module, which is loaded once.
zram_is_built_in() {
	case $IMPL in
	tree | plain) ;;
	*) return 1 ;;
	esac
}

# zram_load [PARAMETER...]: load the implementation under test
zram_load() {
	if zram_is_built_in; then
		[ -d $Z ] || { modules_load intree && insmod /modules/intree/zram.ko num_devices=2; }
		return
	fi
	zram_needs && insmod "/modules/$IMPL/zram.ko" "$@"
}

# Only the two that differ: codecs may stay.
zram_unload() {
	if zram_is_built_in; then
		for device in /sys/block/zram*; do
			echo 1 >"$device/reset" || return 1
		done
		return
	fi
	rmmod zram || return 1
	case $IMPL in
	lethe) rmmod lethe ;;
	# Built in, it stays.
	intree) [ ! -e /sys/module/zsmalloc/initstate ] || rmmod zsmalloc ;;
	esac
}

# ---- memory lost, of kernels with kmemleak ----

# Blocks that nobody refers to, of ours or with our callers. Two scans: what the
# first finds may be on its way from one place to another.
leaks() {
	sleep 1
	echo scan >/sys/kernel/debug/kmemleak && sleep 6 &&
		echo scan >/sys/kernel/debug/kmemleak || { echo "no scan" && return; }
	awk '/^unreferenced object/ { text = ""; ours = 0 }
		{ text = text $0 "\n" }
		/\[(lethe|zram)\]|lethe_|zram_/ && !ours { ours = 1; n++ }
		END { print n + 0 }' /sys/kernel/debug/kmemleak
}

# ---- one device ----

Z=/sys/block/zram0

# mm_stat's columns by name
mm_stat() {
	case $2 in
	orig) column=1 ;;
	compr) column=2 ;;
	used) column=3 ;;
	limit) column=4 ;;
	max) column=5 ;;
	same) column=6 ;;
	compacted) column=7 ;;
	huge) column=8 ;;
	esac
	awk "{ print \$$column }" "/sys/block/$1/mm_stat"
}

# swap_start DISKSIZE [LIMIT]: a loaded zram's first device becomes swap
swap_start() {
	echo "$1" >$Z/disksize || return 1
	[ $# = 1 ] || echo "$2" >$Z/mem_limit || return 1
	mkswap /dev/zram0 >/dev/null && swapon /dev/zram0
}

swap_stop() {
	swapoff /dev/zram0 && echo 1 >$Z/reset
}

# oom_kill: the OOM killer runs, with a victim of 4 MiB for it. Returns the victim's status.
oom_kill() {
	rm -f /tmp/victim
	mkfifo /tmp/victim
	vmtest victim 4 >/tmp/victim &
	victim=$!
	read -r answer </tmp/victim && [ "$answer" = ready ] || not_ok "there is a victim"
	echo f >/proc/sysrq-trigger
	wait $victim 2>/dev/null
}

# ---- a process with swapped-out memory: held_start MIB SEED, held COMMAND ----

held_start() {
	rm -f /tmp/held.in /tmp/held.out
	mkfifo /tmp/held.in /tmp/held.out
	vmtest held "$1" "$2" </tmp/held.in >/tmp/held.out &
	HELD=$!
	# Another child that ends meanwhile interrupts the opening, which would end the shell.
	until command exec 7>/tmp/held.in 8</tmp/held.out; do :; done
	read -r answer <&8 && [ "$answer" = ready ]
}

# held COMMAND: and wait until it is done
held() {
	echo "$*" >&7
	read -r answer <&8 && [ "$answer" = "done" ]
}

# held_took: ns that "held munmap" took
held_took() {
	echo took >&7
	read -r took <&8 && read -r answer <&8 && echo "$took"
}

held_end() {
	exec 7>&- 8<&-
	wait "$HELD"
}

held_kill() {
	kill -9 "$HELD"
	wait "$HELD" 2>/dev/null
	exec 7>&- 8<&-
}

# ---- what is pending ----

# deferred NAME [DEVICE]: a line of the pool's deferred_free
deferred() {
	awk -v key="$1:" '$1 == key { print $2 }' \
		"/sys/kernel/debug/lethe/${2:-zram0}/deferred_free"
}

# stat_of NAME [DEVICE]: a line of the pool's stats
stat_of() {
	awk -v key="$1:" '$1 == key { print $2 }' \
		"/sys/kernel/debug/lethe/${2:-zram0}/stats"
}

# bd_stat count|reads|writes: of zram0's backing device
bd_stat() {
	case $1 in
	count) column=1 ;;
	reads) column=2 ;;
	writes) column=3 ;;
	esac
	awk "{ print \$$column }" $Z/bd_stat
}

# orphans [DEVICE]: objects that no page of the device is in. That is what is
# pending, by another account than the one that keeps to the bound.
orphans() {
	objects=$(stat_of objects "${1:-zram0}")
	pages=$(awk -v page="$PAGE" '{ print $1 / page - $6 }' "/sys/block/${1:-zram0}/mm_stat")
	backed=$(awk -v page="$PAGE" '{ print $1 * 4096 / page }' "/sys/block/${1:-zram0}/bd_stat")
	echo $((objects - pages + backed))
}

nothing_pending() {
	[ "$(deferred pending)" = 0 ]
}

# drain_on MASK: where the allocator's own threads may run
drain_on() {
	for comm in $(grep -l '^lethe_drain$' /proc/[0-9]*/comm 2>/dev/null); do
		thread=${comm#/proc/}
		taskset -p "$1" "${thread%/comm}" >/dev/null 2>&1
	done
}

# hold_worker SECONDS: for at most that long, the allocator's threads may run on
# CPU 1 only, which runs nothing but a hog; so what is pending stays pending.
# This shell and its children stay on CPU 0.
hold_worker() {
	read -r self _ </proc/self/stat
	taskset -p 1 "$self" >/dev/null
	echo -1 >/proc/sys/kernel/sched_rt_runtime_us
	# From 6.12 on, this would give normal tasks their share nevertheless.
	fair=/sys/kernel/debug/sched/fair_server/cpu1/runtime
	# A CPU that came in later has none, which cannot be changed.
	[ ! -e $fair ] || [ "$(cat $fair)" = 0 ] || echo 0 >$fair
	# The hog locks its pages, but the kernel may still move them to another place
	# when it needs several in a row; the hog would wait for that, and not spin.
	echo 0 >/proc/sys/vm/compact_unevictable_allowed
	drain_on 2
	rm -f /tmp/hog
	mkfifo /tmp/hog
	vmtest hog 1 $(($1 * ${SLOW:-1})) >/tmp/hog &
	HOG=$!
	read -r answer </tmp/hog && [ "$answer" = ready ]
}

release_worker() {
	kill "$HOG" 2>/dev/null
	wait "$HOG" 2>/dev/null
	drain_on 7
	read -r self _ </proc/self/stat
	taskset -p 7 "$self" >/dev/null
}

# make_pending MIB SEED: swap that much out, unmap it, with the drain threads
# held back. Sets PENDING, and USED: bytes of the device before.
make_pending() {
	hold_worker 25 && held_start "$1" "$2" || return 1
	# shellcheck disable=SC2034 # for the suites
	USED=$(mm_stat zram0 used)
	held munmap && held_end
	PENDING=$(deferred pending)
	# A few frees wait in the kernel's own per-CPU caches of swap slots, and
	# same-filled pages hold no object.
	[ "$PENDING" -gt $(($1 * PER_MIB * 7 / 8)) ]
}

# ---- a disk to write back to: of the virtual machine, and a map that can be changed ----

DISK=/dev/mapper/disk UNDER=/dev/vda
# A kernel that knows no such disk: in memory. All of the file is there from the beginning,
# as a loop device says nothing of a request that it has written in part.
under_make() {
	[ ! -b $UNDER ] || return 0
	UNDER=/dev/loop0
	# Of a suite before this one
	! losetup $UNDER >/dev/null 2>&1 || return 0
	dd if=/dev/zero of=/tmp/backing bs=1M count=64 2>/dev/null && losetup $UNDER /tmp/backing
}
dm() {
	/sbin/dmsetup --noudevsync --noudevrules "$@" </dev/null
}
# disk_of SECTORS
disk_of() {
	SECTORS=$1
	dm create disk --table "0 $SECTORS linear $UNDER 0" && dm mknodes
}
# disk_make MIB
disk_make() {
	disk_of $(($1 * 2048))
}
disk_remove() {
	dm remove disk
}
disk_stops() {
	dm suspend --noflush --nolockfs disk
}
disk_goes_on() {
	dm resume disk
}
# disk_is TABLE: from now on
disk_is() {
	printf '%s\n' "$1" >/tmp/table
	disk_stops || return 1
	dm reload disk /tmp/table
	reloaded=$?
	# A table that cannot be had leaves the one that is there, and no I/O waits for ever.
	disk_goes_on && [ $reloaded = 0 ]
}
disk_works() {
	disk_is "0 $SECTORS linear $UNDER 0"
}
# Whatever is asked of it
disk_fails() {
	disk_is "0 $SECTORS error"
}
# disk_fails_at BLOCK: and nowhere else
disk_fails_at() {
	at=$(($1 * 8))
	disk_is "$(
		[ $at = 0 ] || echo "0 $at linear $UNDER 0"
		echo "$at 8 error"
		[ $((at + 8)) = $SECTORS ] ||
			echo "$((at + 8)) $((SECTORS - at - 8)) linear $UNDER $((at + 8))"
	)"
}
# waits PID: for the disk
waits() {
	grep -q '^State:.D' "/proc/$1/status"
}
# start WHAT: a writeback in the background. The disk has stopped, and it waits.
start() {
	vmtest attr $Z/writeback "$1" >/tmp/answer &
	WRITER=$!
	within 10 waits $WRITER
}
# answers WANTED: it ends so
answers() {
	wait $WRITER
	[ "$(cat /tmp/answer)" = "$1" ]
}
# device MIB [SETTING VALUE]...: with a disk of that size below
device() {
	disk_make "$1" && echo lz4 >$Z/comp_algorithm && echo $DISK >$Z/backing_dev || return 1
	shift
	while [ $# != 0 ]; do
		echo "$2" >"$Z/$1" || return 1
		shift 2
	done
	echo 16M >$Z/disksize
}
device_end() {
	echo 1 >$Z/reset && disk_remove
}
# all_blocks MIB: a disk of that size has all its blocks for other pages, once there are
# none on it. bd_stat alone counts pages.
all_blocks() {
	blkdiscard /dev/zram0
	pages=$(($1 * 256))
	for at in $(seq 0 1024 $((pages - 1))); do
		noise "$at" 1024
		[ "$(attr writeback huge)" = ok ] || return 1
	done
	[ "$(bd_stat count)" = "$pages" ]
}

# After an exit: each CPU keeps up to 64 slots that are free, and tells of them when there
# are more.
few_are_left() {
	[ "$(bd_stat count)" -lt 200 ]
}

# noise PAGE COUNT
noise() {
	dd if=/dev/urandom of=/dev/zram0 bs=4k seek="$1" count="$2" oflag=direct 2>/dev/null
}
read_pages() {
	dd if=/dev/zram0 of=/dev/null bs=4k skip="$1" count="$2" iflag=direct 2>/dev/null
}
sum() {
	md5sum </dev/zram0
}
unchanged() {
	echo 3 >/proc/sys/vm/drop_caches
	same "$1: the content is the same" "$(sum)" "$content"
}
# fill PAGES: noise, and as many of files
fill() {
	noise 0 "$1"
	dd if=/corpus of=/dev/zram0 bs=4k seek="$1" count="$1" oflag=direct 2>/dev/null
	content=$(sum)
}
# all_the_while PID PAGES: idle and other pages are written back until the process ends.
# The disk may be full.
all_the_while() {
	while kill -0 "$1" 2>/dev/null; do
		echo all >$Z/idle
		case $(attr writeback idle) in
		ok | ENOSPC) ;;
		*)
			not_ok "writeback of idle pages beside I/O"
			return
			;;
		esac
		[ "$2" = 0 ] || attr writeback "page_indexes=0-$2" >/dev/null
	done
}

# ---- zswap ----

# shellcheck disable=SC2034 # for the suites
ZSWAP=/sys/module/zswap/parameters
ZSWAP_COUNTERS=/sys/kernel/debug/zswap

# zswap has no pool of ours, nor one that it used before and that is not gone yet.
no_zswap_pools() {
	! ls -d /sys/kernel/debug/lethe/zswap* >/dev/null 2>&1
}

counter() {
	cat $ZSWAP_COUNTERS/"$1"
}

vmstat() {
	awk -v key="$1" '$1 == key { print $2 }' /proc/vmstat
}

# pool_stat FILE NAME: summed over the pools of zswap
pool_stat() {
	cat /sys/kernel/debug/lethe/zswap*/"$1" 2>/dev/null |
		awk -v key="$2:" '$1 == key { n += $2 } END { print n + 0 }'
}

no_frees_pending() {
	[ "$(pool_stat deferred_free pending)" = 0 ]
}

nothing_stored() {
	[ "$(counter stored_pages)" = 0 ]
}

# Until it is killed
reclaim_goes_on() {
	while sleep 0.2; do
		echo 2 >/proc/sys/vm/drop_caches
		echo 1 >/proc/sys/vm/compact_memory
	done
}
