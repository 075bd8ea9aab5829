# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# "lethe stat" and "lethe top" in a pipe: do they show what the kernel shows?

# shown KEY [NAME]: a value of "lethe stat --json", of the device or pool of that name
shown() {
	lethe stat --json >/tmp/stat.json || return 1
	value "$@"
}

# value KEY [NAME]: the same, of the last output. Each device and pool is on one line.
value() {
	awk -v key="\"$1\": " -v name="\"name\": \"${2-}\"" '
		(name == "\"name\": \"\"" || index($0, name)) && (at = index($0, key)) {
			rest = substr($0, at + length(key))
			sub(/[,}].*/, "", rest)
			gsub(/"/, "", rest)
			print rest
			exit
		}' /tmp/stat.json
}

# says PATTERN: the last text has a line of it
says() {
	check "it says '$1'" grep -q -E "$1" /tmp/stat.text
}

# rest_of_pool: without the devices, whose lines have the same names
rest_of_pool() {
	sed -i '/"devices"/,/\]/d' /tmp/stat.json
}

# recorded: the files that it reads, in the form of tests/stat/*.txt
recorded() {
	head -v -n 100 /sys/block/zram*/disksize /sys/block/zram*/initstate \
		/sys/block/zram*/comp_algorithm /sys/block/zram*/mm_stat \
		/sys/module/zram/initstate /sys/module/zram/version /sys/module/zram/parameters/* \
		/sys/module/lethe/initstate /sys/module/lethe/version \
		/sys/module/lethe/holders/zram/initstate /sys/kernel/debug/lethe/zram0/* 2>/dev/null
}

# names: of a recording, files and the lines that they have
names() {
	sed -n -e '/^==> /p' -e 's/^\([a-z_]*\): .*/\1/p' | sort
}

# record: the kernel's files go to the console, to be copied (tests/stat.sh). The copy
# that there is has to be of files like these.
record() {
	recorded >/tmp/recorded
	sed 's/^/recorded: /' /tmp/recorded
	names </tmp/recorded >/tmp/names
	names </recording >/tmp/names.old
	check "tests/stat has a recording of such files" cmp /tmp/names /tmp/names.old
}

if ! zram_is_built_in; then
	same "no zram is loaded" "$(shown zram)" none
	lethe stat >/tmp/stat.text
	says '^zram      not loaded$'
fi

case $IMPL in
tree)
	zram_load
	same "it is built in" "$(shown zram)" built-in
	;;
intree)
	zram_load num_devices=2
	same "it is the kernel's" "$(shown zram)" kernel
	same "its version is not known" "$(value version)" null
	;;
lethe)
	modules_load lethe
	lethe stat >/tmp/stat.text
	says '^lethe     version [0-9.]+ is loaded, and zram is not on it$'
	zram_load num_devices=2 policy=array budget=100000
	same "it is ours" "$(shown zram)" lethe
	same "its version" "$(value version)" "$(cat /sys/module/zram/version)"
	same "its policy" "$(value policy)" array
	same "its budget" "$(value budget)" 100000
	echo default >/sys/module/zram/parameters/policy
	echo 0 >/sys/module/zram/parameters/budget
	;;
esac
same "its second device has no size" "$(shown ready zram1)" false
lethe stat >/tmp/stat.text
says '^zram0     has no size yet$'

swap_start 128M 64M
held_start 16 1
same "what is stored" "$(shown original_bytes zram0)" "$(mm_stat zram0 orig)"
same "what it is compressed to" "$(value compressed_bytes zram0)" "$(mm_stat zram0 compr)"
same "what it takes" "$(value used_bytes zram0)" "$(mm_stat zram0 used)"
same "its size" "$(value disksize zram0)" 134217728
same "its limit" "$(value limit_bytes zram0)" 67108864
check "the codec is the chosen one" grep -q -F "[$(value codec zram0)]" $Z/comp_algorithm
lethe stat >/tmp/stat.text
says '^zram0     [a-z0-9-]+ +128[.]0 +1[0-9][.][0-9] +[0-9.]+ +[0-9.]+ +[0-9.]+ +64[.]0$'
[ "$IMPL" != intree ] || record
held munmap
held_end

same "top looks so often" "$(lethe top --count 2 | grep -c '^zram0  .* 128[.]0 ')" 2
check "and without control characters" eval "! lethe top --count 1 | grep -q '[[:cntrl:]]'"

if [ "$IMPL" != intree ]; then
	within 5 nothing_pending
	check "frees are pending" make_pending 16 2
	shown zram >/dev/null
	rest_of_pool
	same "so many" "$(value pending zram0)" "$PENDING"
	same "of so many at most" "$(value capacity zram0)" "$(deferred capacity)"
	same "by this policy" "$(value policy zram0)" tombstone
	compare "for a time" "$(value oldest_age_ms zram0)" -gt 0
	lethe stat >/tmp/stat.text
	says "^zram0 +tombstone +$PENDING +$(deferred capacity) +[1-9][0-9]* +- +-$"

	lethe stat --interval 3 --json >/tmp/stat.json &
	looks=$!
	sleep 1
	release_worker
	wait $looks
	rest_of_pool
	rate=$(value drained_per_s zram0)
	compare "so many are drained a second" "${rate%.*}" -ge $((PENDING / 8))
	compare "and no more than there were" "${rate%.*}" -le $((PENDING / 3))

	within 5 nothing_pending
	make_pending 4 3
	echo 1 >$Z/compact
	lethe stat >/tmp/stat.text
	says "^zram0 +flush: compact +$(deferred flushed_compact) +- +$(deferred flushes_compact)$"
	says "^zram0 +drain threads +$(deferred drained) +- +$(deferred kicks)$"
	held_start 8 4
	held munmap
	held_end
	[ "$IMPL" = tree ] || record
	release_worker

	chmod 755 / # which is the directory that the initramfs was made of
	echo 'nobody:x:65534:65534::/:/bin/sh' >/etc/passwd
	su -s /bin/sh nobody -c 'lethe stat' >/tmp/stat.text
	says '^unread    what is pending cannot be shown, as debugfs is for root$'
	says '^zram0     [a-z0-9-]+ +128[.]0 '
	umount /sys/kernel/debug
	check "without debugfs there are no pools" eval '[ -z "$(shown pending zram0)" ]'
	lethe stat >/tmp/stat.text
	says '^unread .*, as no debugfs is mounted at /sys/kernel/debug$'
	mount -t debugfs debugfs /sys/kernel/debug
fi

swap_stop
check "unload" zram_unload
