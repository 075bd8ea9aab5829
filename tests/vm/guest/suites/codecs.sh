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
	echo 1 >$Z/reset
done
zram_unload
