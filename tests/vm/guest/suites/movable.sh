# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# The kernel moves the pages of a pool: when it compacts memory, and when memory goes
# offline. The guest has a module of memory for that, which is offline at first
# (boot.sh -p). Since 6.17 the pages of a module of the kernel's stay where they are
# (kernel/compat.h); in the kernel's own tree they move.

case $IMPL-$(uname -r) in
tree-* | lethe-6.?.* | lethe-6.1[0-6].*) moves=yes ;;
*) moves=no ;;
esac
total=$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)

# Pages of all pools in memory that is to go offline
in_module() {
	awk '$1 == "Node" { movable = $4 == "Movable" }
		movable && $1 == "nr_zspages" { n += $2 }
		END { print n + 0 }' /proc/zoneinfo
}
nothing_left() {
	nothing_pending && [ "$(orphans)" = 0 ]
}
# The kernel tries until it is told to stop: other users of the memory are busy, too.
module_goes_offline() {
	timeout $((30 * ${SLOW:-1})) sh -c "echo offline >$module/state"
}

zram_load
echo lz4 >$Z/comp_algorithm
check "a device is swap" swap_start $((total * 3 / 2))M

# ---- compaction, beside everything else ----

compacts() {
	while :; do
		echo 1 >/proc/sys/vm/compact_memory
		echo 1 >$Z/compact
		usleep 50000
	done
}
check "processes swap, end and are killed while memory is compacted" \
	beside compacts vmtest storm 15 11 6 $((total / 4))
if [ $moves = yes ]; then
	compare "pages were moved" "$(stat_of pages_moved)" -gt 50
else
	same "this kernel moves no pages of a module" "$(stat_of pages_moved)" 0
fi
check "all is drained" within 5 nothing_left
same "no free was invalid" "$(deferred invalid)" 0

# ---- memory goes offline ----

module=$(grep -l '^offline' /sys/devices/system/memory/memory*/state | head -n 1)
module=${module%/state}
if [ $moves = yes ]; then
	check "there is a module of memory" test -n "$module"
	check "it comes online" eval "echo online_movable >$module/state"
	check "memory is swapped out" held_start $((total / 2)) 21
	compare "objects are in the module" "$(in_module)" -gt 500
	before=$(stat_of pages_moved) pages=$(in_module)
	check "the module goes offline" module_goes_offline
	compare "its pages were moved" $(($(stat_of pages_moved) - before)) -ge $((pages / 2))
	same "none is left there" "$(in_module)" 0
	check "all of the content is there" held check
	held_end

	# Readers, writers and frees beside it: what cannot be moved now is tried again.
	rm -f /tmp/offline
	comes_and_goes() {
		while :; do
			echo online_movable >$module/state
			usleep 700000
			module_goes_offline && echo once >>/tmp/offline
		done
	}
	check "processes swap, end and are killed while memory comes and goes" \
		beside comes_and_goes vmtest storm 20 31 6 $((total / 5))
	compare "it went offline" "$(wc -l </tmp/offline)" -gt 0
fi
check "the device is no swap any more" swapoff /dev/zram0
check "all is drained again" within 5 nothing_left
same "no free was invalid at the end" "$(deferred invalid)" 0
check "reset" eval "echo 1 >$Z/reset"
check "unload" zram_unload
