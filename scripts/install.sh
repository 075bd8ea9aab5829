#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Install on this system, or below DESTDIR, without a package: modules, library, tools.
#
# usage: install.sh install|install-modules|uninstall
#
# In the environment: PREFIX, of library and tools (/usr/local); DESTDIR, what stands
# before every path; KVER, the kernel for which the modules are (uname -r), and KDIR, its
# headers (/lib/modules/KVER/build).
# Where DKMS is installed, and without DESTDIR and KVER, DKMS gets the modules, for all
# kernels. Else they are built for KVER and put into /lib/modules/KVER/updates, unsigned.
# uninstall deletes what install and install-modules have put there, as the lists in
# PREFIX/share/lethe and the modules' names say.

set -eu
unset MAKEFLAGS # What a calling make was told is not meant for Kbuild.

root=$(cd "$(dirname "$0")/.." && pwd)
PATH=$PATH:/usr/sbin:/sbin
version=$(cat "$root/VERSION")
prefix=${PREFIX:-/usr/local}
destdir=${DESTDIR-}
source=/usr/src/lethe-$version
list=$destdir$prefix/share/lethe/installed

say() {
	printf 'install: %s\n' "$*" >&2
}

die() {
	say "$*"
	exit 1
}

work=
cleanup() {
	[ -z "$work" ] || rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

# may_write DIRECTORY: it, or the first above it that there is
may_write() {
	dir=$1
	while [ ! -e "$dir" ]; do
		dir=$(dirname "$dir")
	done
	[ -w "$dir" ] || die "no right to write to $dir: run this as root, or with DESTDIR"
}

# quiet COMMAND...: what it says is of interest if it fails
quiet() {
	"$@" >"$work/log" 2>&1 || {
		tail -n 20 "$work/log" >&2
		return 1
	}
}

packaged() {
	[ -z "$destdir" ] && command -v dpkg-query >/dev/null &&
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

kernels() {
	for dir in /lib/modules/*/; do
		[ ! -e "$dir/modules.builtin" ] || basename "$dir"
	done
}

# ---- library and tools ----

install_user() {
	may_write "$destdir$prefix"
	for tool in meson ninja pkg-config; do
		command -v $tool >/dev/null || die "$tool is missing: 'scripts/setup.sh install' installs what it takes"
	done
	quiet meson setup "$work/user" "$root" --prefix "$prefix" --buildtype release \
		-Dtests=false -Dsim=false -Dwerror=false ||
		die "library and tools could not be set up"
	quiet meson compile -C "$work/user" || die "library and tools could not be built"
	quiet meson install -C "$work/user" --no-rebuild --destdir "$work/tree" ||
		die "library and tools could not be installed"
	mkdir -p "$(dirname "$list")"
	(cd "$work/tree" && find . ! -type d) | sed 's/^\.//' >"$list"
	cp -R "$work/tree/." "$destdir/" || {
		uninstall_user
		die "library and tools could not be copied to $destdir$prefix (is the disk full?); none is there now"
	}
	[ -n "$destdir" ] || ldconfig
}

uninstall_user() {
	[ -f "$list" ] || return 0
	while read -r file; do
		rm -f "$destdir$file"
	done <"$list"
	rm -f "$list"
	for dir in "$destdir$prefix"/include/lethe "$destdir$prefix/share/lethe"; do
		rmdir "$dir" 2>/dev/null || true
	done
	[ -n "$destdir" ] || ldconfig
}

# ---- modules ----

# In a copy: Kbuild writes beside what it builds, and cannot stand a space in a path. The
# tree may be at one with a space, then; the headers may not, nor the copy.
install_modules_plainly() {
	kver=${KVER:-$(uname -r)}
	kdir=${KDIR:-/lib/modules/$kver/build}
	updates=$destdir/lib/modules/$kver/updates
	why=$("$work/source/scripts/kernel-will-do.sh" -b "$destdir" -k "$kdir" "$kver") || die "$why"
	may_write "$updates"
	for path in "$kdir" "$work"; do
		case $path in
		*[[:space:]:]*) die "Kbuild cannot build at a path with a space or colon in it: $path; Linux $kver keeps its own zram" ;;
		esac
	done
	# They would stand in the way of the kernel's own, and not be loaded.
	[ -n "$destdir" ] || ! "$root/scripts/signed-only.sh" >/dev/null ||
		die "this system loads signed modules only (Secure Boot), and DKMS, which would sign them, is not used; Linux $kver keeps its own zram"
	quiet make -C "$kdir" M="$work/source" -j"$(nproc)" modules ||
		die "the modules could not be built for Linux $kver; its own zram stays as it is"
	mkdir -p "$updates"
	for module in lethe zram; do
		# Of Debian's kernels, debug information is 90 % of it.
		strip -g "$work/source/kernel/$module/$module.ko"
		cp "$work/source/kernel/$module/$module.ko" "$updates/.$module.ko.new" || {
			rm -f "$updates"/.*.ko.new
			die "the modules could not be copied to $updates (is the disk full?); Linux $kver keeps its own zram"
		}
	done
	for module in lethe zram; do
		mv "$updates/.$module.ko.new" "$updates/$module.ko"
	done
	index_modules "$kver"
	ours=$(modinfo -b "${destdir:-/}" -k "$kver" -F filename zram 2>/dev/null || true)
	case $ours in
	'' | */updates/*) ;; # '': there is no kernel below DESTDIR, but for these modules
	*)
		rm -f "$updates/lethe.ko" "$updates/zram.ko"
		index_modules "$kver"
		die "depmod's configuration prefers $ours to what is in updates; Linux $kver keeps its own zram"
		;;
	esac
	printf 'installed for Linux %s: %s\n' "$kver" "$updates"
}

index_modules() {
	if [ -e "$destdir/lib/modules/$1/modules.builtin" ]; then
		depmod ${destdir:+-b "$destdir"} "$1"
	fi
}

install_modules_by_dkms() {
	may_write /usr/src
	! packaged lethe-dkms || die "the package lethe-dkms has the modules already"
	! dkms status -m lethe -v "$version" | grep -q . || uninstall_dkms
	rm -rf "$source"
	cp -R "$work/source" "$source" || {
		rm -rf "$source"
		die "the modules' source could not be copied to $source (is the disk full?)"
	}
	quiet dkms add -m lethe -v "$version" || die "dkms add failed"
	for kver in $(kernels); do
		if ! why=$("$source/scripts/kernel-will-do.sh" "$kver"); then
			say "$why"
		elif quiet dkms install -m lethe -v "$version" -k "$kver" &&
			[ "$(find "/lib/modules/$kver" -name 'lethe.ko*' | wc -l)" = 1 ]; then
			printf 'installed for Linux %s by DKMS\n' "$kver"
		else
			uninstall_dkms
			die "DKMS could not install the modules for Linux $kver; each kernel keeps its own zram"
		fi
	done
	if why=$("$root/scripts/signed-only.sh"); then
		say "$why"
	fi
}

uninstall_dkms() {
	quiet dkms remove -m lethe -v "$version" --all || true
	rm -rf "$source"
}

install_modules() {
	"$root/scripts/module-source.sh" "$work/source"
	if [ -n "$destdir${KVER-}" ]; then
		install_modules_plainly
	elif command -v dkms >/dev/null; then
		install_modules_by_dkms
	else
		install_modules_plainly
		say "DKMS is not installed: the modules are for Linux $kver alone, and a newer kernel will have its own zram"
	fi
}

uninstall_modules() {
	if [ -z "$destdir" ] && [ -d "$source" ] && ! packaged lethe-dkms; then
		may_write /usr/src
		if command -v dkms >/dev/null; then
			uninstall_dkms
		else
			rm -rf "$source"
		fi
	fi
	for updates in "$destdir"/lib/modules/*/updates; do
		[ -e "$updates/lethe.ko" ] || continue
		may_write "$updates"
		rm -f "$updates/lethe.ko" "$updates/zram.ko"
		rmdir "$updates" 2>/dev/null || true
		index_modules "$(basename "$(dirname "$updates")")"
	done
}

case $destdir in
'' | /*) ;;
*) die "DESTDIR is a whole path, from / on: '$destdir' is not" ;;
esac
work=$(mktemp -d)
case $#:${1-} in
1:install)
	install_modules
	install_user
	;;
1:install-modules) install_modules ;;
1:uninstall)
	uninstall_modules
	uninstall_user
	;;
*) die "usage: install.sh install|install-modules|uninstall" ;;
esac
