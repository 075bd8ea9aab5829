# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Every compression algorithm stores and gives back the same content.

zram_load
offered=$(tr -d '[]' <$Z/comp_algorithm)
if [ "$IMPL" = lethe ]; then
	# Debian's kernels have no 842; those of tests/debug have.
	others=
	case $KVER in
	*-lethe-*) others=842 ;;
	esac
	for codec in lzo lzo-rle lz4 lz4hc zstd deflate $others; do
		case " $offered " in
		*" $codec "*) ok "$codec is offered" ;;
		*) not_ok "$codec is not offered (only $offered)" ;;
		esac
	done
fi
# Where there are both. Scripts read the list, and dashboards show it.
case $KVER in
6.1.*) order="lzo lzo-rle" ;;
*) order="lzo-rle lzo" ;;
esac
case " $offered" in
*" lzo "*) same "lzo and lzo-rle are listed in the order of this kernel's own" "${offered%% lz4*}" "$order" ;;
esac
for codec in $offered; do
	echo "$codec" >$Z/comp_algorithm
	echo 8M >$Z/disksize
	check "$codec keeps content" vmtest bio /dev/zram0 11 300 4096
	blkdiscard /dev/zram0
	dd if=/corpus of=/dev/zram0 bs=1M count=4 oflag=direct 2>/dev/null
	compare "$codec compresses" "$(mm_stat zram0 compr)" -lt $((4194304 * 7 / 10))
	check "$codec gives the files' bytes back" \
		eval 'dd if=/dev/zram0 bs=1M count=4 2>/dev/null | cmp -n 4194304 - /corpus'
	# Nearly all of a page is noise: less memory than as it is. 6.1's own keeps it so. lzo
	# looks at ever fewer places of what does not compress, and may find the zeroes late;
	# 842 adds five bits to each eight bytes of noise.
	case $codec-$IMPL-$KVER in
	*-intree-6.1.* | lzo* | 842*) ;;
	*)
		blkdiscard /dev/zram0
		noise=$((3500 * (PAGE / 4096)))
		{
			head -c $noise /dev/urandom
			head -c $((PAGE - noise)) /dev/zero
		} >/tmp/page
		dd if=/tmp/page of=/dev/zram0 bs=$PAGE oflag=direct 2>/dev/null
		same "$codec: a page with $noise bytes of noise is compressed" "$(mm_stat zram0 huge)" 0
		compare "to about these" "$(mm_stat zram0 compr)" -lt $((noise * 103 / 100))
		compare "and not less" "$(mm_stat zram0 compr)" -ge $noise
		check "and has its content" eval 'dd if=/dev/zram0 bs=$PAGE count=1 iflag=direct 2>/dev/null | cmp - /tmp/page'
		;;
	esac
	echo 1 >$Z/reset
done
zram_unload
