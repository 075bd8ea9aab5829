# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# A disk size whose table memory does not hold, or barely: it is refused, and no
# process is killed for it. The kernel's own zram kills. And so with the times at which
# pages are accessed, for which a table is half as large.

zram_load
mkfifo /tmp/victim
vmtest victim 40 >/tmp/victim &
victim=$!
read -r answer </tmp/victim && [ "$answer" = ready ] || not_ok "there is a process with memory"

# size_of SHARE: the disk size whose table takes SHARE percent of what is available now to
# the kernel (not CMA's) without shrinking a slab (in those, too much is in use); 8 bytes
# are for a page of it
size_of() {
	awk -v share="$1" -v page="$PAGE" '{ kib[$1] = $2 }
		END {
			available = kib["MemAvailable:"] - kib["KReclaimable:"] - kib["CmaFree:"]
			printf "%.0f\n", available * 1024 * share / 100 / 8 * page
		}' /proc/meminfo
}

given=0 refused=0 other=
for share in 20 30 40 60 70 80 84 88 92 96 98 100 102 104 110 130 200 1000; do
	answer=$(vmtest attr $Z/disksize "$(size_of $share)")
	case $answer in
	# Others want memory, too, while the disk has its table.
	ok) given=$((given + 1)) && dd if=/dev/zero of=/dev/null bs=1M count=1 2>/dev/null ;;
	ENOMEM) refused=$((refused + 1)) ;;
	*) other="$other $answer" ;;
	esac
	echo 1 >$Z/reset
done
say "$given sizes were given, $refused refused"
same "a size is given or refused for want of memory" "$other" ""
compare "what fits is given" $given -ge 3
compare "what does not is refused" $refused -ge 2

# Ages, on a disk whose own table takes so much, in percent: half of that besides
given=0 refused=0 other=
for share in 10 20 30 40 50 60 62 64 66 68; do
	case $((share % 4)) in
	0) ask="attr idle 5" ;;
	*) ask="vmtest attr /sys/kernel/debug/zram/zram0/block_state" ;;
	esac
	[ "$(attr disksize "$(size_of $share)")" = ok ] || other="$other size:$share"
	answer=$($ask)
	case $answer in
	ok | "") given=$((given + 1)) && dd if=/dev/zero of=/dev/null bs=1M count=1 2>/dev/null ;;
	ENOMEM)
		refused=$((refused + 1))
		# The device is as good as before.
		dd if=/corpus of=/dev/zram0 bs=4k count=1 oflag=direct 2>/dev/null
		dd if=/dev/zram0 bs=4k count=1 iflag=direct 2>/dev/null | cmp -n 4096 - /corpus ||
			other="$other content:$share"
		;;
	*) other="$other $answer:$share" ;;
	esac
	echo 1 >$Z/reset
done
say "ages: $given were given, $refused refused"
same "ages are given or refused for want of memory" "$other" ""
compare "what fits is given" $given -ge 3
compare "what does not is refused" $refused -ge 2
check "the process beside it lives" kill -0 $victim
check "the OOM killer was not woken" eval '! dmesg | grep -i -e "invoked oom-killer" -e "out of memory"'
kill -9 $victim
wait $victim 2>/dev/null
same "so small a disk is given" "$(vmtest attr $Z/disksize 16M)" ok
check "unload" zram_unload
