#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# The packages, make install and the tarball on a Debian system that is not booted:
# install, upgrade the kernel, remove, and machines on which something is missing. Each
# case gets the system of scripts/system-fetch.sh anew, as a layer that goes with it.
# To be run as root, or where sudo does not ask. The last line is "package: N passed, N failed".
#
# usage: package.sh [-q] [SUITE]
#
# SUITE is trixie on Debian 13 if none is given, else bookworm: tools that are built on a
# newer Debian do not run on an older one. -q: what takes no more than one build of the
# modules.

set -uo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
options=("$@")
quick=no

usage() {
	echo 'usage: package.sh [-q] [bookworm|trixie]'
	exit 1
}

while getopts q option; do
	case $option in
	q) quick=yes ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
# shellcheck source=scripts/suite.sh
suite=${1:-$(. "$root/scripts/suite.sh" && machine_suite)}
[ $# != 0 ] || [ "$suite" = trixie ] || suite=bookworm
case $#:$suite in
[01]:bookworm | [01]:trixie) ;;
*) usage ;;
esac

finish() {
	printf 'package: %d passed, %d failed\n' "$passed" "$failed"
	[ "$failed" = 0 ]
	exit
}

passed=0
failed=0
# shellcheck source=scripts/as-root.sh
. "$root/scripts/as-root.sh"
if ! as_root "$0" "${options[@]}"; then
	echo "not ok package: systems are root's, and this is not root, nor does sudo let it be"
	failed=1
	finish
fi
# shellcheck source=tests/systems/layer.sh
. "$root/tests/systems/layer.sh"
own_mounts "$0" "${options[@]}"

