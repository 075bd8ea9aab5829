# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# The kernel's own tree with Lethe in it, and both zsmalloc and zram as modules: they are
# loaded, used, and unloaded. Where the kernel finds the calls that move pages by a page's
# type, since 6.17, the allocator stays. Run if it is named only, the last.

pool=/sys/kernel/debug/lethe
check "zram is loaded" zram_load
check "it is a module" test -e /sys/module/zram/initstate
check "and its allocator, which is Lethe" eval "dmesg | grep -q 'zsmalloc: Lethe, version' &&
	test -e /sys/module/zsmalloc/initstate"
check "which has a policy" test -e /sys/module/zsmalloc/parameters/policy
check "memory is swapped out" eval "swap_start 128M && held_start 16 1"
same "the allocator is in use" "$(rmmod zsmalloc 2>&1 | grep -c .)" 1
check "the memory has its content" held check
check "frees of a killed process are drained" eval "held_kill && within 5 nothing_pending"
check "stop" swap_stop
check "zram is unloaded" rmmod zram
case $KVER in
6.?.* | 6.1[0-6].*)
	check "the allocator is unloaded" rmmod zsmalloc
	check "nothing is left of it" test ! -e $pool
	;;
*)
	check "the allocator stays" eval '! rmmod zsmalloc'
	check "its pools are gone" eval "[ -z \"\$(ls $pool)\" ]"
	;;
esac
check "zram is loaded again" zram_load
check "memory is swapped out again" eval "swap_start 64M && held_start 8 2"
check "it has its content" held check
held_end
check "stop again" swap_stop
