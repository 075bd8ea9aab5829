# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# To be sourced, after cache.sh, by what builds a kernel of its own into the cache,
# from Debian's source. The caller sets "package" (of the source), "arch" (as make
# wants it), and "key" (of all that the result depends on but the version); "cross" is
# the prefix of the compiler, if it is for another architecture.
#
# Entries are keyed by package version and key, and appear by a rename, so one is
# whole or not there. Concurrent calls wait for one another. An entry that is
# there is used without the network.

: "${cache:?is for cache.sh}" "${package:?is for the caller to set}" "${arch:?}" "${key:?}"
: "${tmp=}" "${cross=}" "${version=}"
src=

# The newest entry of this key, whatever its version, for a machine without package lists
source_remembered() {
	local kver
	kver=$(find "$cache" -path "*_$key/kver" -printf '%T@ %p\n' 2>/dev/null |
		sort -rn | sed -n '1s/[^ ]* //p')
	[ -n "$kver" ] && printf '%s\n' "${kver%/kver}"
}

# kmake LOG ARGUMENT...: what a calling make was told is not meant for the kernel's
kmake() {
	local log=$1
	shift
	if ! MAKEFLAGS='' KBUILD_BUILD_USER=lethe KBUILD_BUILD_HOST=lethe \
		nice make -C "$src" ARCH="$arch" ${cross:+CROSS_COMPILE="$cross"} "$@" >"$log" 2>&1; then
		tail -n 20 "$log" >&2
		die "make $* failed"
	fi
}

# Into $src, which is $tmp/entry/build
source_unpack() {
	say "downloading $package $version"
	mkdir "$tmp/deb"
	(cd "$tmp/deb" && download "$package=$version") ||
		die "the download of $package $version failed"
	say "unpacking"
	dpkg -x "$tmp"/deb/*.deb "$tmp/deb"
	src=$tmp/entry/build
	mkdir -p "$src"
	tar -x -f "$tmp/deb/usr/src/$package.tar.xz" -C "$src" --strip-components=1
	rm -r "$tmp/deb"
}

# source_configure FILE...: on top of allnoconfig. An option that was asked for
# and is not in force would change what is measured, or seen.
source_configure() {
	local line name
	cat "$@" >"$tmp/config"
	kmake "$tmp/log" KCONFIG_ALLCONFIG="$tmp/config" allnoconfig
	while read -r line; do
		case $line in
		CONFIG_*) grep -qxF -- "$line" "$src/.config" || die "cannot have $line" ;;
		'# CONFIG_'*' is not set')
			name=${line#'# '}
			! grep -q "^${name%% *}=" "$src/.config" || die "cannot be without ${name%% *}"
			;;
		esac
	done <"$tmp/config"
}

# Of source and objects, keep what modules are built from, at any place.
source_prune() {
	find "$src" -mindepth 1 -maxdepth 1 ! -name Makefile ! -name .config \
		! -name Module.symvers ! -name scripts ! -name include ! -name arch \
		! -name tools -exec rm -r {} +
	find "$src/tools" -mindepth 1 ! -path "$src/tools/objtool" \
		! -path "$src/tools/objtool/objtool" -prune -exec rm -r {} +
	find "$src/arch" -mindepth 1 -maxdepth 1 ! -name um ! -name x86 -exec rm -r {} +
	find "$src/arch" \( -name '*.[coSa]' -o -name '*.cmd' \) -delete
}

# source_entry COMMAND: print the entry, which the command makes as cache_add()
# says if it is not there
source_entry() {
	local entry
	if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
		if source_remembered; then
			return 0
		fi
		die "the source comes as a Debian package: apt-get and dpkg are needed"
	fi
	if find_version "$package"; then
		entry=$cache/${version}_$key
		if [ -f "$entry/kver" ]; then
			printf '%s\n' "$entry"
			return 0
		fi
	elif source_remembered; then
		return 0
	fi

	PATH=$PATH:/usr/sbin:/sbin
	need flock:util-linux xz:xz-utils make:make flex:flex bison:bison bc:bc depmod:kmod
	cache_lock
	if ! find_version "$package"; then
		update_lists "$package"
		find_version "$package" || die "there is no package $package"
	fi
	entry=$cache/${version}_$key
	cache_add "$entry" "$1"
	printf '%s\n' "$entry"
}
