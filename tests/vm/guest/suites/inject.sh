# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Every place that allocates in either module fails, and of all allocations by number
# every so many: an errno comes back or nobody notices, what was stored stays as it
# was, what failed can be done again, and nothing leaks. For kernels with fault
# injection that can look at the stack (CONFIG_FAULT_INJECTION_STACKTRACE_FILTER), and
# with kmemleak.
#
# /sites lists the places: see sites.py. prog/inject.c makes allocations fail.

report=/tmp/report
leaks=/sys/kernel/debug/kmemleak
parameters=/sys/module/zram/parameters

# inject WHAT HOW[/STEP] ACT... : ACT : ACT...
# With a step, of every so many allocations one fails; all that have a place of their
# own do.
inject() {
	what=$1
	shift
	if vmtest inject /sites $report "$@"; then
		ok "$what"
		return
	fi
	not_ok "$what (failed: $*)"
	# So that the next one has a chance
	swapoff /dev/zram0
	echo 1 >$Z/reset
}

check "the kernel can make allocations fail, by what called them" \
	test -e /sys/kernel/debug/failslab/require-start
check "the kernel can tell what leaks" eval "echo clear >$leaks"

# ---- modules ----

for ko in $(grep -v -e lethe.ko -e zram.ko /modules/lethe/order); do
	insmod "$ko"
done
inject "load of lethe" init : "load lethe" : "unload lethe"
inject "unload of lethe" sites "load lethe" : "unload lethe" :
insmod /modules/lethe/lethe.ko
inject "load of zram" init : "load zram num_devices=0" : "unload zram"
inject "load of zram with a device" init/20 : "load zram" : "unload zram"
inject "unload of zram" sites "load zram" : "unload zram" :

# ---- devices ----

# The first needs memory for their numbers, which the others share.
inject "hot_add of the first" sites/20 "load zram num_devices=0" : add : "unload zram"
insmod /modules/lethe/zram.ko
inject "hot_add" sites : add : remove
inject "hot_remove" sites add : remove :
inject "hot_add without per-CPU memory" percpu : add : remove

while read -r codec policy how; do
	inject "disksize with $codec, $policy" "$how" \
		"set $Z/comp_algorithm $codec" "set $parameters/policy $policy" : \
		"set $Z/disksize 16M" : "set $Z/reset 1"
done <<END
lz4 tombstone sites
lz4hc tombstone sites/7
lzo array sites/7
lzo-rle sync sites/7
zstd default sites/7
deflate default sites/7
842 default sites/7
END
head -c 65536 /corpus >/tmp/dictionary
inject "algorithm_params with a dictionary" sites : \
	"set_dictionary $Z/algorithm_params dict=/tmp/dictionary" : "set $Z/reset 1"
for codec in lz4 lz4hc zstd; do
	inject "disksize with $codec and a dictionary" sites/7 "set $Z/comp_algorithm $codec" \
		"set $Z/algorithm_params dict=/tmp/dictionary" : "set $Z/disksize 16M" : \
		"set $Z/reset 1"
done
# The allocator's thread is made by kthreadd.
inject "disksize, as kthreadd sees it" 2 : "set $Z/disksize 16M" : "set $Z/reset 1"
inject "idle, by age" sites "set $Z/disksize 16M" : "set $Z/idle 5" : "set $Z/reset 1"
for file in /sys/kernel/debug/zram/zram0/block_state /sys/kernel/debug/zram/zram0/streams \
	/sys/kernel/debug/lethe/zram0/stats /sys/kernel/debug/lethe/zram0/deferred_free \
	$Z/mm_stat; do
	inject "read of $(basename $file)" sites "set $Z/disksize 16M" : "get $file" : \
		"set $Z/reset 1"
done

# ---- pages ----

