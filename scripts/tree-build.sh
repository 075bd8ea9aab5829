#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Build a kernel from a source of Debian's to which the series of kernel-patch.sh has been
# applied by "git am", and print the directory it is in.
#
# usage: tree-build.sh linux-source-SERIES KIND
#
# lethe: with ZSMALLOC_LETHE, plain: without, from one configuration, tests/tree; kasan:
# with it, and with what watches a kernel; module: with it, and zram and it as modules,
# which takes that there is no zswap, and with nodes and CMA; arm64: with it, for that
# architecture, and with KASAN by tags. The directory is laid out as that of
# kernel-fetch.sh. Source and objects stay in the cache, so that what is built again is
# what has changed; the first time takes some 6 minutes of two CPUs, and 4 GiB.
#
# um-lethe, um-plain: with and without, as User-Mode Linux, from the configuration of
# bench/uml with nothing as a module; um1-lethe, um1-plain: the same for one CPU. The
# directory is laid out as that of uml-build.sh, and has two files more: "config", and
# "objects", the object file of each function.

set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
package=${1-} kind=${2-}
arch=x86_64
cache=${XDG_CACHE_HOME:-$HOME/.cache}/lethe/tree
key=tree
# shellcheck source=scripts/cache.sh
. "$root/scripts/cache.sh"
# shellcheck source=scripts/source.sh
. "$root/scripts/source.sh"

image=arch/x86/boot/bzImage
objects=objects
case $#:$package:$kind in
2:linux-source-[0-9]*:lethe | 2:linux-source-[0-9]*:plain) ;;
2:linux-source-[0-9]*:kasan | 2:linux-source-[0-9]*:module) objects+=-$kind ;;
2:linux-source-[0-9]*:arm64)
	arch=arm64 image=arch/arm64/boot/Image objects='objects-arm64'
	cross=aarch64-linux-gnu-
	need aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu
	;;
2:linux-source-[0-9]*:um-lethe | 2:linux-source-[0-9]*:um-plain)
	arch=um image=linux
	;;
2:linux-source-[0-9]*:um1-lethe | 2:linux-source-[0-9]*:um1-plain)
	arch=um image=linux objects='objects-1'
	;;
*)
	die "usage: tree-build.sh linux-source-SERIES lethe|plain|kasan|module|arm64|um-lethe|um-plain|um1-lethe|um1-plain"
	;;
