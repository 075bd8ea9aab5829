# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Many devices: 32 are added, each with its own algorithm and content, written all at once,
# verified, and removed, with content and without. True of the kernel's own zram as well.

control=/sys/class/zram-control
many=32
last=$((many - 1))

# Each has pages of the corpus that no other has.
step=$(($(wc -c </corpus) / many / PAGE))
written() {
	dd if=/corpus of=/dev/zram"$1" bs=$PAGE skip=$(($1 * step)) count=$step oflag=direct 2>/dev/null
}
holds() {
	dd if=/corpus bs=$PAGE skip=$(($1 * step)) count=$step 2>/dev/null >/tmp/wanted
	dd if=/dev/zram"$1" bs=$PAGE count=$step iflag=direct 2>/dev/null | cmp - /tmp/wanted
}
# those that do not hold what they should, of FIRST, FIRST + BY...
wrong() {
	for id in $(seq "$1" "$2" $last); do
		holds "$id" || echo "$id"
	done
}
devices() {
	find /sys/block -name 'zram*' | wc -l
}

zram_load num_devices=0
same "no device at first" "$(devices)" 0
compare "there is content for each" $step -ge 10
wanted='' got=''
for id in $(seq 0 $last); do
	wanted="$wanted $id"
	got="$got $(cat $control/hot_add)"
done
same "$many are added, by number" "$got" "$wanted"
same "and there" "$(devices)" $many

# shellcheck disable=SC2046 # words
set -- $(tr -d '[]' </sys/block/zram0/comp_algorithm)
failed=
for id in $(seq 0 $last); do
	echo "$1" >/sys/block/zram$id/comp_algorithm
	[ "$(vmtest attr /sys/block/zram$id/disksize 1M)" = ok ] || failed="$failed $id"
	algorithm=$1
	shift
	set -- "$@" "$algorithm"
done
same "each has a size" "$failed" ""
same "and node" "$(find /dev -name 'zram*' -type b | wc -l)" $many

# At once: I/O of every shape, against a model each
ios=
for id in $(seq 0 $last); do
	vmtest bio /dev/zram$id "$id" 60 4096 &
	ios="$ios $!"
done
failed=
for io in $ios; do
	wait "$io" || failed="$failed $io"
done
same "all at once: what is read is what was written" "$failed" ""

for id in $(seq 0 $last); do
	blkdiscard /dev/zram$id
	written "$id"
done
same "each has its own content" "$(wrong 0 1)" ""
orig=
for id in $(seq 0 $last); do
	orig="$orig $(($(mm_stat zram$id orig) / PAGE))"
done
same "and says so" "$(printf '%s\n' $orig | sort -u)" $step

# Every other one goes, with its content, and comes back, empty.
failed=
for id in $(seq 1 2 $last); do
	[ "$(vmtest attr $control/hot_remove "$id")" = ok ] || failed="$failed $id"
done
same "half of them are removed" "$failed $(devices)" " $((many / 2))"
same "the others have their content" "$(wrong 0 2)" ""
got='' wanted='' failed=
for id in $(seq 1 2 $last); do
	got="$got $(cat $control/hot_add)"
	wanted="$wanted $id"
	[ "$(cat /sys/block/zram"$id"/disksize)" = 0 ] || failed="$failed $id"
done
same "as many are added, by the numbers that are free" "$got" "$wanted"
same "of no size" "$failed" ""
for id in $(seq 1 2 $last); do
	echo 1M >/sys/block/zram"$id"/disksize
	written "$id"
done
same "all have their own content" "$(wrong 0 1)" ""
[ "$IMPL" != lethe ] || same "a pool each" "$(find /sys/kernel/debug/lethe -name 'zram*' | wc -l)" $many

exec 9</dev/zram5
same "one that is open is not removed" "$(vmtest attr $control/hot_remove 5)" EBUSY
exec 9<&-
failed=
for id in $(seq 0 $last); do
	[ "$(vmtest attr $control/hot_remove "$id")" = ok ] || failed="$failed $id"
done
same "all are removed" "$failed $(devices)" " 0"
same "one that there is not" "$(vmtest attr $control/hot_remove 7)" ENODEV
[ "$IMPL" != lethe ] || same "no pool is left" "$(find /sys/kernel/debug/lethe -name 'zram*' | wc -l)" 0
same "no node" "$(find /dev -name 'zram*' | wc -l)" 0
for _ in $(seq 0 $last); do
	cat $control/hot_add
done >/dev/null
check "unload with $many" zram_unload
