# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Pending frees make way when memory is short, and each cause is counted.

zram_load
swap_start 128M

# Some 4096 pages: the kernel's reclaim leaves less than a batch, 256 handles.
mib=$((16 * PAGE / 4096))

# yields CAUSE PERCENT WHO COMMAND...: the command frees so much of what is pending
yields() {
	cause=$1 percent=$2 who=$3
	shift 3
	# A drain for the shrinker or compaction cannot free what a drain thread has taken
	# before it was held back.
	within 5 nothing_pending
	check "frees are pending before $who" make_pending $mib "$((seed = seed + 1))"
	before=$(deferred "flushed_$cause")
	"$@"
	compare "$who frees them" $(($(deferred "flushed_$cause") - before)) \
		-ge $((PENDING * percent / 100))
	compare "$who leaves few" "$(deferred pending)" -lt $((PENDING * (105 - percent) / 100))
	compare "$who is counted" "$(deferred "flushes_$cause")" -gt 0
	release_worker
}
seed=100

drop_caches() {
	echo 2 >/proc/sys/vm/drop_caches
}
# The kernels of tests/debug and of tests/tree have no such trace.
trace=/sys/kernel/tracing
traced=
if mount -t tracefs tracefs $trace 2>/dev/null; then
	traced=$trace/events/vmscan/mm_shrink_slab_end/enable
	echo 1 >$traced
fi
yields shrinker 90 "the shrinker" drop_caches
if [ -n "$traced" ]; then
	echo 0 >$traced
	most=$(sed -n 's/.*pending_scan.* return val \([0-9]*\).*/\1/p' $trace/trace | sort -n | tail -n 1)
	compare "a reclaimer frees some of them in a call" "${most:-0}" -gt 0
	compare "and does not become the drain thread" "${most:-0}" -lt 1400
fi

compact() {
	echo 1 >$Z/compact
}
yields compact 90 "compaction" compact

# The limit leaves no room but what is pending.
write_within_limit() {
	echo "$(mm_stat zram0 used)" >$Z/mem_limit
	check "a write at the limit succeeds" held_start $((mib / 2)) 200
}
stalls() {
	awk 'NR == 2 { print $1 }' $Z/debug_stat
}
before_limit=$(stalls)
# As much as is written, half of what is pending, and no more than that takes.
yields limit 30 "a write at mem_limit" write_within_limit
# The kernel's own zram goes on with what it holds.
[ "$IMPL" = tree ] || compare "it drained with no stream held" "$(stalls)" -gt "$before_limit"
check "what was written has the right content" held check
held_kill
echo 0 >$Z/mem_limit
same "no write was refused" "$(awk '{ print $2 }' $Z/io_stat)" 0

# The kernel is asked to kill a process; it asks for memory first.
oom_request() {
	oom_kill
	same "the victim was killed" $? 137
}
yields oom 90 "the OOM killer" oom_request

# A real one: more memory wanted than there is, and little swap, with frees pending
# and the drain threads held back. Another process has pages in swap, too.
swap_stop
swap_start 32M
echo 1 >/proc/sys/vm/overcommit_memory
mkfifo /tmp/other.in /tmp/other.out
vmtest held 4 400 </tmp/other.in >/tmp/other.out &
other=$!
exec 3>/tmp/other.in 4</tmp/other.out
read -r _ <&4
check "frees are pending before memory runs out" make_pending 16 401
requests=$(deferred flushes_oom)
much=$(awk '/^MemTotal/ { print int($2 / 1024) * 2 + 80 }' /proc/meminfo)
check "a process that wants too much is stopped" eval "! vmtest fill $much 300"
check "by being killed" eval "dmesg | grep -q 'Killed process.*rss:[0-9]\{5,\}kB'"
compare "pending frees were asked for first" "$(deferred flushes_oom)" -gt "$requests"
freed=$(awk '/^(flushed_|producer_drained)/ { n += $2 } END { print n }' \
	/sys/kernel/debug/lethe/zram0/deferred_free)
compare "all of them were given back, with the drain threads held" "$freed" -ge "$PENDING"
release_worker
check "those of the killed process are freed soon" within 5 nothing_pending
# It was full; what is left are files of this guest, which are in memory.
compare "and much of the swap is empty again" "$(mm_stat zram0 orig)" -lt 25165824
echo check >&3
read -r answer <&4
same "the other's pages have their content" "$answer" "done"
exec 3>&- 4<&-
wait $other
# Pages of this guest's programs are still coming back from swap.
nothing_orphaned() {
	[ "$(orphans)" = 0 ]
}
check "nothing was freed twice, all was freed" within 5 nothing_orphaned

same "no free was invalid" "$(deferred invalid)" 0
check "reset" swap_stop
check "unload" zram_unload
