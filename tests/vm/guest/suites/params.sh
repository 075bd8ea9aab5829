# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Parameters of algorithms: levels, dictionaries, the window of deflate. The kernel's
# own zram has them from 6.12 on; with what is asked here, in the same way.

zram_load
offered=$(tr -d '[]' <$Z/comp_algorithm)

# compressed ALGORITHM PARAMETERS: bytes that the same content takes then, or what the
# disk size was answered; and its content comes back
compressed() {
	echo "$1" >$Z/comp_algorithm
	answer=$(attr algorithm_params "$2")
	[ "$answer" = ok ] && answer=$(attr disksize 16M)
	if [ "$answer" = ok ]; then
		dd if=/corpus of=/dev/zram0 bs=1M count=4 oflag=direct 2>/dev/null
		mm_stat zram0 compr
		dd if=/dev/zram0 bs=1M count=4 2>/dev/null | cmp -n 4194304 - /corpus ||
			echo "content differs"
	else
		echo "$answer"
	fi
	echo 1 >$Z/reset
}

head -c 65536 /corpus >/tmp/dictionary
: >/tmp/empty

if [ ! -e $Z/algorithm_params ]; then
	say "the kernel's own has no parameters here"
	zram_unload
	# shellcheck disable=SC2317 # a suite is sourced
	return 0
fi
same "mode of algorithm_params" "$(stat -c %a $Z/algorithm_params)" 200

# ---- levels ----

base=$(compressed zstd "foo=1")
compare "zstd at a higher level is smaller" "$(compressed zstd level=19)" -lt "$base"
compare "at a lower level, larger" "$(compressed zstd level=-5)" -gt "$base"
same "at its own level, the same" "$(compressed zstd level=3)" "$base"
base=$(compressed lz4 "foo=1")
compare "lz4 that is accelerated is larger" "$(compressed lz4 level=8)" -gt "$base"
base=$(compressed lz4hc "foo=1")
compare "lz4hc at level 1 is larger" "$(compressed lz4hc level=1)" -gt "$base"
case " $offered " in
*" deflate "*)
	base=$(compressed deflate "foo=1")
	compare "deflate at level 1 is larger" "$(compressed deflate level=1)" -gt "$base"
	compare "deflate at level 9 is not" "$(compressed deflate level=9)" -le "$base"
	if [ "$IMPL" = lethe ]; then
		compare "with a smaller window it is larger" \
			"$(compressed deflate deflate.winbits=-9)" -gt "$base"
		for bits in -7 -16 3 junk; do
			same "a window of $bits bits" "$(compressed deflate deflate.winbits=$bits)" EINVAL
		done
	fi
	;;
esac

# ---- of the algorithm that they were set for ----

if [ "$IMPL" = lethe ]; then
	plain=$(compressed lz4 "foo=1")
	echo zstd >$Z/comp_algorithm
	same "parameters of zstd" "$(attr algorithm_params "level=-5 dict=/tmp/dictionary")" ok
	same "and then lz4, which has no such level" "$(compressed lz4 foo=1)" "$plain"
	echo zstd >$Z/comp_algorithm
	echo level=-5 >$Z/algorithm_params
	echo lz4 >$Z/comp_algorithm
	same "with none of its own" "$(attr disksize 16M)" ok
	echo 1 >$Z/reset
fi

# ---- a level that there is not ----

case $IMPL-$KVER in
intree-6.*) ;; # takes some for others
*)
	same "zstd has no level 23" "$(compressed zstd level=23)" EINVAL
	same "nor -200000" "$(compressed zstd level=-200000)" EINVAL
	same "lz4 has no level 0" "$(compressed lz4 level=0)" EINVAL
	same "lz4hc has no level 0" "$(compressed lz4hc level=0)" EINVAL
	same "nor 22" "$(compressed lz4hc level=22)" EINVAL
	same "deflate has no level 10" "$(compressed deflate level=10)" EINVAL
	same "nor -5" "$(compressed deflate level=-5)" EINVAL
	same "after that, it is as if nothing had been asked" "$(compressed deflate foo=1)" "$base"
	;;
esac

# ---- dictionaries ----

for codec in zstd lz4 lz4hc; do
	base=$(compressed $codec "foo=1")
	case $codec-$KVER in
	zstd-6.1.* | lz4hc-6.1.*)
		same "$codec takes no dictionary here" "$(compressed $codec dict=/tmp/dictionary)" EINVAL
		continue
		;;
	esac
	compare "$codec with a dictionary is smaller" \
		"$(compressed $codec dict=/tmp/dictionary)" -lt "$base"
done
# Of a large one, LZ4 uses the end.
case $IMPL-$KVER in
intree-* | *-6.1.*) ;;
*)
	head -c 112640 /corpus >/tmp/large
	for codec in zstd lz4 lz4hc; do
		base=$(compressed $codec foo=1)
		compare "$codec with a dictionary of 110 KiB is smaller" \
			"$(compressed $codec dict=/tmp/large)" -lt "$base"
	done
	;;
