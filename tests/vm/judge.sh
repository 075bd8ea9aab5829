#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Judge the judge: boots that must be found bad, by boot.sh and by run.sh, and
# some that must not. Those that show what a kernel says are real; for the rest
# a script stands in for QEMU, and plays a console.
#
# usage: judge.sh KERNEL
#
# KERNEL is a name for kernel-fetch.sh. The last line is "judge: N passed, N failed".

set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
work=$top/build/vm/judge
passed=0
failed=0

[ $# = 1 ] || {
	printf 'usage: judge.sh KERNEL\n' >&2
	exit 1
}
kernel=$("$top/scripts/kernel-fetch.sh" "$1")
rm -rf "$work"
mkdir -p "$work/module" "$work/bin"

pass() {
	passed=$((passed + 1))
}

fail() {
	failed=$((failed + 1))
	printf 'not ok judge: %s\n' "$*"
}

# said WHAT PATTERN FILE: a line of FILE matches the extended regular expression
said() {
	if grep -a -q -E "$2" "$3"; then
		pass
	else
		fail "$1: no '$2' in ${3#"$top/"}"
	fi
}

# judged WHAT PATTERN BOOT SECONDS WORD...: what BOOT, a boot.sh, says of a boot;
# it says nothing of one that is good
judged() {
	local what=$1 pattern=$2 boot=$3 seconds=$4 status=0
	shift 4
	log=$work/$what.log
	"$boot" "$kernel" "$work/cpio" "$log" "$work/$what.results" "$seconds" 160 2 "$@" \
		>"$work/$what.verdict" 2>&1 || status=$?
	if [ -z "$pattern" ]; then
		[ "$status" = 0 ] && pass || fail "$what: $(cat "$work/$what.verdict")"
	elif [ "$status" = 0 ]; then
		fail "$what: was found good"
	else
		said "$what" "$pattern" "$work/$what.verdict"
	fi
}

# ---- real boots ----

debug=$("$top/scripts/build-modules.sh" "$kernel" debug512)
cp "$here/judge/Kbuild" "$here/judge/misuse.c" "$work/module/"
"$top/scripts/kbuild.sh" "$kernel" M="$work/module" LETHE="$top" W=1 \
	KBUILD_EXTRA_SYMBOLS="$debug/obj/Module.symvers" modules >"$work/module.log" 2>&1 || {
	cat "$work/module.log"
	exit 1
}
"$here/image.sh" "$work/cpio" "$kernel" - 1 "$here/judge/init:/init" \
	"$here/guest/lib.sh:/lib.sh" "$work/module/misuse.ko:/misuse.ko" \
	"$debug/lethe.ko:/lethe.ko"

judged stop '^the guest stopped before the end$' "$here/boot.sh" 120 CASE=stop
judged panic 'complained: .*(BUG|Oops|panic)' "$here/boot.sh" 120 CASE=panic
# What a release says is the same line, without the stack trace.
judged misuse 'complained: .*lethe: pool misused, handle' "$here/boot.sh" 120 CASE=misuse
said misuse 'pool misused, handle 0x[0-9a-f]{1,5}, zs_free\(\): ' "$log"
said misuse 'pool misused, handle 0x123456, zs_free\(\): ' "$log"
said misuse 'pool misused, handle 0x[0-9a-f]+, zs_free_deferred\(\): ' "$log"
said misuse '^end' "$work/misuse.results"

# ---- a script for QEMU ----

