# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# What does zram answer, whichever it is? Every attribute is read, and written with what
# is right and what is not, in each state of a device. Nothing is judged here: each
# answer is a line "probe STATE: QUESTION<TAB>ANSWER", and tests/zram.sh compares those
# of the kernel's own zram with those of ours. The two have to
# answer the same questions, in this order.

control=/sys/class/zram-control
state=fresh

# answer QUESTION ANSWER
answer() {
	printf 'probe %s: %s\t%s\n' "$state" "$1" "$2" >"$RESULTS"
}

# With blanks to be seen: a space at the end is part of what scripts read.
shown() {
	printf %s "$1" | tr '\t\n' '>|'
}

# put ATTRIBUTE VALUE...: the answer to each
put() {
	attribute=$1
	shift
	for value; do
		said=$(shown "$value")
		[ ${#said} -le 40 ] || said="${#said} characters"
		answer "$attribute <- \"$said\"" "$(vmtest attr "$Z/$attribute" "$value")"
	done
}

# get ATTRIBUTE WHEN
get() {
	answer "$1${2+, $2}" "$(shown "$(vmtest attr "$Z/$1")")"
}

# get_columns ATTRIBUTE MASK WHEN: columns that are 1 in the mask; the others are how much
# memory an allocator takes for it, and how fast the machine is.
get_columns() {
	answer "$1, $3" "$(awk -v mask="$2" '{
		for (i = 1; i <= NF; i++)
			line = line " " (substr(mask, i, 1) == "1" ? $i : "*")
		print line }' "$Z/$1" 2>&1)"
}

mm() {
	get_columns mm_stat 110101011 "$1"
}

# The disk's own figures, but for times
disk() {
	get_columns stat 11101110100111010 "$1"
}

# block_state WHEN FIRST LAST: of these slots, but for when each was accessed
block_state() {
	answer "block_state, $1" "$(awk -v from="$2" -v to="$3" '
		$1 >= from && $1 <= to {
			printf "%s%s", $1, $NF ~ /^[.a-z]+$/ ? $NF : "" }' \
		/sys/kernel/debug/zram/zram0/block_state 2>&1)"
}

# What a line of block_state looks like: digits and blanks are all 9.
block_lines() {
	answer "block_state, form" "$(shown "$(sed -n '1,3s/[ 0-9]/9/gp' \
		/sys/kernel/debug/zram/zram0/block_state 2>&1)")"
}

# log WHEN: what zram has said since it was asked last
log_lines=0
log() {
	lines=$(dmesg | sed -nE 's/^(\[[^]]*\] )?zram: //p')
	answer "log, $1" "$(shown "$(printf '%s\n' "$lines" | tail -n +$((log_lines + 1)))")"
	log_lines=$(printf '%s\n' "$lines" | wc -l)
}

# fill FIRST PAGES FROM: pages of a file onto the disk
fill() {
	dd if="$3" of=/dev/zram0 bs=4k seek="$1" count="$2" oflag=direct 2>/dev/null
}

content() {
	answer "content, $1" "$(dd if=/dev/zram0 bs=64k 2>/dev/null | md5sum)"
}

# The same bytes on every machine: of which nothing can be made less; and pages
# that begin with such bytes and end with zeroes. What a page takes is then far from where
# implementations differ in what they store as it is, but for pages of seven eighths.
vmtest noise 200000 1 >/tmp/bytes
# pages COUNT BYTES: so many, with so many bytes of noise
pages() {
	for page in $(seq 0 $(($1 - 1))); do
		{
			dd if=/tmp/bytes bs="$2" skip="$page" count=1
			head -c $((4096 - $2)) /dev/zero
		} 2>/dev/null
	done
}
pages 4 4096 >/tmp/noise
pages 64 2048 >/tmp/half
pages 2 3500 >/tmp/seven-eighths
seq 10000 30000 | head -c 65536 >/tmp/numbers

# ---- what there is ----

zram_load num_devices=2
log "loaded"
# Not those that every disk has
for file in "$Z"/* "$control"/* /sys/module/zram/parameters/* /sys/kernel/debug/zram/zram0/*; do
	case ${file##*/} in
	alignment_offset | capability | dev | discard_alignment | diskseq | events | events_* | \
		ext_range | hidden | inflight | partscan | range | removable | ro | size | uevent) ;;
	*) [ ! -f "$file" ] || answer "mode of ${file#"$Z/"}" "$(stat -c %a "$file")" ;;
	esac
done
for file in disksize initstate comp_algorithm max_comp_streams mm_stat io_stat debug_stat \
	bd_stat backing_dev writeback_limit writeback_limit_enable writeback_batch_size \
	compressed_writeback algorithm_params recomp_algorithm mem_limit idle stat; do
	get $file