esac
case $KVER in
6.*) missing=EINVAL toolarge=EINVAL ;;
*) missing=ENOENT toolarge=EFBIG ;;
esac
if [ "$IMPL" = lethe ]; then
	truncate -s 17M /tmp/large
	same "one of 17 MiB" "$(attr algorithm_params dict=/tmp/large)" $toolarge
	rm /tmp/large
fi
same "a dictionary that is not there" "$(attr algorithm_params dict=/nope)" $missing
# The one of 6.12 says nothing.
[ "$IMPL-${KVER%%.*}" = intree-6 ] || check "the log says so" eval 'dmesg | grep -q "zram: failed to load dictionary /nope (err=-2)"'
same "one that is empty" "$(attr algorithm_params dict=/tmp/empty)" EINVAL
same "one that is a directory" "$(attr algorithm_params dict=/tmp)" EINVAL
same "one without a name" "$(attr algorithm_params dict=)" EINVAL
# The one of 6.12 passes it over in silence.
[ "$IMPL-${KVER%%.*}" = intree-6 ] || same "one that deflate has no use for" \
	"$(compressed deflate dict=/tmp/dictionary)" EOPNOTSUPP

# Once: its file may go before the device has a size, and a CPU that comes later has it.
cpu() {
	echo "$2" >"/sys/devices/system/cpu/cpu$1/online"
}
for codec in lz4 zstd; do
	case $codec-$KVER in
	zstd-6.1.*) continue ;;
	esac
	cp /tmp/dictionary /tmp/once
	with=$(compressed $codec dict=/tmp/once)
	echo $codec >$Z/comp_algorithm
	same "$codec: a dictionary" "$(attr algorithm_params dict=/tmp/once)" ok
	rm /tmp/once
	cpu 1 0
	cpu 2 0
	same "whose file is gone when the device gets its size" "$(attr disksize 16M)" ok
	cpu 1 1
	cpu 2 1
	for mask in 1 2 4; do
		reader=$((mask * 2 % 7))
		blkdiscard /dev/zram0
		taskset $mask dd if=/corpus of=/dev/zram0 bs=1M count=4 oflag=direct 2>/dev/null
		same "$codec: CPU $mask compresses with it" "$(mm_stat zram0 compr)" "$with"
		check "and CPU $reader reads that" eval \
			'taskset $reader dd if=/dev/zram0 bs=1M count=4 iflag=direct 2>/dev/null | cmp -n 4194304 - /corpus'
	done
	cpu 1 0
	check "without a CPU that has gone, all is read" eval \
		'dd if=/dev/zram0 bs=1M count=4 iflag=direct 2>/dev/null | cmp -n 4194304 - /corpus'
	cpu 1 1
	echo 1 >$Z/reset
done

# ---- which algorithm ----

echo zstd >$Z/comp_algorithm
same "parameters of the algorithm in force" "$(attr algorithm_params 'algo=zstd level=19')" ok
same "by its priority" "$(attr algorithm_params 'priority=0 level=19')" ok
same "of another one" "$(attr algorithm_params 'algo=lz4 level=3')" EINVAL
same "of none" "$(attr algorithm_params 'algo=nope level=3')" EINVAL
same "of a priority too many" "$(attr algorithm_params 'priority=4 level=3')" EINVAL
if [ -e $Z/recomp_algorithm ]; then
	same "of a priority that has no algorithm yet" "$(attr algorithm_params 'priority=1 level=23')" ok
	same "which it gets" "$(attr recomp_algorithm 'algo=zstd priority=1')" ok
	same "and has no such level" "$(attr disksize 16M)" EINVAL
	same "another one" "$(attr recomp_algorithm 'algo=zstd priority=1')" ok
	same "has its own" "$(attr disksize 16M)" ok
	echo 1 >$Z/reset
	echo zstd >$Z/comp_algorithm
fi
same "of a negative one" "$(attr algorithm_params 'priority=-1 level=3')" EINVAL
same "of no number" "$(attr algorithm_params 'priority=junk')" EINVAL
same "a level that is no number" "$(attr algorithm_params level=junk)" EINVAL
same "a level without a value" "$(attr algorithm_params level)" EINVAL
same "a word" "$(attr algorithm_params junk)" EINVAL
same "an unknown parameter" "$(attr algorithm_params foo=1)" ok

# ---- in force ----

echo 16M >$Z/disksize
case $IMPL-$KVER in
intree-6.*) ;; # takes them, to no effect
*) same "parameters on a device with a size" "$(attr algorithm_params level=3)" EBUSY ;;
esac
echo 1 >$Z/reset
check "unload" zram_unload
