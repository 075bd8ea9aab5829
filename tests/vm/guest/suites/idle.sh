# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Idle pages, by mark and by age, and what block_state says of each page. True of the
# kernel's own zram as well; only it notes when pages are accessed from the beginning.

state=/sys/kernel/debug/zram/zram0/block_state
# marked: how many pages are idle
marked() {
	awk '$3 ~ /i/ { n++ } END { print n + 0 }' $state
}
case $KVER in
6.1.*) rest= ;;
*) rest=.. ;;
esac

# The one of 6.1 marks a same-filled page, which nothing comes of, and leaves the mark of
# a page that is younger than what is asked for.
fills=0
case $IMPL-$KVER in
intree-6.1.*) fills=1 ;;
esac

zram_load
same "mode of idle" "$(stat -c %a $Z/idle)" 200
for value in all 0 1 junk; do
	same "idle '$value' without a size" "$(attr idle $value)" EINVAL
done
same "block_state without a size" "$(vmtest attr $state)" EINVAL
echo lz4 >$Z/comp_algorithm
echo 16M >$Z/disksize
for value in junk -1 18446744073709551616 "1 2"; do
	same "idle '$value'" "$(attr idle "$value")" EINVAL
done
case $KVER in
6.*) same "idle of three thousand years" "$(attr idle 99999999999)" ok ;;
*) same "idle of three thousand years" "$(attr idle 99999999999)" EINVAL ;;
esac

# ---- what block_state says ----

same "no page is stored" "$(cat $state)" ""
# lines OPERAND...: have dd write pages that are neither same-filled nor incompressible,
# of which the corpus, some real files, has some or none
lines() {
	awk 'BEGIN { while (1) print "a line like the one before it, but for a number", n++ }' |
		dd of=/dev/zram0 iflag=fullblock oflag=direct "$@" 2>/dev/null
}
write_pages() {
	lines bs=$PAGE count=1
	yes | dd of=/dev/zram0 bs=$PAGE seek=1 count=1 iflag=fullblock oflag=direct 2>/dev/null
	dd if=/dev/urandom of=/dev/zram0 bs=$PAGE seek=2 count=2 oflag=direct 2>/dev/null
	lines bs=1M seek=1 count=2
}
read_page() {
	dd if=/dev/zram0 of=/dev/null bs=$PAGE skip="$1" count=1 iflag=direct 2>/dev/null
}
write_pages
same "each page that is stored has a line" "$(wc -l <$state)" $((4 + 2 * PER_MIB))
same "of a width" "$(head -n 1 $state | wc -c)" $((38 + ${#rest}))
same "the first is the first" "$(awk 'NR == 1 { print $1 }' $state)" 0
same "a page like any" "$(flags 0)" "....$rest"
same "a same-filled page" "$(flags 1)" "s...$rest"
same "an incompressible page" "$(flags 2)" "..h.$rest"
same "a page that is not there" "$(flags 4)" ""

# ---- marked ----

same "all" "$(attr idle all)" ok
same "a page is idle" "$(flags 0)" "...i$rest"
same "an incompressible one too" "$(flags 2)" "..hi$rest"
[ $fills = 1 ] || same "a same-filled one is not" "$(flags 1)" "s...$rest"
same "all but that one are" "$(marked)" $((3 + 2 * PER_MIB + fills))
read_page 0
same "one that is read is not any more" "$(flags 0)" "....$rest"
dd if=/dev/urandom of=/dev/zram0 bs=$PAGE seek=2 count=1 oflag=direct 2>/dev/null
same "nor one that is written" "$(flags 2)" "..h.$rest"
same "the others are" "$(marked)" $((1 + 2 * PER_MIB + fills))
blkdiscard -o 1048576 -l 1048576 /dev/zram0
same "discarded ones are not there" "$(marked)" $((1 + PER_MIB + fills))
# For the one of 7.3, a page that has just been accessed is not older than 0 s.
case $IMPL-$KVER in
intree-[7-9].*) sleep 2 ;;
esac
same "all, of any age" "$(attr idle 0)" ok
same "are idle again" "$(marked)" $((3 + PER_MIB + fills))

# ---- by age ----

same "age is noted" "$(attr idle 4000000000)" ok
write_pages
same "what has been written is not idle" "$(marked)" 0
sleep 4
read_page 0
read_page $((PER_MIB + 44))
same "pages that have not been accessed for 2 s" "$(attr idle 2)" ok
same "are all but those" "$(marked)" $((1 + 2 * PER_MIB + fills))
same "such as this" "$(flags 0)" "....$rest"
same "and this" "$(flags $((PER_MIB + 44)))" "....$rest"
sleep 1
# Longer than any page has been there
same "for nearly as long as the machine is up" "$(attr idle $(($(cut -d . -f 1 /proc/uptime) - 1)))" ok
[ $fills = 1 ] || same "are none, of those that were either" "$(marked)" 0
same "pages that have not been accessed for 2 s, again" "$(attr idle 2)" ok
compare "are some" "$(marked)" -gt $((2 * PER_MIB))
same "for an hour" "$(attr idle 3600)" ok
# The one of 7.3 takes a time before the machine was started for none: nothing changes.
case $IMPL-$KVER in
intree-6.1.* | intree-[7-9].*) ;;
*) same "are none of those" "$(marked)" 0 ;;
esac
check "each line says when a page was accessed" \
	eval 'awk -v now="$(cut -d . -f 1 /proc/uptime)" "\$2 < now - 60 || \$2 > now + 1 { bad++ }
		END { exit bad }" $state'

