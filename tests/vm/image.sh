#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Make an initramfs: busybox, mke2fs, zramctl, blkdiscard, both zrams with what they depend on, page
# content of real files, and the files named.
#
# usage: image.sh [-m GROUP:MODULE,...] [-p PROGRAM]... OUT KERNEL_DIR MODULE_DIR CORPUS_MIB
#                 [FILE:PATH_IN_GUEST ...]
#
# -m: more modules of the kernel, for /modules/GROUP/order. -p: more programs, with the
# libraries they need.
# KERNEL_DIR is what kernel-fetch.sh printed. If it is for another architecture than this
# machine's, programs are those of sysroot-fetch.sh, and the files named are to be for it.
# MODULE_DIR holds lethe.ko and
# zram.ko; with '-' there is only the kernel's own zram. In the guest,
# /modules/intree/order, /modules/lethe/order and /modules/ext4/order list what to
# load, in order.

set -euo pipefail

PATH=$PATH:/usr/sbin:/sbin

die() {
	printf 'image: %s\n' "$*" >&2
	exit 1
}

# The crypto modules are what 6.1's own zram finds its codecs through.
groups=("intree:lzo,lzo_rle,lz4,lz4hc,zstd,zram")
# Of flavours that have it as a module
groups+=("ext4:crc32c_generic,ext4")
programs=(mke2fs e2fsck zramctl blkdiscard)
usage="usage: image.sh [-m GROUP:MODULE,...] [-p PROGRAM]... OUT KERNEL_DIR MODULE_DIR CORPUS_MIB [FILE:PATH ...]"
while getopts m:p: option; do
	case $option in
	m) groups+=("$OPTARG") ;;
	p) programs+=("$OPTARG") ;;
	*) die "$usage" ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 4 ] || die "$usage"
out=$1 kernel=$2 modules=$3 corpus_mib=$4
shift 4
kver=$(cat "$kernel/kver")
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=scripts/arch.sh
. "$top/scripts/arch.sh"
arch_set "$(arch_of "$kernel")"
tree=$kernel/lib/modules/$kver

mkdir -p "$(dirname "$out")"
root=$(mktemp -d "$out.root.XXXXXX")
trap 'rm -rf "$root"' EXIT

# Programs come from the system below $system, where they look for their libraries.
system=
run=()
PATH_THERE=$PATH
if [ "$arch" != "$(machine_arch)" ]; then
	system=$("$top/scripts/sysroot-fetch.sh" "$arch")/root
	run=("qemu-$arch_machine-static" -L "$system")
	PATH_THERE=$(printf '%s\n' "$system"/{,usr/}{s,}bin | paste -s -d :)
fi

# program NAME: where it is
program() {
	PATH=$PATH_THERE command -v "$1" || die "there is no $1"
}

# What ldd does, which is a script of this machine's
libraries_of() {
	LD_TRACE_LOADED_OBJECTS=1 "${run[@]}" "$1" | grep -o '/[^ ]*'
}

# A dynamically linked program, with its libraries where it looks for them
add_program() {
	local lib
	install -D "$(program "$1")" "$root/sbin/$1"
	libraries_of "$root/sbin/$1" | while read -r lib; do
		install -D "$system$lib" "$root$lib"
	done
}

# kernel_modules NAME...: files of these modules and of all they depend on, a
# module after its dependencies. What is built in has no file and is passed over.
kernel_modules() {
	local name
	for name; do
		awk -v name="$name" -F '[: ]+' '{
			base = $1; sub(/.*\//, "", base); sub(/\.ko.*/, "", base)
			gsub(/-/, "_", base)
			if (base == name)
				for (i = NF; i >= 1; i--)
					if ($i != "")
						print $i
		}' "$tree/modules.dep"
	done | awk '!seen[$0]++'
}

# load_order DIR: reads files, copies each to the guest, lists it for loading
load_order() {
	local file
	mkdir -p "$root/modules/$1"
	while read -r file; do
		cp "$file" "$root/modules/$1/"
		printf '%s\n' "/modules/$1/${file##*/}"
	done >"$root/modules/$1/order"
}

dependencies_of() {
	local ko
	for ko; do
		modinfo -F depends "$ko" | tr ',' '\n' | tr '-' '_'
	done | grep -vx -e '' -e lethe -e zram | sort -u || true
}

# The content of many shared objects, a bit of each, in a fixed order
make_corpus() {
	find /usr/lib /lib -xdev -type f -name '*.so*' -size +64k -print0 2>/dev/null |
		LC_ALL=C sort -zu | xargs -0 head -q -c 1M 2>/dev/null | head -c "${1}M" || true
}

mkdir -p "$root"/{bin,sbin,dev,proc,sys,tmp,etc,mnt}
cp "$(program busybox)" "$root/bin/busybox"
"${run[@]}" "$root/bin/busybox" true || die "busybox does not run"
for program in "${programs[@]}"; do
	program "$program" >/dev/null
	add_program "$program"
done
cp /etc/mke2fs.conf "$root/etc/"
make_corpus "$corpus_mib" >"$root/corpus"
[ "$(stat -c %s "$root/corpus")" -ge 1048576 ] || die "no shared objects to take content from"

for group in "${groups[@]}"; do
	mapfile -t -d , names < <(printf %s "${group#*:}")
	kernel_modules "${names[@]}" | sed "s|^|$tree/|" | load_order "${group%%:*}"
done
if [ "$modules" != - ]; then
	for ko in "$modules/lethe.ko" "$modules/zram.ko"; do
		[ -f "$ko" ] || die "$ko is missing"
	done
	mapfile -t names < <(dependencies_of "$modules/lethe.ko" "$modules/zram.ko")
	{
		kernel_modules "${names[@]}" | sed "s|^|$tree/|"
		printf '%s\n' "$modules/lethe.ko" "$modules/zram.ko"
	} | load_order lethe
fi

for pair; do
	install -D "${pair%%:*}" "$root/${pair#*:}"
done

(cd "$root" && find . | LC_ALL=C sort | busybox cpio -o -H newc 2>/dev/null) >"$out.part"
mv "$out.part" "$out"