version=$(cat "$root/VERSION")
as_caller "$root/scripts/deb.sh" >&2 || { failed=1 && finish; }
system=$("$root/scripts/system-fetch.sh" "$suite") || { failed=1 && finish; }
kver=$(cat "$system/kver")
modules=/lib/modules/$kver
as_pattern=${kver//+/[+]}
said=$work/said

# The system, anew, with the packages
begin() {
	system_begin "$system"
	cp "$root"/build/deb/*.deb "$sys/root/"
}

result() {
	if [ "$1" = 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'not ok package: %s\n' "$2"
		tail -n 30 "$said" | sed 's/^/  | /'
	fi
}

# works NAME COMMAND; fails NAME COMMAND: inside
works() {
	inside "$2"
	result $? "$1"
}

fails() {
	! inside "$2"
	result $? "$1"
}

# told NAME ERE: of what the last command said, one line matches
told() {
	[ "$(grep -c -E -- "$2" "$said")" = 1 ]
	result $? "$1"
}

takes() {
	works "$1: modprobe takes $2" "modinfo -k ${3:-$kver} -F filename zram | grep -q '$2'"
}

# Nothing of ours is left for any kernel
nothing() {
	works "$1: nothing is installed" '[ -z "$(find /lib/modules -path "*updates*" -name "*.ko*")" ]'
	works "$1: nothing is half built" '[ -z "$(find /var/lib/dkms -name "*.ko*" -o -name "*.o")" ]'
}

# The next version of the package, as it would be: sets next, and makes /root/next.deb
next_package() {
	local tree=$work/next
	next=${version%.*}.$((${version##*.} + 1))
	dpkg-deb -R "$root/build/deb/lethe-dkms_${version}_all.deb" "$tree"
	mv "$tree/usr/src/lethe-$version" "$tree/usr/src/lethe-$next"
	sed -i "s/${version//./[.]}/$next/g" "$tree"/DEBIAN/* "$tree/usr/src/lethe-$next"/{VERSION,dkms.conf}
	dpkg-deb --root-owner-group -b "$tree" "$sys/root/next.deb" >/dev/null
}

install="dpkg -i /root/lethe-dkms_${version}_all.deb"

# on_this_machine COMMAND...: a function, where the system does not matter
on_this_machine() {
	said=$work/said
	"$@" >"$said" 2>&1
}

# ---- make install and make uninstall as a whole, after DESTDIR ----

# files_below DIRECTORY: but for depmod's index, which is made anew
files_below() {
	(cd "$1" && find . ! -type d ! -path './lib/modules/*/modules.*' | LC_ALL=C sort)
}

# A kernel that builds anything: what is tested is which files come and go.
dest="$work/a dest"
dest_modules=$dest/lib/modules/6.12.0-test
mkdir -p "$work/headers/include/generated" "$dest_modules/updates" \
	"$dest_modules/kernel/drivers/block/zram" "$dest/usr/local/include/lethe-else" \
	"$dest/usr/local/share/man/man1"
: >"$work/headers/include/generated/autoconf.h"
printf 'modules:\n\tset -e; for name in lethe zram; do gcc -c -x c /dev/null -o $(M)/kernel/$$name/$$name.ko; done\n' \
	>"$work/headers/Makefile"
: >"$dest_modules/modules.builtin"
: >"$dest_modules/modules.order"
for file in "$dest_modules"/updates/other.ko "$dest_modules"/kernel/drivers/block/zram/zram.ko; do
	gcc -c -x c /dev/null -o "$file"
done
for file in include/lethe-else/else.h bin/lethe-else share/man/man1/lethe-else.1; do
	mkdir -p "$dest/usr/local/${file%/*}"
	echo else >"$dest/usr/local/$file"
done
files_below "$dest" >"$work/before"

make_dest() {
	make -C "$root" "$1" DESTDIR="$dest" KVER=6.12.0-test KDIR="$work/headers"
}

# came PATTERN...: of each, install has put one file there that is not empty
came() {
	local pattern
	for pattern; do
		[ "$(find "$dest" -path "$dest$pattern" -size +0 | wc -l)" = 1 ] ||
			{ echo "no $pattern" && return 1; }
	done
}

on_this_machine make_dest install
result $? "make install, DESTDIR"
on_this_machine came /usr/local/bin/lethe '/usr/local/lib/*/liblethe.so.0.*' \
	/usr/local/include/lethe/zsmalloc.h '/usr/local/lib/*/pkgconfig/lethe.pc' \
	/usr/local/share/man/man1/lethe.1 /usr/local/share/man/man3/lethe.3 \
	/lib/modules/6.12.0-test/updates/{lethe,zram}.ko
result $? "make install, DESTDIR: program, library, manual pages and modules are there"
on_this_machine make_dest uninstall
result $? "make uninstall, DESTDIR"
files_below "$dest" >"$work/after"
on_this_machine diff "$work/before" "$work/after"
result $? "make uninstall, DESTDIR: what was there before is there, and nothing else"

# ---- library and tools, as packages ----

# Files of packages, and what else is not the same from one moment to the next
all_files() {
	inside "find / -xdev ! -type d ! -path '/root/*' ! -path '/var/lib/dpkg/*' ! -path '/var/log/*' \
		! -path '/var/cache/*' ! -path /etc/ld.so.cache | LC_ALL=C sort"
	cp "$said" "$1"
}

begin
works "manual pages are installed, too" "rm -f /etc/dpkg/dpkg.cfg.d/*mmdebstrap*; ! grep -rq path-exclude /etc/dpkg"
all_files "$work/before"
works "install library and tools" \
	"dpkg -i /root/lethe-tools_*.deb /root/liblethe0_*.deb /root/liblethe-dev_*.deb"
works "the command says its version" "lethe --version | grep -q -F '$version'"
works "it works" "mkdir -p /root/none/sys/block && lethe stat --sysroot /root/none | grep -qx 'zram *not loaded'"
works "manual pages are there" \
	"for page in man1/lethe.1 man3/lethe.3; do zcat /usr/share/man/\$page.gz | grep -q '^\.TH'; done"
cat >"$sys/root/p.c" <<-'END'
	#include <stdio.h>
	#include <string.h>
	#include <lethe/zsmalloc.h>
	int main(void)
	{
		struct zs_pool *pool;

		if (zs_create_pool("p", 0, &pool))
			return 1;
		zs_destroy_pool(pool);
		puts("a pool");
		return 0;
	}
END
# The headers of Debian 13's kernels bring gcc-14, and no program "gcc".
cc='$(command -v gcc || ls /usr/bin/gcc-[0-9]*)'
works "a program is built with pkg-config" \
	"cd /root && $cc -Wall -Werror p.c -o p \$(pkg-config --cflags --libs lethe) && ./p | grep -qx 'a pool'"
works "by this library" "ldd /root/p | grep -q 'liblethe.so.0 => /usr/lib/\|liblethe.so.0 => /lib/'"
works "pkg-config knows the version" "pkg-config --modversion lethe | grep -qxF '$version'"
works "and without the shared one" "cd /root && $cc p.c -o p -static -llethe -lpthread && ./p"
works "remove what programs are built with" "dpkg -r liblethe-dev"
works "programs run as before" "test ! -e /usr/include/lethe && lethe --version"
works "remove library and tools" "dpkg -r lethe-tools liblethe0"
works "purge them" "dpkg -P lethe-tools liblethe0 liblethe-dev"
all_files "$work/after"
on_this_machine diff "$work/before" "$work/after"
result $? "nothing is left of library and tools"
works "nor does dpkg know them" "! dpkg-query -W 'lethe*' 'liblethe*' 2>/dev/null | grep ."
system_end

# ---- as it is meant to be ----

# With Secure Boot and an older version loaded, as far as a system shows it that has no
# /sys of its own
begin
mkdir -p "$sys/sys/module/lethe" "$sys/sys/module/zram"
echo 0.0.1 | tee "$sys/sys/module/lethe/version" >"$sys/sys/module/zram/version"
echo live >"$sys/sys/module/zram/initstate"
mkdir -p "$sys/sys/kernel/security"
echo 'none [integrity] confidentiality' >"$sys/sys/kernel/security/lockdown"
works "install" "$install"
told "Secure Boot: says what to do" "^lethe-dkms: this system loads signed modules only .*'mokutil --import /var/lib/dkms/mok.pub'"
told "an older version is loaded: says so" \
	"^lethe-dkms: the zram that is loaded is Lethe's 0.0.1; $version comes with the next boot, or when"
works "and that is the key" "openssl x509 -inform der -in /var/lib/dkms/mok.pub -noout"
works "DKMS has it" "dkms status -m lethe | grep -q '$kver.*: installed'"
takes "installed" "$modules/updates/dkms/zram.ko"
works "it is of this version" "[ \"\$(modinfo -k $kver -F version zram)\" = $version ]"
works "both modules are signed" "modinfo -k $kver -F signer zram lethe | grep -c . | grep -qx 2"
works "the kernel's own is kept, where it was or by DKMS" \
	"ls $modules/kernel/drivers/block/zram/zram.ko* || ls /var/lib/dkms/lethe/original_module/$kver/*/zram.ko*"
if [ $quick = no ]; then
	newer=$(cat "$system/kver-newer")
	cp -r "$system/newer" "$sys/root/"
	works "a kernel upgrade" "dpkg -i /root/newer/*.deb"
	works "DKMS has built for it" "dkms status -m lethe | grep -q '$newer.*: installed'"
	takes "upgraded" "/lib/modules/$newer/updates/dkms/zram.ko" "$newer"
	works "install once more" "$install"
	takes "installed once more" "$modules/updates/dkms/zram.ko"
	takes "and for the newer kernel" "/lib/modules/$newer/updates/dkms/zram.ko" "$newer"

	next_package
	works "an upgrade to the next version" "dpkg -i /root/next.deb"
	for release in "$kver" "$newer"; do
		works "upgraded: DKMS has it for $release" \
			"dkms status -m lethe -k $release | grep '$next.*: installed'"
		takes "upgraded" "/lib/modules/$release/updates/dkms/zram.ko" "$release"
		works "upgraded: both modules are of it" \
			"[ \"\$(modinfo -k $release -F version zram lethe | sort -u)\" = $next ]"
	done
	works "nothing is left of the version before" "! dkms status | grep -F 'lethe/$version' &&
		! ls -d /usr/src/lethe-$version /var/lib/dkms/lethe/$version"
fi
works "remove" "dpkg -r lethe-dkms"
takes "removed" "$modules/kernel/drivers/block/zram/zram.ko"
nothing "removed"
works "no source is left" '! ls -d /usr/src/lethe-* /var/lib/dkms/lethe'
works "purge" "dpkg -P lethe-dkms"
works "nothing of that name is left" \
	'! find / -xdev -name "*lethe*" ! -path "/root/*" ! -path "/sys/*" ! -path "/etc/systemd/*" | grep .'
system_end

# ---- kernels that get nothing, and machines that lack something ----

begin
works "a kernel with zram built in, to be" \
	"echo kernel/drivers/block/zram/zram.ko >>$modules/modules.builtin"
works "zram built in: installs" "$install"
told "zram built in: says so" "^lethe-dkms: Linux $as_pattern: zram is built into it .*own zram stays"
nothing "zram built in"
works "zram built in: removes" "dpkg -r lethe-dkms"
system_end

begin
works "a kernel without headers, to be" "rm $modules/build"
works "no headers: installs" "$install"
told "no headers: says so" "^lethe-dkms: Linux $as_pattern: its headers are not installed .*own zram stays"
nothing "no headers"
system_end

# apt would bring DKMS; dpkg alone does not.
begin
works "DKMS is not installed, to be" "dpkg -r --force-depends dkms && ! command -v dkms"
fails "no DKMS: says no" "$install"
told "no DKMS: says what is missing" "^ *lethe-dkms depends on dkms .*however:$"
nothing "no DKMS"
takes "no DKMS" "$modules/kernel/drivers/block/zram/zram.ko"
works "no DKMS: removes" "dpkg -P lethe-dkms"
works "no DKMS: no source is left" '! ls -d /usr/src/lethe-*'
# make install builds by itself then, and wants headers.
mkdir -p "$sys/root/a b"
tar -C "$root" -c --exclude=./build --exclude=./.git . | tar -C "$sys/root/a b" -x
works "neither DKMS nor headers, to be" "rm $modules/build"
fails "make, neither DKMS nor headers: says no" "cd '/root/a b' && make install-modules KVER=$kver"
told "make, neither DKMS nor headers: says why" \
	"^install: Linux $as_pattern: its headers are not installed .*own zram stays"
nothing "make, neither DKMS nor headers"
system_end

begin
works "an unknown kernel, to be" "mv $modules /lib/modules/9.9.0"
works "unknown kernel: installs" "$install"
told "unknown kernel: says so" "^lethe-dkms: Linux 9.9.0: Lethe $version is not for this kernel; its own"
nothing "unknown kernel"
system_end

begin
mkdir -p "$sys/var/lib/dkms"
mount -t tmpfs -o size=1M none "$sys/var/lib/dkms"
fails "full disk: says no" "$install"
told "full disk: says why" "^lethe-dkms: no space is left to build the modules in; each kernel keeps"
nothing "full disk"
takes "full disk" "$modules/kernel/drivers/block/zram/zram.ko"
works "full disk: can be removed" "dpkg -r lethe-dkms"
system_end

[ $quick = no ] || finish

# Room for one module, not for both
begin
mkdir "$sys$modules/updates"
mount -t tmpfs -o size=36K none "$sys$modules/updates"
fails "full disk at the end: says no" "$install"
told "full disk at the end: says why" "^lethe: the modules for Linux $as_pattern could not be copied"
works "full disk at the end: none is there" "[ -z \"\$(find $modules/updates -name '*.ko*')\" ]"
takes "full disk at the end" "$modules/kernel/drivers/block/zram/zram.ko"
umount "$sys$modules/updates"
works "full disk at the end: can be mended" "dpkg --configure lethe-dkms"
takes "mended" "$modules/updates/dkms/zram.ko"
system_end

# ---- make install, at a path with a space ----

tree="/root/a b/lethe"
begin
mkdir -p "$sys$tree"
tar -C "$root" -c --exclude=./build --exclude=./.git . | tar -C "$sys$tree" -x
make="cd '$tree' && make"
works "make install-modules, DKMS" "$make install-modules"
told "it says for which kernel" "^installed for Linux $as_pattern by DKMS$"
takes "make install-modules, DKMS" "$modules/updates/dkms/zram.ko"
works "make uninstall, DKMS" "$make uninstall"
takes "make uninstall, DKMS" "$modules/kernel/drivers/block/zram/zram.ko"
nothing "make uninstall, DKMS"

mkdir -p "$sys/sys/kernel/security"
echo 'none [integrity] confidentiality' >"$sys/sys/kernel/security/lockdown"
works "make install-modules, Secure Boot" "$make install-modules"
told "make, Secure Boot: says what to do" "^install: this system loads signed modules only .*'mokutil --import"
works "make uninstall, Secure Boot" "$make uninstall"
works "DKMS is not there, to be" "mv /usr/sbin/dkms /root/ &&
	printf '#!/bin/sh\necho $kver\n' >/usr/local/bin/uname && chmod +x /usr/local/bin/uname"
make_here="cd '$tree' && PATH=/usr/local/bin:\$PATH make"
fails "make, Secure Boot without DKMS: says no" "$make_here install-modules"
told "make, Secure Boot without DKMS: says why" "^install: this system loads signed modules only .*keeps its own zram$"
nothing "make, Secure Boot without DKMS"
rm "$sys/sys/kernel/security/lockdown"
works "make install-modules without DKMS" "$make_here install-modules"
told "it says that it is for one kernel" "^install: DKMS is not installed: the modules are for Linux $as_pattern alone"
takes "make install-modules without DKMS" "$modules/updates/zram.ko"
works "make uninstall without DKMS" "$make_here uninstall"
nothing "make uninstall without DKMS"
works "uname is the system's again" "rm /usr/local/bin/uname"
make="$make KVER=$kver"
works "make install-modules, plain" "$make install-modules"
takes "make install-modules, plain" "$modules/updates/zram.ko"
works "make uninstall, plain" "$make uninstall"
takes "make uninstall, plain" "$modules/kernel/drivers/block/zram/zram.ko"
nothing "make uninstall, plain"

mkdir "$sys$modules/updates"
mount -t tmpfs -o size=200K none "$sys$modules/updates"
fails "make, full disk: says no" "$make install-modules"
told "make, full disk: says why" "^install: the modules could not be copied .*keeps its own zram$"
nothing "make, full disk"
umount "$sys$modules/updates"

works "depmod that prefers the kernel's, to be" \
	"mkdir -p /etc/depmod.d && echo search built-in updates >/etc/depmod.d/contrary.conf"
fails "contrary depmod: says no" "$make install-modules"
told "contrary depmod: says why" "^install: depmod's configuration prefers .*keeps its own zram$"
nothing "contrary depmod"

fails "make, another kernel: says no" "cd '$tree' && make install-modules KVER=6.12.0"
told "make, another kernel: says why" "^install: Linux 6.12.0: no kernel of this name is installed"
works "make, a kernel without headers, to be" "mv $modules/build /root/"
fails "make, no headers: says no" "$make install-modules"
told "make, no headers: says why" "^install: Linux $as_pattern: its headers are not installed"
works "make, zram built in, to be" "mv /root/build $modules/ &&
	echo kernel/drivers/block/zram/zram.ko >>$modules/modules.builtin"
fails "make, zram built in: says no" "$make install-modules"
told "make, zram built in: says why" "^install: Linux $as_pattern: zram is built into it"
nothing "make, zram built in"
system_end

# ---- the tarball, as other distributions take it ----

begin
if git -C "$root" rev-parse -q --verify HEAD >/dev/null 2>&1; then
	tarball=$(as_caller "$root/scripts/dist.sh" 2>/dev/null)
	cp "$tarball" "$sys/root/"
	works "the tarball" "tar -C /usr/src -xf /root/lethe-$version.tar.gz &&
		dkms install lethe/$version -k $kver"
	takes "the tarball" "$modules/updates/dkms/zram.ko"
	works "the tarball goes" "dkms remove lethe/$version --all"
	takes "the tarball goes" "$modules/kernel/drivers/block/zram/zram.ko"
fi
system_end
finish
