# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# The kernel moves the pages of a pool out of an area that is wanted in one piece (CMA).
# run.sh gives the guest such an area, cma=, if this suite is named. Of the kernels of
# tests/tree, "module" knows CMA.

AREA=$(echo /sys/kernel/debug/cma/*)
COUNT=$(cat "$AREA/count")

free_in_area() {
	vmstat nr_free_cma
}
# All of the area; what others have pinned just now is free again soon.
take_area() {
	echo "$COUNT" >"$AREA/alloc" 2>/dev/null
}
moved() {
	stat_of pages_moved
}

check "there is an area" test "$COUNT" -gt 0
zram_load
echo lz4 >$Z/comp_algorithm
echo 256M >$Z/disksize

# ---- pages of the pool all over the area ----

# Between those of files, which then go, so that there is room to move to.
mkdir /tmp/files
i=0
while [ $i -lt 60 ] && [ "$(free_in_area)" -gt $((COUNT / 8)) ]; do
	dd if=/corpus of=/dev/zram0 bs=1M count=2 skip=$((i % 3 * 2)) seek=$((i * 2)) oflag=direct 2>/dev/null &&
		dd if=/dev/zero of=/tmp/files/$i bs=1M count=1 2>/dev/null || break
	i=$((i + 1))
done
compare "the area is full" "$(free_in_area)" -le $((COUNT / 8))
rm -r /tmp/files
held=$((COUNT - $(free_in_area)))
compare "and much of it is not of the files" $held -gt $((COUNT / 8))
sum=$(md5sum </dev/zram0)
before=$(moved)
check "all of it can be had" within 10 take_area
same "it is one piece" "$(cat "$AREA/used")" "$COUNT"
compare "pages of the pool were moved" $(($(moved) - before)) -gt $((held / 2))
same "the content is the same" "$(md5sum </dev/zram0)" "$sum"
echo "$COUNT" >"$AREA/free"
same "the area is given back" "$(cat "$AREA/used")" 0
same "the content is the same after that" "$(md5sum </dev/zram0)" "$sum"
check "reset" eval "echo 1 >$Z/reset"

# ---- beside everything else ----

total=$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)
check "a device is swap" swap_start $((total * 3 / 2))M
rm -f /tmp/taken
takes_and_gives_back() {
	while :; do
		if take_area; then
			echo once >>/tmp/taken
			echo "$COUNT" >"$AREA/free"
		fi
		usleep 100000
	done
}
check "processes swap, end and are killed while the area is taken and given back" \
	beside takes_and_gives_back vmtest storm 15 11 6 $((total / 5))
compare "it was taken" "$(wc -l </tmp/taken)" -gt 0
check "all is drained" within 5 nothing_pending
same "no free was invalid" "$(deferred invalid)" 0
check "stop" swap_stop
check "unload" zram_unload