real=$(command -v qemu-system-x86_64)
cat >"$work/bin/qemu-system-x86_64" <<END
#!/bin/sh
# What has no console is no boot, but a probe; this one is new enough (qemu-fetch.sh).
case "\$*" in
--version) echo "QEMU emulator version 99.0"; exit ;;
*file:*) ;;
*) exec "$real" "\$@" ;;
esac
for word; do
	case \$word in
	file:*) console=\$results results=\${word#file:} ;;
	esac
done
. "$work/play"
END
chmod +x "$work/bin/qemu-system-x86_64"
PATH=$work/bin:$PATH

# play WHAT PATTERN SECONDS: as judged(), of what the shell commands on stdin do
play() {
	cat >"$work/play"
	judged "$1" "$2" "$work/tests/vm/boot.sh" "$3"
}

# boot.sh, with another accel.sh beside it
mkdir -p "$work/tests/vm"
ln -s "$top/scripts" "$work/scripts"
cp "$here/boot.sh" "$work/tests/vm/"
printf '#!/bin/sh\necho kvm\n' >"$work/tests/vm/accel.sh"
chmod +x "$work/tests/vm/accel.sh"

play good '' 60 <<'END'
echo 'Linux version 6.12' >"$console"
echo end >"$results"
END
while read -r line; do
	play complaint 'complained: ' 60 <<END
echo '[    1.000000] $line' >"\$console"
echo end >"\$results"
END
done <<'END'
Buffer I/O error on dev zram0, logical block 7, async page read
EXT4-fs error (device zram0): ext4_lookup:1855: inode #2: comm ls: bad
Read-error on swap-device (254:0:8)
WARNING: CPU: 0 PID: 1 at mm/page_alloc.c:1
BUG: kernel NULL pointer dereference, address: 0000000000000000
watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [sh:1]
INFO: task sh:1 blocked for more than 120 seconds.
rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
INFO: trying to register non-static key.
BUG kmalloc-64 (Tainted: G           O    ): Right Redzone overwritten
kmemleak: Cannot insert 0xffff888007340000 into the object search tree (overlaps existing)
ODEBUG: Out of memory. ODEBUG disabled
pagealloc: single bit error
rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 1-... } 26 jiffies s: 69
** 12 printk messages dropped **
sysfs: cannot create duplicate filename '/devices/virtual/block/zram1'
vmtest: page allocation failure: order:0, mode:0xcc0(GFP_KERNEL), nodemask=(null)
END
play watched '' 60 <<'END'
echo 'kmemleak: Kernel memory leak detector initialized (mem pool available: 15000)' >"$console"
echo 'Call Trace: ? kmemleak_alloc+0x10/0x20' >>"$console"
echo end >"$results"
END

# race FUNCTION PATTERN [WHERE]: what is said of a data race in which that function has a
# part
race() {
	play race "$2" 60 <<END
cat >"\$console" <<'REPORT'
[    1.000000] ==================================================================
[    1.000001] BUG: KCSAN: data-race in ${3-xas_load / $1}
[    1.000002]
[    1.000003] read to 0xffff8880069b8010 of 8 bytes by task 77 on cpu 1:
[    1.000004]  $1
[    1.000005]  ksys_write+0xa0/0xd0
[    1.000006] Reported by Kernel Concurrency Sanitizer on:
[    1.000007] ==================================================================
REPORT
echo end >"\$results"
END
}
race vfs_write+0x10/0x20 ''
said race 'data-race in xas_load / vfs_write' "$log.races"
race 'zram_slot_free_notify+0x10/0x20 [zram]' 'complained: .*KCSAN: data-race in xas_load / zram_slot_free'
race 'write_words+0x10/0x20 [zram]' '' '__blk_flush_plug+0x200/0x260'
race 'write_words+0x10/0x20 [zram]' '' '__blk_flush_plug / kthread_data'
race 'write_words+0x10/0x20 [zram]' 'complained: .*KCSAN: data-race in __blk_flush_plug' \
	'__blk_flush_plug+0x200/0x260 / write_words+0x10/0x20 [zram]'
play hang '^no end within 1 s$' 1 <<'END'
exec sleep 30
END
play broken '^QEMU ended with status 1: no such machine$' 60 <<'END'
echo 'no such machine' >&2
exit 1
END
# Pauses for ever under KVM, and comes to its end otherwise; found out at once
begin=$SECONDS
play kvm '' 60 <<'END'
case "$*" in
*'-accel kvm'*)
	echo 'KVM internal error. Suberror: 1' >&2
	exec sleep 600
	;;
esac
echo end >"$results"
END
[ $((SECONDS - begin)) -lt 30 ] && pass || fail "kvm: took $((SECONDS - begin)) s"

# A guest that says nothing at all is reported like any other.
echo 'echo "the guest cannot start" >&2' >"$work/play"
"$here/run.sh" -n -t judge "$1" sysfs >"$work/silent.report" 2>&1 || true
said silent '^not ok boot: the guest stopped before the end$' "$work/silent.report"
said silent '\| the guest cannot start$' "$work/silent.report"
said silent '^vm: 0 passed, 1 failed$' "$work/silent.report"

if [ "$failed" = 0 ]; then
	rm -rf "$work"
fi
printf 'judge: %d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
