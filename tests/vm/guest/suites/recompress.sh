# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Recompression: stored pages get smaller, and stay what they are, whatever goes on
# meanwhile. Debian's kernels are built without it.

zram_load
same "mode of recomp_algorithm" "$(stat -c %a $Z/recomp_algorithm)" 644
same "mode of recompress" "$(stat -c %a $Z/recompress)" 200

# ---- before there is a size ----

same "no algorithm to recompress with at first" "$(cat $Z/recomp_algorithm)" ""
same "recompress without a size" "$(attr recompress type=huge)" EINVAL
for bad in junk "algo=zstd priority=0" "algo=zstd priority=4" "algo=zstd priority=-1" \
	"algo=zstd priority=junk" "algo=nope priority=1" "priority=1" "algo="; do
	same "recomp_algorithm '$bad'" "$(attr recomp_algorithm "$bad")" EINVAL
done
same "none of that has an effect" "$(cat $Z/recomp_algorithm)" ""
echo lz4 >$Z/comp_algorithm
same "an algorithm without a priority" "$(attr recomp_algorithm algo=lz4hc)" ok
same "has the first" "$(sed 's/^\(#[0-9]\).*\[\(.*\)\].*/\1 \2/' $Z/recomp_algorithm)" "#1 lz4hc"
same "another one" "$(attr recomp_algorithm 'algo=zstd priority=2')" ok
same "stands below it" "$(sed 's/^\(#[0-9]\).*\[\(.*\)\].*/\1 \2/' $Z/recomp_algorithm)" "#1 lz4hc
#2 zstd"
same "parameters by its name" "$(attr algorithm_params 'algo=zstd level=9')" ok
same "parameters by its priority" "$(attr algorithm_params 'priority=2 level=99')" ok
same "that are impossible" "$(attr disksize 16M)" EINVAL
same "and others" "$(attr algorithm_params 'priority=2 level=9')" ok
same "with which there is a device" "$(attr disksize $((PAGE / 256))M)" ok
same "recomp_algorithm on a device with a size" "$(attr recomp_algorithm algo=zstd)" EBUSY

# ---- misuse ----

for bad in junk type=nope type= threshold=junk threshold=-1 "threshold=$PAGE" max_pages=junk \
	algo=lz4 algo=deflate algo=nope priority=0 priority=3 priority=4 foo=1; do
	same "recompress '$bad'" "$(attr recompress "$bad")" EINVAL
done

# ---- it gets smaller, and stays the same ----

state=/sys/kernel/debug/zram/zram0/block_state

# As many pages of files, whatever their size; noise, which no algorithm compresses; and
# text that has no repetitions, which lz4 does not compress.
content() {
	times=$((PAGE / 4096))
	for at in $(seq 0 4 $((4 * times - 4))); do
		dd if=/corpus of=/dev/zram0 bs=1M seek="$at" count=4 oflag=direct 2>/dev/null
	done
	dd if=/dev/urandom of=/dev/zram0 bs=64k seek=$((64 * times)) count=1 oflag=direct 2>/dev/null
	head -c 786432 /dev/urandom | base64 |
		dd of=/dev/zram0 bs=64k seek=$((64 * times + 1)) count=16 iflag=fullblock oflag=direct 2>/dev/null
	sum=$(md5sum </dev/zram0)
}
unchanged() {
	same "${1}the content is the same" "$(md5sum </dev/zram0)" "$sum"
}

