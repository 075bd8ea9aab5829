# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# zswap with a pool of ours (zpool driver "lethe"), before a real disk: memory of known
# content under pressure, with writeback and, where there is one, zswap's shrinker;
# processes that are killed; and zswap lets go of the pool again.

total=$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)

check "the disk's modules" modules_load disk
check "our module" zram_needs
check "zswap is told to use our pools" eval "echo lethe >$ZSWAP/zpool"
[ ! -e $ZSWAP/shrinker_enabled ] || echo Y >$ZSWAP/shrinker_enabled
check "zswap is on" eval "echo 1 >$ZSWAP/enabled"
same "with our pools" "$(cat $ZSWAP/zpool)" lethe
check "there is one" test -d /sys/kernel/debug/lethe/zswap*
mkswap /dev/vda >/dev/null
check "swapon of a disk" swapon /dev/vda

# ---- under pressure ----

echo 40 >$ZSWAP/max_pool_percent
check "$((total * 12 / 10)) MiB of content in $total MiB of memory, of four processes" \
	vmtest fill $((total * 12 / 10)) 51 4
compare "went through zswap" "$(vmstat zswpout)" -gt 5000
compare "and came back" "$(vmstat zswpin)" -gt 500
compare "frees were deferred" "$(pool_stat deferred_free queued)" -gt 1000

# ---- to the disk ----

echo 4 >$ZSWAP/max_pool_percent
written=$(counter written_back_pages)
check "content of four processes through a pool of 4 %" vmtest fill $((total * 12 / 10)) 61 4
# Until 6.4 zswap asks for one page at a time.
compare "was written back" $(($(counter written_back_pages) - written)) -gt 10
echo 40 >$ZSWAP/max_pool_percent

# ---- killed, with the drain threads held back, so that frees are pending for certain ----

vmtest fill $((total * 12 / 10)) 81 4 >/dev/null 2>&1 &
much_stored() {
	[ "$(counter stored_pages)" -gt 3000 ]
}
many_pending() {
	[ "$(pool_stat deferred_free pending)" -gt 1000 ]
}
check "much is stored" within 20 much_stored
fillers=$(pidof vmtest)
hold_worker 25
# shellcheck disable=SC2086 # a list of numbers
kill -9 $fillers
check "frees of killed processes are pending" within 5 many_pending
release_worker
check "all of them are drained" within 5 no_frees_pending

# ---- all of it, with memory being compacted ----

moved=$(pool_stat stats pages_moved)
check "processes that swap, end and are killed" \
	beside reclaim_goes_on vmtest storm 15 7 6 $((total / 4))
compare "the pool's pages were moved meanwhile" $(($(pool_stat stats pages_moved) - moved)) -gt 10
say "$(cd $ZSWAP_COUNTERS && grep -s . ./*)"

# ---- and away again ----

check "swapoff" swapoff /dev/vda
check "nothing is stored" within 5 nothing_stored
check "nothing is pending" within 5 no_frees_pending
same "no object is left" "$(pool_stat stats objects)" 0
same "no free was invalid" "$(pool_stat deferred_free invalid)" 0
check "zswap is told to use other pools" eval "echo zbud >$ZSWAP/zpool"
echo 0 >$ZSWAP/enabled
# zswap of 6.1 never lets go of a pool of which stores found the limit reached: each takes
# a reference for the shrinker, which drops one.
case $(uname -r) in
6.[1-6].*) ;;
*)
	check "ours go" within 5 no_zswap_pools
	check "and the module" within 5 rmmod lethe
	;;
esac
