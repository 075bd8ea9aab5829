# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# "lethe try": it measures, leaves the machine as it was however it ends, and says why
# where it cannot be done.

# In MiB: of two thousand pages, as the kernel's own caches of swap slots keep up to 64 a
# CPU.
size=8
[ "$PAGE" = 4096 ] || size=32

# machine: devices, swap but for how much of it is used, and what new devices get
machine() {
	echo /dev/zram* /sys/block/zram*
	awk '{ print $1, $3, $5 }' /proc/swaps
	cat /sys/module/zram/parameters/policy 2>/dev/null
}

# try_says CODE PATTERN [OPTION]...: it ends with that, and one sentence
try_says() {
	code=$1
	pattern=$2
	shift 2
	lethe try "$@" >/tmp/out 2>/tmp/said
	same "try $*: exit code" $? "$code"
	check "try $*: says '$pattern'" grep -q -E "^lethe: .*$pattern" /tmp/said
	same "try $*: in one sentence" "$(wc -l </tmp/said)" 1
}

# column ROW COLUMN: of the table
column() {
	awk -v row="$1" -v column="$2" '$1 == row && NF == 4 { print $column }' /tmp/out
}

# A number of the table that is more than 0
number() {
	check "$1 $2: a figure" eval "[ $(column "$1" "$2" | tr -d .) -gt 0 ]"
}

measured() {
	machine >/tmp/before
	lethe try --size $size --rounds 1 "$@" >/tmp/out 2>/tmp/said
	same "it measures: exit code" $? 0
	same "it has nothing to complain of" "$(cat /tmp/said)" ""
	machine >/tmp/after
	check "all is as it was" cmp /tmp/before /tmp/after
	check "pages of real files" grep -q -E '^stored +[0-9]+[.][0-9] MiB of /corpus in ' /tmp/out
	compare "as many as that" "$(awk '$1 == "stored" { print int($2) }' /tmp/out)" -ge $((size * 7 / 8))
}

try_says 1 "zram is not loaded: run 'modprobe zram' first"

zram_load
chmod 755 / # which is the directory that the initramfs was made of
echo 'nobody:x:65534:65534::/:/bin/sh' >/etc/passwd
su -s /bin/sh nobody -c 'lethe try' 2>/tmp/said
check "not without root" grep -q "needs root" /tmp/said

# ---- what the machine has already stays ----

measured --input /corpus
echo 32M >$Z/disksize
mkswap /dev/zram0 >/dev/null
check "there is swap of high priority" vmtest swapon /dev/zram0 100
held_start 4 1
stored=$(mm_stat zram0 orig)
measured --input /corpus --codec zstd
same "our device keeps its pages" "$(mm_stat zram0 orig)" "$stored"
check "and their content" held check

case $IMPL in
lethe)
	check "it says whose zram it is" grep -q "^zram      Lethe's, version [0-9.]*$" /tmp/out
	for row in sync default ratio; do
		for column in 2 3 4; do
			number $row $column
		done
	done
	check "no advice" eval '! grep -q "To compare" /tmp/out'
	;;
intree)
	check "it says whose zram it is" grep -q "^zram      the kernel's own$" /tmp/out
	for column in 2 3 4; do
		number - $column
	done
	check "it says how to compare" grep -q "To compare: load Lethe's zram" /tmp/out
	;;
esac

# ---- refusals ----

machine >/tmp/before

try_says 1 "not enough memory: [0-9]+ MiB are needed" --size 1000
try_says 1 "zram1 takes no comp_algorithm 'lz5': Invalid argument" --size 4 --codec lz5 \
	--input /corpus
try_says 1 "'/nowhere': No such file" --size 4 --input /nowhere
machine >/tmp/after
check "all is as it was after errors" cmp /tmp/before /tmp/after
swapoff /dev/zram0
vmtest swapon /dev/zram0 32767
try_says 1 "swap of the highest priority there is, 32767, is in use" --size 4 --input /corpus
swapoff /dev/zram0
swapon /dev/zram0
mv /bin/mkswap /bin/mkswap.away
mkdir -p /usr/bin
try_says 1 "mkswap cannot be run: No such file" --size 4 --input /corpus
mv /bin/mkswap.away /bin/mkswap

# ---- interrupted, at any time, and more than once ----

machine >/tmp/before
for ms in 50 200 500 900 1500 2500; do
	lethe try --size $((size / 2)) --rounds 1000 --input /corpus >/tmp/out 2>/tmp/said &
	pid=$!
	usleep $((ms * 1000))
	kill -TERM $pid
	usleep 1000
	kill -TERM $pid 2>/dev/null
	wait $pid
	same "after $ms ms: it ends by the signal" $? 143
	# Nothing, if it had not begun
	same "after $ms ms: it says no more than that" "$(grep -vx 'lethe: interrupted' /tmp/said)" ""
	machine >/tmp/after
	check "after $ms ms: all is as it was" cmp /tmp/before /tmp/after
	check "after $ms ms: no process stays" eval '! pidof lethe >/dev/null'
done

held_kill

# ---- pages of other processes that come to the device ----

swapoff /dev/zram0
machine >/tmp/before
lethe try --size $size --rounds 2 --input /corpus >/tmp/out 2>/tmp/said &
pid=$!
wrong=0 turns=0
while kill -0 $pid 2>/dev/null; do
	# Without any swap it says so, and ends.
	held_start 2 9 2>/dev/null || continue
	turns=$((turns + 1))
	held check || wrong=$((wrong + 1))
	held_kill
done
wait $pid
compare "others swapped meanwhile" $turns -gt 0
same "others have their content" $wrong 0
machine >/tmp/after
check "all is as it was beside others" cmp /tmp/before /tmp/after

echo 1 >$Z/reset
check "unload" zram_unload