content
before=$(mm_stat zram0 compr) used=$(mm_stat zram0 used) huge=$(mm_stat zram0 huge) held=$(stat_of objects)
same "ten pages" "$(attr recompress 'max_pages=10')" ok
compare "are a little smaller" "$(mm_stat zram0 compr)" -lt "$before"
compare "only a little" "$(mm_stat zram0 compr)" -gt $((before - 10 * PAGE))
unchanged "ten pages: "
same "huge pages" "$(attr recompress 'type=huge')" ok
compare "are huge no more" "$(mm_stat zram0 huge)" -lt "$huge"
compare "but for noise" "$(mm_stat zram0 huge)" -ge $((65536 / PAGE))
unchanged "huge pages: "
now=$(mm_stat zram0 compr)
same "pages of half a page or more" "$(attr recompress "threshold=$((PAGE / 2))")" ok
compare "are smaller" "$(mm_stat zram0 compr)" -lt "$now"
case $KVER in
6.1.*) ;;
*) compare "and no others" "$(awk '$3 ~ /r/' $state | wc -l)" -lt $(($(stat_of objects) * 9 / 10)) ;;
esac
unchanged "large pages: "
now=$(mm_stat zram0 compr)
same "all pages, with one algorithm" "$(attr recompress 'algo=zstd')" ok
compare "are smaller" "$(mm_stat zram0 compr)" -lt "$now"
compare "by much, in all" "$(mm_stat zram0 compr)" -lt $((before * 3 / 4))
compare "and in memory" "$(mm_stat zram0 used)" -lt "$used"
unchanged "all pages: "
now=$(mm_stat zram0 compr)
same "once more" "$(attr recompress 'priority=2')" ok
same "there is nothing left to do" "$(mm_stat zram0 compr)" "$now"
case $KVER in
6.1.*) ;;
*)
	# Marked as what no algorithm makes smaller is noise alone, however often it is tried.
	noise=$((65536 / PAGE))
	same "all that is idle" "$(attr idle all) $(attr recompress type=idle)" "ok ok"
	same "and again" "$(attr idle all) $(attr recompress type=idle)" "ok ok"
	same "noise is marked" "$(awk '$1 >= 1024 && $1 < 1040 && $3 ~ /n/' $state | wc -l)" $noise
	same "and nothing that is smaller" "$(awk '$3 ~ /r.?n/' $state | wc -l)" 0
	;;
esac
same "no object is lost" "$(stat_of objects)" "$held"
unchanged "at last: "

# ---- at mem_limit, which a smaller object does not go past ----

blkdiscard /dev/zram0
content
before=$(mm_stat zram0 compr) used=$(mm_stat zram0 used)
echo 4K >$Z/mem_limit
same "past the limit" "$(attr recompress type=huge)" ok
same "and all" "$(attr recompress priority=2)" ok
compare "pages are smaller" "$(mm_stat zram0 compr)" -lt $((before * 3 / 4))
compare "in memory, too" "$(mm_stat zram0 used)" -lt "$used"
unchanged "past the limit: "
echo 0 >$Z/mem_limit
blkdiscard /dev/zram0
same "nothing is left after a discard of all" "$(stat_of objects)" 0

# ---- a page that gets smaller by some bytes, and takes as much memory ----

{
	head -c $((PAGE / 2)) /dev/urandom
	head -c $((PAGE / 2)) /dev/zero
} | dd of=/dev/zram0 bs=$PAGE count=1 iflag=fullblock oflag=direct 2>/dev/null
now=$(mm_stat zram0 compr)
same "half a page of noise" "$(attr recompress threshold=100)" ok
same "stays as it is" "$(mm_stat zram0 compr)" "$now"
blkdiscard /dev/zram0

# ---- beside I/O and exits ----

recompress_all_the_while() {
	while kill -0 "$1" 2>/dev/null; do
		echo "$2" >$Z/recompress || not_ok "recompress beside I/O"
	done
}
vmtest bio /dev/zram0 21 3000 4096 &
io=$!
recompress_all_the_while $io threshold=100
check "beside block I/O, all that is read is what was written" wait $io
echo 1 >$Z/reset
echo lz4 >$Z/comp_algorithm
echo "algo=zstd" >$Z/recomp_algorithm
check "the device as swap" swap_start 64M
vmtest storm 6 5 3 4 &
storm=$!
recompress_all_the_while $storm priority=1
check "beside exits and swap-in, memory has its content" wait $storm
check "all is drained after it" within 20 nothing_pending
same "no free was invalid" "$(deferred invalid)" 0
same "no object is lost or left" "$(orphans)" 0
check "memory that is swapped out" held_start 12 4
echo priority=1 >$Z/recompress
check "and recompressed" held check
held_end

# ---- one at a time, and reset ----

dd if=/corpus of=/dev/zram0 bs=1M count=0 2>/dev/null
check "stop" swap_stop
same "reset forgets the algorithms" "$(cat $Z/recomp_algorithm)" ""
echo 16M >$Z/disksize
same "and there is nothing to recompress with" "$(attr recompress type=huge)" EINVAL
check "unload" zram_unload
