# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# zswap before a real disk: memory of known content under pressure, with its shrinker and
# its writeback, within limits of a group, and processes that are killed.

total=$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)

echo lz4 >$ZSWAP/compressor
[ ! -e $ZSWAP/zpool ] || echo zsmalloc >$ZSWAP/zpool
echo Y >$ZSWAP/shrinker_enabled
check "zswap is on" eval "echo 1 >$ZSWAP/enabled"
same "with lz4" "$(cat $ZSWAP/compressor)" lz4
mkswap /dev/vda >/dev/null
check "swapon of a disk" swapon /dev/vda

# ---- under pressure ----

check "$((total * 12 / 10)) MiB of content in $total MiB of memory, of four processes" \
	vmtest fill $((total * 12 / 10)) 51 4
compare "went through zswap" "$(vmstat zswpout)" -gt 10000
compare "and came back" "$(vmstat zswpin)" -gt 1000
case $IMPL in
tree) check "to Lethe's pool" eval "ls -d /sys/kernel/debug/lethe/zswap*" ;;
plain) check "to zsmalloc's pool" test ! -e /sys/kernel/debug/lethe ;;
esac
echo "zswap: $(cd $ZSWAP_COUNTERS && grep -s . ./*)"

# ---- to the disk ----

echo 4 >$ZSWAP/max_pool_percent
written=$(vmstat zswpwb)
check "content of four processes through a pool of 4 %" vmtest fill $((total * 12 / 10)) 61 4
compare "was written back" $(($(vmstat zswpwb) - written)) -gt 500
echo 40 >$ZSWAP/max_pool_percent

# ---- a group with a limit ----

group=/tmp/cgroup/limited
mkdir -p /tmp/cgroup
check "groups" mount -t cgroup2 none /tmp/cgroup
echo +memory >/tmp/cgroup/cgroup.subtree_control
mkdir $group
echo $((24 << 20)) >$group/memory.max
echo $((6 << 20)) >$group/memory.zswap.max
# in_group COMMAND...
in_group() {
	sh -c 'echo $$ >'$group'/cgroup.procs && exec "$@"' sh "$@"
}
swapped=$(vmstat pswpout)
in_group vmtest fill 48 71 2 &
filler=$!
most=0
while kill -0 $filler 2>/dev/null; do
	now=$(cat $group/memory.zswap.current)
	[ "$now" -le $most ] || most=$now
	usleep 10000
done
check "48 MiB of content in a group of 24 MiB, 6 of them in zswap" wait $filler
compare "the group's pages went to zswap" "$(awk '$1 == "zswpout" { print $2 }' $group/memory.stat)" -gt 1000
compare "up to the limit of what it may hold there" $most -gt $((4 << 20))
# What CPUs have charged, and not counted yet
compare "it held no more than that" $most -le $((7 << 20))
compare "and others went to the disk" $(($(vmstat pswpout) - swapped)) -gt 1000
empty() {
	[ "$(cat $group/memory.zswap.current)" = 0 ]
}
check "all of it was given back" within 5 empty

# ---- killed ----

check "memory is swapped out" held_start 24 81
stored=$(counter stored_pages)
check "it has its content" held check
check "it is swapped out again" held pageout
compare "it is in zswap" "$(counter stored_pages)" -gt 1000
held_kill
gone() {
	[ "$(counter stored_pages)" -lt $((stored / 4)) ]
}
check "the pages of a killed process are forgotten" within 5 gone
if [ "$IMPL" = tree ]; then
	check "frees are drained" within 5 no_frees_pending
	same "no free was invalid" "$(pool_stat deferred_free invalid)" 0
	# With the drain threads held back, so that frees are pending for certain
	hold_worker 25
	held_start 24 91
	queued=$(pool_stat deferred_free queued)
	held_kill
	compare "frees of a killed process are pending" "$(pool_stat deferred_free pending)" -gt 3000
	compare "they were deferred" $(($(pool_stat deferred_free queued) - queued)) -gt 3000
	check "new memory goes the same way" held_start 16 92
	check "and has its content" held check
	held_kill
	release_worker
	check "all of them are drained" within 5 no_frees_pending
	same "no free was invalid after that" "$(pool_stat deferred_free invalid)" 0

	# A pool that zswap gives up goes with its last page, and with what is pending.
	pools() {
		[ "$(find /sys/kernel/debug/lethe/ -maxdepth 1 -name 'zswap*' | wc -l)" = "$1" ]
	}
	check "zswap has one pool" within 5 pools 1
	hold_worker 25
	held_start 24 93
	echo zstd >$ZSWAP/compressor
	check "with another compressor, two" pools 2
	held_kill
	# Unless those were its last pages: then it is gone with them at once.
	check "frees are pending in the first" \
		eval '[ "$(pool_stat deferred_free pending)" -gt 3000 ] || pools 1'
	check "swapoff of all" swapoff /dev/vda
	release_worker
	check "the first is gone with them" within 5 pools 1
	same "none is pending" "$(pool_stat deferred_free pending)" 0
	check "swapon again" swapon /dev/vda
fi

# ---- reclaim beside all that ----

check "processes that swap, end and are killed" \
	beside reclaim_goes_on vmtest storm 15 7 6 $((total / 4))
check "swapoff" swapoff /dev/vda
check "nothing is stored" within 5 nothing_stored
if [ "$IMPL" = tree ]; then
	check "nothing is pending" within 5 no_frees_pending
	same "no object is left" "$(pool_stat stats objects)" 0
	same "no free was invalid at the end" "$(pool_stat deferred_free invalid)" 0
fi
rmdir $group && umount /tmp/cgroup
echo 0 >$ZSWAP/enabled