# inject_io [-]WHAT [ACT...]: on a device of no pages, but for what the acts store
inject_io() {
	io=$1 expected=
	shift
	[ "${io#-}" = "$io" ] || expected=-
	inject "${io#-}${1:+, after $*}" sites/5 "set $Z/disksize 16M" "new /dev/zram0" "$@" : \
		"${expected}io ${io#-} /dev/zram0" : "settle /dev/zram0" "set $Z/reset 1"
}
written="io write /dev/zram0"
inject_io write
inject_io write "$written"
inject_io -write "set $Z/mem_limit 64K"
inject_io write-odd
inject_io write-odd "$written"
inject_io write-cached
inject_io zero "$written"
inject_io discard "$written"
inject_io read "$written"
inject_io read-odd "$written"
inject "recomp_algorithm" sites : "set $Z/recomp_algorithm algo=zstd" : "set $Z/reset 1"
inject "disksize with two algorithms" sites/7 "set $Z/recomp_algorithm algo=zstd" : \
	"set $Z/disksize 16M" : "set $Z/reset 1"
inject "recompress" sites/5 "set $Z/recomp_algorithm algo=zstd" "set $Z/disksize 16M" \
	"new /dev/zram0" "$written" : "set $Z/recompress priority=1" : "settle /dev/zram0" \
	"set $Z/reset 1"
# A disk of 16 MiB below, and pages on it
modules_load disks
truncate -s 16M /tmp/backing
losetup /dev/loop0 /tmp/backing
inject "backing_dev" sites : "set $Z/backing_dev /dev/loop0" : "set $Z/reset 1"
backed="set $Z/writeback page_indexes=0-4095"
for compressed in 0 1; do
	# inject_backed WHAT ACT...: with pages that are written
	inject_backed() {
		what=$1
		shift
		inject "$what, compressed: $compressed" sites/5 \
			"set $Z/compressed_writeback $compressed" "set $Z/backing_dev /dev/loop0" \
			"set $Z/disksize 16M" "new /dev/zram0" "$written" "$@" : \
			"settle /dev/zram0" "set $Z/reset 1"
	}
	inject_backed "writeback" : "$backed"
	for io in read read-odd write write-odd zero; do
		inject_backed "$io of pages on the backing device" "$backed" : "io $io /dev/zram0"
	done
done
echo 0 >$Z/compressed_writeback
losetup -d /dev/loop0
rm /tmp/backing
inject "compact" sites "set $Z/disksize 16M" "new /dev/zram0" "$written" \
	"io write-odd /dev/zram0" : "set $Z/compact 1" : "settle /dev/zram0" "set $Z/reset 1"
inject "reset" sites "set $Z/disksize 16M" "new /dev/zram0" "$written" : "set $Z/reset 1" :

# ---- swap ----

# inject_swap WHAT ACT...: with memory that is there to be swapped out
inject_swap() {
	what=$1
	shift
	inject "$what" sites$step "set $Z/disksize 16M" "swapon /dev/zram0 16777216" fill "$@" \
		"swapoff /dev/zram0" "set $Z/reset 1"
}
step=
inject_swap "swap-out" : pageout : check unmap
inject_swap "swap-in" pageout : check : unmap
inject_swap "unmap of what is swapped out" pageout : unmap :
inject "swapoff" sites "set $Z/disksize 16M" "swapon /dev/zram0 16777216" fill pageout : \
	"swapoff /dev/zram0" : check unmap "set $Z/reset 1"
inject "reset with frees pending" sites "set $Z/disksize 16M" \
	"swapon /dev/zram0 16777216" fill pageout unmap "swapoff /dev/zram0" : \
	"set $Z/reset 1" :

# ---- zswap ----

check "zswap is on, with a pool of another's" eval \
	"echo zbud >$ZSWAP/zpool && echo 1 >$ZSWAP/enabled"
# Once, and for all pools; all that devices have not taken is too little.
inject "set zswap's pool without per-CPU memory" percpu : add "set_zpool $ZSWAP/zpool lethe" : \
	remove
# A pool that is no longer used goes after a while, and until then it is taken again.
inject "set zswap's pool" sites/5 : "set_zpool $ZSWAP/zpool lethe" : "set $ZSWAP/zpool zbud" \
	"users lethe 1"