# Pages that are read all the while are never idle, however long a look at all of them
# takes: one is accessed after the look began, and before it is reached.
lines bs=1M count=4
: >/tmp/reading
(while [ -e /tmp/reading ]; do
	dd if=/dev/zram0 of=/dev/null bs=64k count=64 iflag=direct 2>/dev/null
done) &
reader=$!
old=$((2 * SLOW))
sleep $((old + 1))
wrong=0
for _ in $(seq 1 100); do
	echo $old >$Z/idle
	[ "$(marked)" = 0 ] || wrong=$((wrong + 1))
done
rm /tmp/reading
wait $reader
[ $fills = 1 ] || same "of pages that are read all the while, none is older than $old s" $wrong 0

# ---- recompressed ----

if [ "$IMPL" = lethe ]; then
	echo 1 >$Z/reset
	echo lz4 >$Z/comp_algorithm
	echo algo=zstd >$Z/recomp_algorithm
	echo 16M >$Z/disksize
	write_pages
	sum=$(md5sum </dev/zram0)
	# All has been read now.
	same "with nothing idle" "$(attr recompress type=idle)" ok
	same "nothing is recompressed" "$(awk '$3 ~ /r/' $state)" ""
	echo all >$Z/idle
	read_page $((PER_MIB + 44))
	compr=$(mm_stat zram0 compr)
	huge=$(mm_stat zram0 huge)
	same "incompressible idle pages" "$(attr recompress type=huge_idle)" ok
	compare "are not those that are compressed" "$(awk '$3 ~ /r/' $state | wc -l)" -le "$huge"
	same "idle pages" "$(attr recompress type=idle)" ok
	compare "are smaller" "$(mm_stat zram0 compr)" -lt $((compr * 9 / 10))
	same "but for one that was read" "$(flags $((PER_MIB + 44)))" "....$rest"
	case $KVER in
	6.1.*) ;;
	*)
		same "another one is marked, and not idle any more" "$(flags $((PER_MIB + 45)))" "....r."
		same "noise is marked, too" "$(flags 3)" "..h..n"
		same "again, the one algorithm that there is" "$(attr recompress 'type=idle priority=1')" ok
		same "leaves it as it is" "$(flags $((PER_MIB + 45)))" "....r."
		dd if=/dev/urandom of=/dev/zram0 bs=$PAGE seek=3 count=1 oflag=direct 2>/dev/null
		sum=$(md5sum </dev/zram0)
		same "other noise, by its name" "$(attr recompress 'type=huge algo=zstd')" ok
		same "is marked" "$(flags 3)" "..h..n"
		;;
	esac
	same "the content is the same" "$(md5sum </dev/zram0)" "$sum"
	# Marks and accesses beside recompression
	blkdiscard /dev/zram0
	vmtest bio /dev/zram0 31 3000 4096 &
	io=$!
	while kill -0 $io 2>/dev/null; do
		echo all >$Z/idle
		echo type=idle >$Z/recompress
	done
	check "beside block I/O, all that is read is what was written" wait $io
	blkdiscard /dev/zram0
	same "and nothing is left" "$(mm_stat zram0 used)" 0
fi
echo 1 >$Z/reset
same "block_state after reset" "$(vmtest attr $state)" EINVAL
check "unload" zram_unload
