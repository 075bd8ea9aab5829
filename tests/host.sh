#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# What is said where something will not do: kernels, machines without the
# packages, names that are none. Takes seconds. The last line is
# "host: N passed, N failed".
#
# usage: host.sh

set -uo pipefail

cd "$(dirname "$0")/.." || exit 1
passed=0
failed=0
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

# says WHAT STATUS PATTERN COMMAND...: it ends so, and a line of it matches
says() {
	local what=$1 wanted=$2 pattern=$3 status=0 said
	shift 3
	said=$("$@" 2>&1) || status=$?
	if [ "$status" = "$wanted" ] && grep -q -E -- "$pattern" <<<"$said"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'not ok host: %s (status %s)\n' "$what" "$status"
		printf '%s\n' "$said" | sed 's/^/  | /'
	fi
}

# ---- kernels that will not do stop the compiler before anything else ----

require=(gcc -E -include kernel/require.h -x c /dev/null)
says "a kernel that will do" 0 . "${require[@]}" -DCONFIG_64BIT=1
says "a 32-bit kernel" 1 '#error "Lethe needs a 64-bit kernel' "${require[@]}"
# too_old VERSION: what the compiler refuses of it
too_old() {
	mkdir -p "$tmp/headers/linux"
	printf '#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + (c))\n%s\n' \
		"#define LINUX_VERSION_CODE KERNEL_VERSION($1)" >"$tmp/headers/linux/version.h"
	gcc -E -I"$tmp/headers" -x c kernel/compat.h 2>&1 | grep '#error'
}
says "a kernel that is too old" 1 '#error "Lethe needs Linux 6.1 or later' too_old '6, 0, 19'
says "the oldest that is not" 1 '^$' too_old '6, 1, 0'
says "every file of the modules is compiled with it" 0 . \
	grep -e '-include \$(src)/require.h' kernel/Kbuild

# ---- a machine without the packages: bin has what setup.sh itself needs, and
# what a case adds ----

bin=$tmp/bin
mkdir "$bin"
for tool in sh tr sed cat env grep; do
	ln -s "$(command -v $tool)" "$bin/$tool"
done

# tool NAME: a command of that name; the rest of it on stdin
tool() {
	{
		echo '#!/bin/sh'
		cat
	} >"$bin/$1"
	chmod +x "$bin/$1"
}

setup=(env PATH="$bin" scripts/setup.sh)

tool id <<<'echo 1000'
says "no apt: one sentence with the packages" 1 \
	'^setup: there is no apt-get here; .*: make gcc .*qemu-system-x86 ' "${setup[@]}"
says "no apt, modules only: no more than those" 1 \
	'Debian packages hold: make gcc (kmod )?xz-utils$' "${setup[@]}" modules
says "no apt, packages only: what they take" 1 \
	'Debian packages hold: make gcc .*debhelper dh-dkms lintian scdoc$' "${setup[@]}" deb
says "no apt, for arm64: what that takes, beside the rest" 1 \
	'Debian packages hold: gcc-aarch64-linux-gnu qemu-system-arm qemu-user-static$' "${setup[@]}" arm64
says "which is for that alone" 1 '^$' \
	bash -c "env PATH='$bin' scripts/setup.sh 2>&1 | grep aarch64"
tool dpkg-query <<<'printf "installed %s \n" gcc kmod'
says "what is installed is not asked for" 1 \
	'Debian packages hold: make xz-utils$' "${setup[@]}" modules
tool apt-get <<<"echo apt-get \"\$@\" >>$tmp/apt"
says "no right to install: what to run as root" 1 \
	'^setup: no right .* as root, run: apt-get install make xz-utils$' "${setup[@]}" modules