done
for file in hw_sector_size logical_block_size physical_block_size minimum_io_size \
	optimal_io_size discard_granularity discard_max_bytes write_zeroes_max_bytes \
	max_sectors_kb max_hw_sectors_kb rotational add_random nomerges write_cache fua stable_writes \
	scheduler nr_requests zoned; do
	get queue/$file
done

# ---- before a device has a size ----

long=$(printf 'x%.0s' $(seq 1 200))
page=$(printf 'x%.0s' $(seq 1 4000))
newline='
'
put comp_algorithm "$newline" x 'lz4 ' ' lz4' "lz4$newline" "$long" "$page" LZ4 lz4x lz4hc zstd \
	deflate lzo lzo-rle 842
get comp_algorithm "after all of them"
put comp_algorithm zstd
get comp_algorithm "zstd"
put comp_algorithm lz4
put max_comp_streams 0 1 4 junk "$newline" -1 99999999999999999999
put disksize "$newline" 0 junk -1 99999999999999999999 18446744073709551615
put mem_limit "$newline" junk 0 1 -1
get mm_stat "with a limit"
state="limited"
put mem_limit 0
put mem_used_max "$newline" junk 0 1 -1 0x0 ' 0'
put reset "$newline" junk 0 -1 2 70000 '1 '
put compact "$newline" junk 0 1
put idle "$newline" all junk 0 1 -1
put recompress "$newline" junk type=idle threshold=100
put writeback "$newline" idle huge junk page_index=0 type=idle
put writeback_limit "$newline" junk 0 1 -1 100
get writeback_limit "100"
put writeback_limit_enable "$newline" junk 0 -1 2 1
get writeback_limit_enable "1"
put writeback_limit 0
put writeback_limit_enable 0
put writeback_batch_size "$newline" junk 0 -1 1 128 +1 0x10 ' 5' '5 ' 4294967295 4294967296
get writeback_batch_size "after that"
put compressed_writeback "$newline" junk -1 2 1 0 y off true ' 1'
get compressed_writeback "after that"
put backing_dev "$newline" none /dev/nope /dev /dev/zram0 /dev/zram1 /corpus "$long" "$page"
get backing_dev "after that"
put algorithm_params "$newline" junk level=3 algo=lz4 'algo=lz4 level=3' 'algo=zstd level=999' \
	'algo=nope level=3' 'priority=0 level=3' 'priority=1 level=3' 'priority=4 level=3' \
	'priority=-1 level=1' priority=junk 'algo=lz4 level=junk' 'algo=lz4 dict=/nope' 'algo=lz4 dict=' \
	'algo=lz4 dict=/dev' 'algo= level=3' foo=1 level algo 'algo=lz4 foo=1' 'algo=lz4  level=2' \
	'algo=lz4 level=1'
put recomp_algorithm "$newline" junk algo=zstd 'algo=zstd priority=0' 'algo=zstd priority=1' \
	'algo=lz4 priority=4' priority=1 'algo=nope priority=1' 'algo=zstd priority=3'
get recomp_algorithm "after that"
log "of a device without a size"

# ---- with a size ----

state=sized
put disksize 16M 16m 0 junk
put comp_algorithm zstd junk
put algorithm_params 'algo=lz4 level=3' junk
put recomp_algorithm 'algo=zstd priority=2'
put backing_dev /dev/zram1 none
put max_comp_streams 3
put writeback_limit 1
put writeback_limit 0
put writeback_batch_size 0 junk 32
put compressed_writeback junk 1 0
log "of a device with a size"
for file in disksize initstate comp_algorithm io_stat debug_stat bd_stat; do
	get $file
done
mm "with a size"
put idle "$newline" all junk 0 -1 99999999999 18446744073709551616
put writeback "$newline" idle huge junk page_index=0
put recompress "$newline" junk type=nope threshold=junk

state=written
fill 0 8 /tmp/half
fill 8 2 /tmp/noise
fill 10 2 /dev/zero
mm "12 pages"
disk "12 pages"
get io_stat "12 pages"
content "12 pages"
block_state "12 pages" 0 12
block_lines
put idle all
block_state "idle" 0 12
dd if=/dev/zram0 of=/dev/null bs=4k count=1 iflag=direct 2>/dev/null
block_state "one was read" 0 12
disk "one was read"
for way in '-o 4096 -l 16384' '-o 4096 -l 12288' '-z -o 1048576 -l 1048576' '-o 4608 -l 16384'; do
	# shellcheck disable=SC2086 # words
	blkdiscard $way /dev/zram0
	get io_stat "blkdiscard $way"
	disk "blkdiscard $way"
	mm "blkdiscard $way"