esac
version=${package#linux-source-}
[ $arch != um ] || [ -f "$root/bench/uml/$version.config" ] ||
	die "there is no bench/uml/$version.config"
need flock:util-linux make:make flex:flex bison:bison bc:bc git:git
source=$("$root/scripts/kernel-source.sh" "$package")
entry=$cache/$(basename "$(dirname "$source")")
# A source of its own: it has a scheduler clock more.
[ $arch != um ] || entry+=-um
linux=$entry/source
objects=$entry/$objects
kernel=$entry/$kind
# For kmake and source_configure
src=$objects
made=

git_here() {
	git -C "$linux" -c user.name=Lethe -c user.email=lethe@example.org -c gc.auto=0 \
		-c core.hooksPath=/dev/null -c commit.gpgSign=false "$@"
}

# What uml-build.sh adds, too
add_clock() {
	local makefile=arch/um/kernel/Makefile
	cp "$root/bench/uml/sched_clock.c" "$linux/arch/um/kernel/"
	rm "$linux/$makefile"
	{
		cat "$source/$makefile"
		echo 'obj-y += sched_clock.o'
	} >"$linux/$makefile"
}

# A copy by links: git replaces files, and does not write into them. What the series
# touches is all that git knows.
prepare() {
	local file files
	files=$(sed -n 's,^--- a/,,p' "$patches"/*.patch | sort -u)
	[ "$(cat "$entry/prepared" 2>/dev/null)" != "$files" ] || return 0
	rm -rf "$entry"
	mkdir -p "$entry"
	cp -al "$source" "$linux"
	[ $arch != um ] || add_clock
	git_here init -q
	for file in $files; do
		git_here add -f "$file"
	done
	git_here commit -q -m base
	git_here tag base
	printf '%s\n' "$files" >"$entry/prepared"
}

# Applied anew only if it is another series: what git writes is built again.
apply() {
	local now
	now=$(cat "$patches"/*.patch | sed '/^Date: \|^From [0-9a-f]/d' | sha256sum)
	[ "$(cat "$entry/applied" 2>/dev/null)" != "$now" ] || return 0
	rm -f "$entry/applied"
	git_here am --abort 2>/dev/null || true
	git_here reset -q --hard base
	git_here am -q "$patches"/*.patch >&2 || die "git am does not take the series"
	printf '%s\n' "$now" >"$entry/applied"
}

# A configuration that is what it was is not made again, nor is all that depends on it:
# the kernel itself, if it is of this series, this configuration and this compiler.
configure() {
	local lethe='CONFIG_ZSMALLOC_LETHE=y' config=("$root/tests/tree/common.config")
	[ ! -f "$root/tests/tree/$version.config" ] || config+=("$root/tests/tree/$version.config")
	[ "${kind##*-}" != plain ] || lethe='# CONFIG_ZSMALLOC_LETHE is not set'
	[ $arch != x86_64 ] || config+=("$root/tests/tree/x86.config")
	if [ $arch = um ]; then
		sed '/^CONFIG_LOCALVERSION=/d; s/=m$/=y/' "$root/bench/uml/config" >"$tmp/um"
		cat "$root/bench/uml/$version.config" >>"$tmp/um"
		[[ $kind != um1-* ]] || sed -i '/^CONFIG_SMP=/d; /^CONFIG_NR_CPUS=/d' "$tmp/um"
		config=("$tmp/um" "$root/bench/uml/tree.config")
	fi
	case $kind in
	kasan | arm64) config+=("$root/tests/tree/$kind.config") ;;
	module)
		sed -E '/ZSWAP|ZPOOL/d; s/^(CONFIG_(ZRAM|ZSMALLOC)=)y$/\1m/' "${config[@]}" >"$tmp/module"
		config=("$tmp/module" "$root/tests/tree/module.config")
		;;
	esac
	printf '%s\nCONFIG_LOCALVERSION="-tree-%s"\n' "$lethe" "$kind" >"$tmp/last"
	config+=("$tmp/last")
	made=$({
		gcc -dumpfullversion
		cat "$entry/applied" "${config[@]}"
	} | sha256sum)
	[ "$(cat "$kernel/made" 2>/dev/null)" != "$made" ] || return 0
	if [ ! -f "$objects/Makefile" ]; then
		mkdir -p "$objects"
		src=$linux kmake "$objects/log" O="$objects" allnoconfig
	fi
	if ! cat "${config[@]}" | cmp -s - "$objects/asked"; then
		rm -f "$objects/asked"
		source_configure "${config[@]}"
		cat "${config[@]}" >"$objects/asked"
	fi
}

# Each with its object file; not those whose name is in two.
functions() {
	(cd "$objects" && ar t vmlinux.a | xargs nm -A 2>/dev/null) |
		awk '$(NF - 1) ~ /^[tTwW]$/ {
				file = $1
				sub(/:.*/, "", file)
				if ($NF in of && of[$NF] != file)
					file = ""
				of[$NF] = file
			}
			END {
				for (name in of)
					if (of[name] != "")
						print name, of[name]
			}' | sort
}

build() {
	local kver targets=("${image##*/}")
	[ $kind != module ] || targets+=(modules)
	[ "$(cat "$kernel/made" 2>/dev/null)" != "$made" ] || return 0
	say "building $kind of $package; minutes the first time"
	# The release is what it is called, and not what git thinks of the source.
	kmake "$objects/log" -j"$(nproc)" LOCALVERSION= "${targets[@]}"
	# What the compiler warns of in our files, or in what the rules have changed, it is to
	# warn of again the next time.
	if grep -E '(mm/(lethe/|zswap|zpool)|drivers/block/zram/).*warning:' "$objects/log" >&2; then
		find "$objects/mm" "$objects/drivers/block/zram" -name '*.o' -delete
		die "the compiler warns"
	fi
	kver=$(cat "$objects/include/config/kernel.release")
	rm -rf "$kernel"
	mkdir -p "$kernel/lib/modules/$kver"
	if [ $arch = um ]; then
		cp "$objects/$image" "$kernel/"
		functions >"$kernel/objects"
		cp "$objects/.config" "$kernel/config"
	else
		mkdir "$kernel/boot"
		cp "$objects/$image" "$kernel/boot/vmlinuz-$kver"
		cp "$objects/System.map" "$kernel/boot/System.map-$kver"
	fi
	if [ $kind = module ]; then
		kmake "$objects/log.install" LOCALVERSION= INSTALL_MOD_PATH="$kernel" modules_install
	else
		# All is built in.
		: >"$kernel/lib/modules/$kver/modules.dep"
	fi
	printf '%s\n' "$kver" >"$kernel/kver"
	[ $arch = x86_64 ] || printf '%s\n' "$arch" >"$kernel/arch"
	printf '%s\n' "$made" >"$kernel/made"
}

# One source at a time is built by one caller.
mkdir -p "$cache"
lock=$cache/.lock-$package
[ $arch != um ] || lock+=-um
exec 9>"$lock"
flock 9
tmp=$(mktemp -d)
series=$(mktemp -d)
trap 'rm -rf "$series"; cleanup' EXIT
trap 'exit 1' HUP INT TERM
patches=$series/patches
"$root/scripts/kernel-patch.sh" "$source" "$patches" >/dev/null
prepare
apply
configure
build
printf '%s\n' "$kernel"