# Asks for a password
tool sudo <<<'[ "$1" != -n ] && exec "$@"'
says "sudo that asks, and nobody there" 1 '^setup: no right' "${setup[@]}" modules </dev/null
says "and nothing was installed" 0 '^$' test ! -e "$tmp/apt"
says "sudo that asks, on a terminal" 0 'installing make xz-utils' \
	script -qec "env PATH=$bin scripts/setup.sh modules" /dev/null
says "it installs what is missing" 0 'apt-get .*install .* make xz-utils$' cat "$tmp/apt"
tool dpkg-query <<<'printf "installed %s \n" make gcc kmod xz-utils'
says "nothing missing: nothing said" 0 '^$' "${setup[@]}" modules
# Packages have other names on Debian 13. All are there but one.
names=$(sed -n "/^packages='/,/^'/p" scripts/setup.sh |
	awk 'NF > 1 { sub(/\|.*/, "", $1); print $1 }' | grep -v mimalloc | tr '\n' ' ')
tool dpkg-query <<<"printf 'installed %s \n' $names"
tool apt-cache <<<'[ "$2" != libmimalloc3 ] || echo "$2 | 3.0 | a mirror"'
tool id <<<'echo 0'
says "a package that has another name in this release" 0 'installing libmimalloc2.0|libmimalloc3$' \
	"${setup[@]}"
says "is installed by the name that apt knows" 0 'apt-get .*install .* libmimalloc3$' \
	tail -n 1 "$tmp/apt"
tool dpkg-query <<<"printf 'installed %s \n' $names libmimalloc3"
says "and counts by any of its names" 0 '^$' "${setup[@]}"
tool id <<<'echo 1000'
says "a group that there is not" 1 '^setup: usage: ' "${setup[@]}" everything

# ---- parts of a test run that build the program at the same time ----

at_once=$tmp/at-once
mkdir -p "$at_once/build"
printf '#!/bin/sh\nmkdir "$2" && sleep 0.2 && : >"$2/build.ninja"\n' >"$at_once/meson"
printf '#!/bin/sh\n' >"$at_once/ninja"
chmod +x "$at_once"/*
# shellcheck disable=SC2016 # for the shells that it starts
says "two parts that build the program at once: one configures, both have it" 0 \
	'/build/user/tools/lethe$' env PATH="$at_once:$PATH" root="$at_once" sh -e -c '
		. tests/lethe.sh &
		. tests/lethe.sh
		wait $!
		echo "$lethe"'

# ---- tarballs that are made at the same time ----

dist=$tmp/dist
mkdir -p "$dist/bin"
cp -R scripts VERSION kernels.txt dkms.conf.in "$dist/"
git -C "$dist" init -q
git -C "$dist" add .
git -C "$dist" -c user.name=test -c user.email=test commit -q -m test
# Takes its time between the first of what it writes and the rest
cat >"$dist/bin/gzip" <<-END
	#!/bin/sh
	whole=\$(mktemp "$dist/whole.XXXXXX")
	$(command -v gzip) "\$@" >"\$whole"
	head -c 1000 "\$whole"
	sleep 0.3
	tail -c +1001 "\$whole"
END
chmod +x "$dist/bin/gzip"
# shellcheck disable=SC2016 # for the shell that it starts
says "two at once: both are made" 0 '^0 0$' env dist="$dist" PATH="$dist/bin:$PATH" bash -c '
	"$dist/scripts/dist.sh" >/dev/null 2>&1 &
	sleep 0.1
	"$dist/scripts/dist.sh" >/dev/null 2>&1
	second=$?
	wait $!
	echo $? $second'
tarball=$dist/build/dist/lethe-$(cat VERSION).tar.gz
says "the tarball is whole" 0 '/dkms.conf$' tar -tzf "$tarball"
says "nothing half made is left" 0 "^${tarball##*/}\$" ls -A "$dist/build/dist"
cp "$tarball" "$dist/first.tar.gz"
says "and it is what one alone makes" 0 '^$' \
	bash -c "'$dist/scripts/dist.sh' >'$dist/said' 2>&1 && cmp '$dist/first.tar.gz' '$tarball'"