done
content "after that"
put recompress 'type=huge' 'type=huge_idle' 'type=idle threshold=100'
put compact "$newline" junk
fill 0 2 /tmp/seven-eighths
block_state "pages of seven eighths" 0 1

state=open
exec 9</dev/zram0
put reset 1
answer "hot_remove" "$(vmtest attr $control/hot_remove 0)"
exec 9<&-

state=reset
put reset 1
log "reset"
get comp_algorithm
get mm_stat
get io_stat
for value in 5 junk "$newline" -1; do
	answer "hot_remove <- \"$(shown "$value")\"" "$(vmtest attr $control/hot_remove "$value")"
done
answer "hot_add" "$(vmtest attr $control/hot_add)"
answer "hot_remove <- 2" "$(vmtest attr $control/hot_remove 2)"
log "a device added and removed"
for size in 1T 64T 1024T 16384T; do
	put disksize $size
	vmtest attr "$Z/reset" 1 >/dev/null
done

# ---- other algorithms, where there are ----

state="recompressed"
put comp_algorithm lz4
put recomp_algorithm 'algo=zstd priority=1' 'algo=deflate priority=3'
get recomp_algorithm "two of them"
put disksize 16M
put recomp_algorithm 'algo=zstd priority=2'
fill 0 8 /tmp/half
fill 8 2 /tmp/noise
fill 10 2 /dev/zero
fill 12 16 /tmp/numbers
put idle all
mm "28 pages"
# recompress WORDS...: what comes of each
recompress() {
	for words; do
		put recompress "$words"
		block_state "$words" 0 30
		mm "$words"
	done
}
recompress threshold=junk threshold=4096 threshold=99999 algo=nope priority=junk max_pages=junk \
	'type=idle threshold=4000' 'type=huge' 'type=huge_idle' \
	'type=idle max_pages=3' 'type=idle priority=1' 'type=idle algo=zstd' 'priority=3' \
	'type=idle algo=deflate' "$newline"
fill 12 4 /tmp/numbers
recompress 'threshold=100' 'algo=zstd max_pages=2' 'algo=zstd'
content "recompressed"
# What the kernel's own takes for all pages
recompress type=nope priority=2 priority=4
put reset 1
get recomp_algorithm "reset"
log "recompressed"

# ---- what a reset leaves as it is ----

state="settings"
modules_load disks
modules_load ext4
truncate -s 8M /tmp/below
losetup /dev/loop0 /tmp/below
# settings WHEN
settings() {
	for file in disksize initstate comp_algorithm recomp_algorithm max_comp_streams \
		backing_dev writeback_limit writeback_limit_enable writeback_batch_size \
		compressed_writeback; do
		get $file "$1"
	done
	mm "$1"
}
set_all() {
	put comp_algorithm zstd
	put recomp_algorithm 'algo=zstd priority=1'
	put max_comp_streams 3
	put mem_limit 1M
	put backing_dev /dev/loop0
	put writeback_limit 7
	put writeback_limit_enable 1
	put writeback_batch_size 5
	put compressed_writeback 1
}
set_all
settings "set"
put reset 1
settings "reset without a size"
set_all
put disksize 4M
fill 0 8 /tmp/half
settings "with a size"
put reset 1
settings "reset"
put writeback_limit 0
put writeback_limit_enable 0
put writeback_batch_size 32
put compressed_writeback 0
# Whether a level is forgotten can be seen by what it does.
for level in 19 '' 1; do
	put comp_algorithm zstd
	[ -z "$level" ] || put algorithm_params "algo=zstd level=$level"
	put disksize 4M
	fill 0 16 /tmp/numbers
	mm "level ${level:-forgotten}"
	put reset 1
done
log "settings"

# ---- a backing device that is in use, or cannot be written ----