echo lethe >$ZSWAP/zpool
step=/5
inject_swap "swap-out to zswap" : pageout : check unmap
inject_swap "swap-in from zswap" pageout : check : unmap
inject_swap "unmap of what is in zswap" pageout : unmap :
echo zbud >$ZSWAP/zpool
echo 0 >$ZSWAP/enabled
check "zswap lets go of our pools" within 10 no_zswap_pools

swap_start 64M
vmtest inject /sites $report some 20
vmtest storm 5 5 3 4 &
storm=$!
while kill -0 $storm 2>/dev/null; do
	echo 1 >$Z/compact
done
check "a storm of exits, of five allocations one failing" wait $storm
vmtest inject /sites $report some 0
check "all is drained after it" within 20 nothing_pending
say "of $(deferred queued) frees, $(deferred flushed_nomem) in $(deferred flushes_nomem) flushes"
compare "some swap-out failed" "$(awk '{ print $2 }' $Z/io_stat)" -gt 0
same "no free was invalid" "$(deferred invalid)" 0
check "the device is as good as before" held_start 8 3
check "with all its content" held check
held_end
swapoff /dev/zram0
blkdiscard /dev/zram0
same "no object is left that no page has" "$(orphans)" 0

# Pages, which kmemleak does not know, that the modules have asked for and that are
# not the slab's, or page tables', or of the kernel's own debugging. Sets OWNED, of
# which there is an account, and OURS. A read gives one page, if there is room for what
# is said of it: more than awk asks for.
pages_of_modules() {
	cat /sys/kernel/debug/page_owner | awk 'BEGIN { RS = "" }
		/^Page allocated/ { owned++ }
		/\[(lethe|zram)\]/ && !/allocate_slab|___slab_alloc|p[tmu][ed]_alloc|depot|kasan_/ {
			ours++
			if (ours < 5)
				print >"/dev/console"
		}
		END { print owned + 0, ours + 0 }' >/tmp/pages
	read -r OWNED OURS </tmp/pages
}
dd if=/corpus of=/dev/zram0 bs=1M count=1 oflag=direct 2>/dev/null
pages_of_modules
compare "the kernel knows who asked for pages" "$OWNED" -gt 5000
compare "some are the modules'" "$OURS" -gt 50
check "reset" eval 'echo 1 >$Z/reset'
pages_of_modules
same "and none of an empty device" "$OURS" 0

# ---- nothing is left, and no place was forgotten ----

# What is younger than five seconds may still be on its way somewhere.
# The name of a slab that sysfs has no memory for is the kernel's to lose: bioset_init().
no_leak() {
	echo scan >$leaks || return 1
	sleep 6
	echo scan >$leaks
	awk '/^unreferenced/ { if (!theirs) printf "%s", text; text = ""; theirs = 0 }
		{ text = text $0 "\n" }
		/ sysfs_slab_add\+/ { theirs = 1 }
		END { if (!theirs) printf "%s", text }' $leaks >/tmp/leaks
	cat /tmp/leaks
	[ ! -s /tmp/leaks ]
}
check "nothing has leaked that the modules know of" no_leak
check "unload" zram_unload
cat /proc/sys/vm/stat_refresh
same "no page has" "$(awk '/^nr_zspages/ { print $2 }' /proc/vmstat)" 0
check "nor anything else" no_leak

# Calls that allocate nothing, and why
never="
lethe_reclaim_init shrinker_register, but for CONFIG_SHRINKER_DEBUG
zram_device_setup set_capacity_and_notify, of a size that was nothing before
device_clear set_capacity_and_notify, of a size that is nothing now
port_meta_alloc __kmalloc_noprof, again: from Linux 6.11 on it is aligned at once
"
never() {
	echo "$never" | grep -q "^$1 $2, " && [ "$3" = 0 ]
}

while read -r module _ _ function offset callee; do
	site="$module $function+$offset"
	failed=$(awk -v site="$site" '$1 " " $2 == site { n += $3 } END { print n + 0 }' $report)
	if [ "$failed" -gt 0 ]; then
		ok "$callee in $function has failed $failed times"
	else
		check "$callee in $function has failed, or allocates nothing" \
			never "$function" "$callee" "$failed"
	fi
done </sites