# ---- kernels that are newer than this tree ----

# newer RELEASE [LINE]: a kernel that has taken a function away; or whose modpost says LINE
newer() {
	mkdir -p "$tmp/newer/build"
	echo "$1" >"$tmp/newer/kver"
	if [ $# = 2 ]; then
		printf 'modules:\n\t@echo %s; false\n' "'$2'" >"$tmp/newer/build/Makefile"
	else
		cat >"$tmp/newer/build/Makefile" <<-'END'
			modules:
			    @printf 'long f(void);\nlong g(void)\n{\n\treturn pages_in_bulk();\n}\n' >$(M)/new.c
			    @gcc -Werror=implicit-function-declaration -c $(M)/new.c -o /dev/null
		END
		sed -i 's/^    /\t/' "$tmp/newer/build/Makefile"
	fi
	scripts/build-modules.sh "$tmp/newer"
}
says "a newer kernel: one sentence with the call that has changed" 1 \
	'^build-modules: Linux 99.9.1 is newer than .*, and differs: new.c:4:.*pages_in_bulk' \
	newer 99.9.1
says "and with the one that modules may not call any more" 1 \
	'^build-modules: Linux 99.9.1 is newer than .*, and differs: nothing is named pages_in_bulk for modules' \
	newer 99.9.1 'ERROR: modpost: "pages_in_bulk" [lethe.ko] undefined!'
says "a known kernel: what the compiler says" 1 '^build-modules: the build for 6.1.99 failed' \
	newer 6.1.99
rm -rf build/modules/{99.9.1,6.1.99}

# ---- packages: which kernels they are for ----

# of KERNEL: does dkms.conf let DKMS build for it?
of() {
	scripts/module-source.sh -c "$tmp/dkms.conf" &&
		bash -c "kernelver=$1; . $tmp/dkms.conf; [[ $1 =~ \$BUILD_EXCLUSIVE_KERNEL ]]"
}

says "DKMS builds for the oldest kernel of the table" 0 '^$' of 6.1.0-56-amd64
says "for one in between" 0 '^$' of 6.8.0-45-generic
says "and for the newest" 0 '^$' of "$(scripts/kernels.sh get newest series).2-cloud-amd64"
says "not for one that is older" 1 '^$' of 6.0.19
says "not for one that nobody knows" 1 '^$' of 99.9.0
says "not for one that only begins like one" 1 '^$' of 6.100.1
# on MACHINE: is it for that?
on() {
	scripts/module-source.sh -c "$tmp/dkms.conf" &&
		bash -c ". $tmp/dkms.conf; [[ $1 =~ \$BUILD_EXCLUSIVE_ARCH ]]"
}
says "they are for x86-64" 0 '^$' on x86_64
says "and for arm64" 0 '^$' on aarch64
says "not for a machine that nobody tests" 1 '^$' on riscv64

# ---- make install, where it cannot ----

says "a kernel that is not there" 1 \
	'^install: Linux 6.12.0-none: no kernel of this name is installed; its own zram stays' \
	env KVER=6.12.0-none DESTDIR="$tmp/a tree" scripts/install.sh install-modules
says "DESTDIR that is no whole path" 1 '^install: DESTDIR is a whole path' \
	env DESTDIR=here scripts/install.sh install
says "and nothing was installed" 0 '^$' test ! -e "$tmp/a tree"

# ---- paths with a space, which Kbuild cannot stand ----

spaced="$tmp/a b"
mkdir -p "$spaced/tree" "$spaced/kernel/build/include/generated" "$spaced/tmp"
cp -R scripts VERSION kernels.txt "$spaced/tree/"
says "modules in a tree at a path with a space: one sentence" 1 \
	"^build-modules: Kbuild cannot build at, .* a path with a space or colon in it: $spaced/tree\$" \
	env XDG_CACHE_HOME="$tmp/no-cache" "$spaced/tree/scripts/build-modules.sh" 6.12-cloud-amd64
says "nothing was made there" 0 '^$' test ! -e "$spaced/tree/build"
says "nor downloaded" 0 '^$' test ! -e "$tmp/no-cache"
echo 99.9.2 >"$spaced/kernel/kver"
printf 'modules:\n\t@touch $(M)/made\n' >"$spaced/kernel/build/Makefile"
: >"$spaced/kernel/build/include/generated/autoconf.h"
says "modules for a kernel at a path with a space: one sentence" 1 \
	"^build-modules: Kbuild cannot build at, .* a path with a space or colon in it: $spaced/kernel\$" \
	scripts/build-modules.sh "$spaced/kernel"
says "nothing was made for it" 0 '^$' test ! -e build/modules/99.9.2
spaced_install=(env DESTDIR="$tmp/spaced-dest" KVER=6.12.0-none)
says "make install, headers at a path with a space: one sentence" 1 \
	"^install: Kbuild cannot build at a path .*: $spaced/kernel/build; Linux 6.12.0-none keeps its own zram\$" \
	"${spaced_install[@]}" KDIR="$spaced/kernel/build" scripts/install.sh install
mv "$spaced/kernel" "$tmp/kernel"
says "make install, a directory for temporary files at one: one sentence" 1 \
	"^install: Kbuild cannot build at a path .*: $spaced/tmp/[^;]*; Linux 6.12.0-none keeps its own zram\$" \
	"${spaced_install[@]}" KDIR="$tmp/kernel/build" TMPDIR="$spaced/tmp" scripts/install.sh install
says "nothing was installed, nor left" 0 '^$' \
	bash -c "[ ! -e '$tmp/spaced-dest' ] && [ -z \"\$(ls -A '$spaced/tmp')\" ]"

# ---- scripts that are root's ----

user=$tmp/user
mkdir "$user"
# A user that has a sudo; it asks if ASKS is set, and else says what it is to run.
printf '#!/bin/sh\necho 1000\n' >"$user/id"
# shellcheck disable=SC2016 # for the script to expand
printf '#!/bin/sh\n[ -z "$ASKS" ] || exit 1\n[ "$2" = true ] || echo sudo "$@"\n' >"$user/sudo"
chmod +x "$user"/*
for script in package systems/run clone; do
	words=(-q bookworm)
	[ $script != clone ] || words=(bookworm 'a b')
	says "tests/$script.sh by a user, and sudo that asks" 1 'is not root, nor does sudo let it be$' \
		env ASKS=1 XDG_CACHE_HOME="$tmp/of user" PATH="$user:$PATH" "tests/$script.sh" bookworm
	says "and sudo that does not: it runs again as root, with the user's cache" 0 \
		"^sudo -n env XDG_CACHE_HOME=$tmp/of user AS_ROOT_FOR=1000 tests/$script.sh ${words[*]}\$" \
		env ASKS= XDG_CACHE_HOME="$tmp/of user" PATH="$user:$PATH" "tests/$script.sh" "${words[@]}"
done
says "the user can write to that cache" 0 '^$' test -d "$tmp/of user/lethe"
says "what writes into the tree is run as the user" 0 '^sudo -n -H -u #1000 scripts/deb.sh$' \
	env ASKS= AS_ROOT_FOR=1000 PATH="$user:$PATH" \
	bash -c '. scripts/as-root.sh && as_caller scripts/deb.sh'
says "which root is if it has called itself" 0 '^as it is$' \
	env -u AS_ROOT_FOR bash -c '. scripts/as-root.sh && as_caller echo as it is'

# ---- names that are none ----

says "a directory that is no kernel" 1 "^build-modules: '$tmp' is no directory that" \
	scripts/build-modules.sh "$tmp"
says "no name of a kernel" 1 "cannot be the name of a kernel" scripts/build-modules.sh '../x'
tool apt-cache </dev/null
tool dpkg </dev/null
says "a kernel that there is not" 1 \
	"^kernel-fetch: package linux-image-nonsense is unknown here: there is none, or " \
	env PATH="$bin:$PATH" XDG_CACHE_HOME="$tmp/cache" scripts/kernel-fetch.sh nonsense

# ---- words that are none: nothing is done ----

for script in tests/package.sh tests/systems/run.sh tests/run.sh bench/demo.sh bench/storm.sh \
	bench/busy.sh bench/phone.sh bench/native.sh; do
	says "$script: a word that means nothing" 1 '^([a-z]+: )?usage: ' timeout 10 "$script" nonsense
	says "$script: an option that there is not" 1 '^([a-z]+: )?usage: ' timeout 10 "$script" -X
done
says "bench/user.sh: a word that means nothing" 2 '^usage: ' timeout 10 bench/user.sh nonsense
says "tests/run.sh: an architecture that it does not know" 1 '^usage: ' timeout 10 tests/run.sh -m vax

# ---- kernels of other suites, and other suites' compilers ----

says "no mirror of Debian" 1 "^kernel-fetch: this machine's apt gets nothing from a mirror" \
	env PATH="$bin:$PATH" XDG_CACHE_HOME="$tmp/cache" scripts/kernel-fetch.sh newest
says "no name of a suite" 1 "^userland: '../x' cannot be the name of a suite" \
	scripts/userland.sh ../x true
says "no root, and a sudo that asks: another suite's compiler is not to be had" 1 \
	"^userland: to build in Debian's sid, root is needed, or sudo that asks for no password" \
	env PATH="$bin:$PATH" scripts/userland.sh sid true
says "no architecture" 1 "^'vax' is no architecture that is known here" \
	scripts/sysroot-fetch.sh vax
says "no architecture to build for" 1 "^'vax' is no architecture" scripts/userland.sh -a vax sid true
says "the machine's own suite is the machine" 0 "^$(id -u)$" \
	scripts/userland.sh "$(. /etc/os-release && echo "$VERSION_CODENAME")" id -u

# ---- tests/run.sh adds up its parts: the same script, where each part is one line ----

sum=$tmp/sum
mkdir "$sum"
cp --parents tests/run.sh scripts/kernels.sh kernels.txt "$sum"
for part in $(grep -o -E '(tests|scripts)/[a-z/-]*\.sh' tests/run.sh | sort -u); do
	[ ! -e "$sum/$part" ] || continue
	mkdir -p "$sum/${part%/*}"
	printf '#!/bin/sh\necho "a-part: 2 passed, 0 failed"\n' >"$sum/$part"
	chmod +x "$sum/$part"
done
whole=$("$sum/tests/run.sh" | sed -n '$s/ passed.*//p')
says "every part counts" 0 "^$whole passed, 0 failed\$" "$sum/tests/run.sh"
echo 'exit 3' >"$sum/tests/rivals.sh"
says "one that does not come to its end is a failure" 1 \
	"^$((whole - 2)) passed, 1 failed\$" "$sum/tests/run.sh"
says "and is named at the end" 1 '^failed in rivals: rivals did not come to its end \(status 3\)' \
	"$sum/tests/run.sh"
echo 'echo "a-part: 0 passed, 0 failed"' >"$sum/tests/rivals.sh"
says "and one that checks nothing" 1 "^$((whole - 2)) passed, 1 failed\$" "$sum/tests/run.sh"
says "which is named, too" 1 '^failed in rivals: rivals has checked nothing' "$sum/tests/run.sh"
echo 'kill -9 "$PPID"; sleep 1' >"$sum/tests/rivals.sh"
says "so is one that is killed" 1 "^$((whole - 2)) passed, 1 failed\$" \
	"$sum/tests/run.sh"

printf 'host: %d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