state="in use"
# backing WHAT: zram0 is given /dev/loop0, which is WHAT
backing() {
	answer "backing_dev <- $1" "$(attr backing_dev /dev/loop0)"
	get backing_dev "$1"
	put reset 1
}
losetup -d /dev/loop0
losetup -r /dev/loop0 /tmp/below
backing "a read-only disk"
put backing_dev /dev/loop0
put disksize 4M
fill 0 4 /tmp/half
put idle all
put writeback idle
get bd_stat "a read-only disk"
block_state "a read-only disk" 0 4
mm "a read-only disk"
content "a read-only disk"
put reset 1
losetup -d /dev/loop0
losetup /dev/loop0 /tmp/below
blockdev --setro /dev/loop0
backing "one that was made read-only"
blockdev --setrw /dev/loop0
mkswap /dev/loop0 >/dev/null
backing "a disk with swap on it"
swapon /dev/loop0
backing "one that is swap"
swapoff /dev/loop0
/sbin/mke2fs -q -F -t ext4 /dev/loop0
backing "a disk with a file system"
mount -t ext4 /dev/loop0 /mnt
backing "one that is mounted"
umount /mnt
exec 9</dev/loop0
backing "one that is read"
exec 9<&-
exec 9<>/dev/loop0
backing "one that is written"
exec 9<&-
vmtest attr /sys/block/zram1/backing_dev /dev/loop0 >/dev/null
backing "that of another device"
vmtest attr /sys/block/zram1/reset 1 >/dev/null
put backing_dev /dev/loop0
! mount -t ext4 /dev/loop0 /mnt 2>/dev/null && mounted=no || mounted=yes
answer "can it be mounted" $mounted
[ $mounted = no ] || umount /mnt
mkswap /dev/loop0 >/dev/null 2>&1
! swapon /dev/loop0 2>/dev/null && swaps=no || swaps=yes
answer "can it be swap" $swaps
[ $swaps = no ] || swapoff /dev/loop0
put disksize 4M
blockdev --setro /dev/loop0
fill 0 4 /tmp/half
put writeback_limit_enable 0
put idle all
put writeback idle
get bd_stat "read-only since"
content "read-only since"
blockdev --setrw /dev/loop0
put writeback idle
get bd_stat "writable again"
content "writable again"
put reset 1
losetup -d /dev/loop0
rm /tmp/below
log "in use"

# ---- pages that are written back as they are in memory ----

state="compressed"
put comp_algorithm lz4
echo 8M >/sys/block/zram1/disksize
put backing_dev /dev/zram1
put compressed_writeback 1
put disksize 16M
put compressed_writeback 0 1
get compressed_writeback "with a size"
for batch in 1 3; do
	put writeback_batch_size $batch
	fill 0 8 /tmp/half
	fill 8 2 /tmp/noise
	fill 10 2 /dev/zero
	put idle all
	put writeback idle
	get bd_stat "in batches of $batch"
	mm "in batches of $batch"
	block_state "in batches of $batch" 0 12
	content "in batches of $batch"
	get bd_stat "in batches of $batch, and read"
done
fill 0 4 /tmp/noise
get bd_stat "some written again"
mm "some written again"
blkdiscard /dev/zram0
get bd_stat "discarded"
mm "discarded"
put reset 1
get compressed_writeback "reset"
get writeback_batch_size "reset"
put writeback_batch_size 32
put compressed_writeback 0
vmtest attr /sys/block/zram1/reset 1 >/dev/null
log "compressed"

# ---- a backing device ----

state="backing"
put comp_algorithm lz4
echo 8M >/sys/block/zram1/disksize
put backing_dev /dev/zram1
get backing_dev "set"
put backing_dev "/dev/zram1$newline" none /dev/nope
log "set"
put disksize 16M
get bd_stat
put backing_dev none
answer "hot_remove of it" "$(vmtest attr $control/hot_remove 1)"
answer "reset of it" "$(vmtest attr /sys/block/zram1/reset 1)"
fill 0 64 /tmp/half
fill 64 4 /tmp/noise
fill 68 4 /dev/zero
mm "72 pages"
content "72 pages"

state="backing, written back"
put writeback idle
get bd_stat "idle"
put writeback huge
get bd_stat "huge"
mm "huge"
content "huge"
put idle all
put writeback huge_idle page_index=0
get bd_stat "page 0"
put writeback page_index=99999999 page_index= page_index=junk page_index=70 page_indexes=1-2 \
	page_indexes=2-1 page_indexes=3 type=idle type=nope
get bd_stat "pages"
put writeback idle
get bd_stat "all"
mm "all"
block_state "all" 60 75
content "all"
get bd_stat "all, and read"
mm "all, and read"
put writeback incompressible

state="backing, limited"
put writeback_limit 2
put writeback_limit_enable 1
fill 100 4 /tmp/noise
put writeback huge
get writeback_limit "after that"
get bd_stat "after that"
put writeback_limit 1000 0
put writeback_limit_enable 0
put writeback huge
get bd_stat "without a limit"

state="backing, emptied"
blkdiscard /dev/zram0
get bd_stat
mm "discarded"
get io_stat
put reset 1
get backing_dev
get writeback_limit
get writeback_limit_enable
get bd_stat "reset"
log "the end"
zram_unload
ok "all has been asked"
