#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Tests of what makes docs/performance*.md: are the pages in the tree what comes out
# of the records; are figures, verdicts and drawings those of the records; are
# records that are missing said, and broken ones refused? Does kernel-tree.sh refuse options
# that make no sense? Prints what fails, and in the last line how many passed and failed.
#
# usage: report.sh
set -u

root=$(cd "$(dirname "$0")/.." && pwd) || exit 1

# shellcheck source=tests/checks.sh
. "$root/tests/checks.sh"

# report DATA_DIR OUT_MD OUT_SVG_DIR
report() {
	python3 "$root/bench/report.py" "$@"
}

# made DIRECTORY: a page and drawings in "out", with nothing to say
made() {
	rm -f out.md out-*.md
	report "$1" out.md out >said 2>&1
	check "$1: exit code" test $? = 0
	check "$1: nothing to complain of" test ! -s said
}

# says TEXT: a line of a page has it
says() {
	check "a page says: $1" grep -q -F -e "$1" out.md out-*.md
}

# refused CODE TEXT ARGUMENT...: that exit code, one sentence with TEXT, no page
refused() {
	code=$1
	text=$2
	shift 2
	rm -f none.md none-*.md
	report "$@" >stdout 2>stderr
	status=$?
	check "$*: exit code $code" test "$status" = "$code"
	check "$*: one sentence" test "$(wc -l <stderr)" = 1
	check "$*: says $text" grep -q -F -e "$text" stderr
	check "$*: nothing else" test ! -s stdout -a -z "$(ls none*.md 2>/dev/null)"
}

# broken FILE TEXT CONTENT: a directory with only that is refused
broken() {
	rm -rf broken
	mkdir broken
	printf '%s' "$3" >"broken/$1"
	refused 1 "$2" broken none.md none
	check "$1: the file is named" grep -q -F "broken/$1" stderr
}

# Records whose ratios are known: in-tree 400, sync 100, the default 50.
cat >fixture.py <<'PYTHON'
import json
import os

NS = {'intree': 400, 'sync': 100, 'default': 50}
KEYS = ['munmap_ns_per_page', 'kill_ns_per_page', 'store_ns_per_page', 'read_ns_per_page',
        'fault_p99_us', 'fault_lost_ms', 'back_ms', 'mem_used_bytes']

def record(kernel, variant, procs, mib, **more):
    return {'kernel': kernel, 'impl': 'in-tree' if variant == 'intree' else 'lethe',
            'policy': {'intree': 'none', 'default': 'tombstone'}.get(variant, variant),
            'variant': variant, 'procs': procs, 'mib': mib, 'rounds': 5, 'fallbacks': 0,
            **{key: NS[variant] for key in KEYS}, **more}

def records(kernel, points, **more):
    return [record(kernel, variant, *point, munmap_floor_ns_per_page=49, floor_ns_per_page=30,
                   cpu_ns_per_page={'intree': 100, 'sync': 50, 'default': 61}[variant], **more)
            for variant in NS for point in points]

def rival(allocator, rest, **more):
    return {'allocator': allocator, 'threads': 1, 'held_full': 1.1, 'held_rest': rest,
            'free_ns': 20 if allocator == 'glibc' else 30, **more}

def push(policy, budget, p50, rate):
    return {'policy': policy, 'threads': 2, 'budget': budget, 'p50_ns': p50, 'p99_ns': 49.5,
            'handles_per_s': rate}

def stall(call, goal, longest):
    return {'call': call, 'goal_ms': goal, 'longest_ms': longest, 'max_ms': longest / 2}

POINTS = [(1, 128), (1, 256), (1, 512), (4, 512)]
FILES = {
    # With compaction first, which the figures are not of
    'storm': records('6.12.1-x', POINTS[1::2], cpus='2', compaction='running',
                     **{'kill_ns_per_page': 7})
             + records('6.12.1-x', POINTS, cpus='2', compaction='')
             + records('7.3.4-x', POINTS[1::2], cpus='2', compaction='', store_ns_per_page=30)
             + records('7.3.4-x', POINTS[3:], cpus='8', compaction='', back_ms=33)
             + [{**record('7.3.4-x', 'default', 4, 512, cpus='8', back_ms=44), 'variant': 'alone'}],
    # The loads of a busy machine are points of their own.
    'busy': [record('6.12.1-x', variant, 1, 128, load=load, cpus='2',
                    back_ms=NS[variant] + (391 if (variant, load) == ('default', 'fifo') else 0))
             for variant in NS for load in ('0', '2', 'fifo')],
    'busy-newest': [record('7.3.4-x', variant, 1, 128, load='4', cpus='2', back_ms=ms)
                    for variant, ms in (('intree', 100), ('default', 40))],
    # Of which the drain costs 225 - 50, half of 400 - 50
    'instructions': [{**record, 'cpu_ns_per_page': 225}
                     for record in records('6.12.1-x', [(1, 32)], cpus='1')],
    'native': [{key: value for key, value in record.items() if key != 'variant'}
               for record in records('um-6.12', POINTS[:2])]
              + records('um-7.3', [(1, 128), (4, 128)], cpus='2')
              + records('um-7.3', [(1, 128)], cpus='4', kill_ns_per_page=1),
    # Four times in zram, eight in zswap, and on two CPUs nothing of zswap
    'kernel-tree': [record('um-7.3.4-tree', variant, *point, cpus=cpus, user=user,
                           cpu_ns_per_page=NS[variant],
                           **({'munmap_ns_per_page': 100} if (variant, user) == ('default', 'zram')
                              else {}))
                    for cpus, user in (('1', 'zram'), ('1', 'zswap'), ('2', 'zram'))
                    for variant in ('intree', 'default') for point in ((1, 256), (4, 256))],
    'rivals': {'input': {'objects': 1000, 'payload_bytes': 1 << 20, 'codec': 'lz4'},
               'round_count': 5,
               'results': [rival('glibc', 2.5), rival('lethe-free', 1.1, own_rest=1.2)],
               'compact': [{'want': 128, 'pages_per_ms': 40.5}],
               'stall': [stall('nomem', 10, 9.5), stall('oom', 10, 12.5), stall('caller', 50, 49)],
               'push': [push('tombstone', 4096, 9, 5e7), push('array', 4096, 9, 2e7),
                        push('array', 32, 9, 1e6)]},
    'user': {'rounds': 5, 'results': [{'policy': 'sync', 'mean_ns': 20.5}]},
}
os.makedirs('good', exist_ok=True)
for name, doc in FILES.items():
    with open(f'good/{name}.json', 'w', encoding='utf-8') as file:
        json.dump(doc, file)
with open('good/profile-default.txt', 'w', encoding='utf-8') as file:
    file.write('[ 12 s] run it\n\nmeasured: 48.0 ns per page\n  kernel 30.4 (62 %), host 18.0 (38 %)\n'
               '     30.0 ns  62.5 %  often [kernel]\n      0.4 ns   0.8 %  seldom [kernel]\n'
               '\nfrom then until the memory is back: 9.0 ns per page\n  host 9.0 (100 %)\n')
with open('good/profile-intree.txt', 'w', encoding='utf-8') as file:
    file.write('measured: 80.0 ns per page\n  kernel 60.0 (75 %), host 20.0 (25 %)\n'
               '     10.0 ns  12.5 %  pthread_sigmask [kernel]\n      0.4 ns   0.5 %  um_set_signals [kernel]\n')
with open('good/profile-four-default.txt', 'w', encoding='utf-8') as file:
    file.write('[  1 s] build lethe.ko and zram.ko for 7.3.4-um\n[  2 s] run it on 2 CPUs\n\n'
               'measured: 70.0 ns per page\n')
for variant, own, rest, total in (('intree', '21.0 ns (35 %)', '30.0 ns (50 %)', '60.0 (100 %)'),
                                  ('default', '20.0 ns (67 %)', '4.0 ns (13 %)', '30.0 (100 %)')):
    with open(f'good/profile-tree-zswap-{variant}.txt', 'w', encoding='utf-8') as file:
        # What comes after it is not what the sentence is of.
        file.write(f"\nmeasured: 60.0 ns per page\n  lib/xarray.o {total}\n  zswap's own: {own}\n  slabs: 5.0 ns (8 %)\n  the allocator: {rest}\n"
                   "\nfrom then: 9.0 ns per page\n  zswap's own: 1.0 ns (1 %)\n")
PYTHON
python3 fixture.py || exit 1

# Three runs of two: launches of 100 ms but for the last; kills a second apart, or 0.9 s,
# which is a second kill; and of the default, one victim that is never gone.
phone_run() {
	for ms in 100 100 100 "$3"; do
		echo "launch variant=$1 policy=$2 round=$4 app=0 mib=80 step=1 ns=${ms}000000 tries=1"
	done
	for kill in "1000 20 $5" "$6 20 $5" "3000 20 $5"; do
		# shellcheck disable=SC2086 # three words
		set -- "$1" "$2" "$3" "$4" "$5" "$6" $kill
		echo "kill variant=$1 policy=$2 round=$4 app=0 mib=80 at_ns=${7}000000 gone_ns=${8}000000 back_ns=${9}000000 left=1048576 sig=15 by=killer"
	done
	echo "run variant=$1 policy=$2 round=$4 ns=9000000000 cpu_ns=8000000000 oom_kills=0 faults=750 fault_p50_ns=1500 fault_p99_ns=2000000 fault_max_ns=3000000"
}
for round in 1 2 3; do
	phone_run intree none 1000 $round 80 2000
	phone_run default tombstone 700 $round 40 1900
done >phone.results
echo "kill variant=default policy=tombstone round=3 app=1 mib=80 at_ns=9000000000 gone_ns=0 back_ns=0 left=0 sig=9 by=killer" >>phone.results
check "phone: a table" sh -c "python3 '$root/bench/phone/table.py' phone.results good/phone.json 6.12.1-x cpus=2 >phone.table"
check "phone: its goals" test "$(tail -n 3 phone.table | sed 's/.*: //' | tr '\n' ' ')" = "missed met missed "
check "phone: second kills, of all rounds" grep -q '"second_kills": 3,' good/phone.json
check "phone: medians" grep -q '"back_ms": 40.0,' good/phone.json
check "phone: no measurements" sh -c "! python3 '$root/bench/phone/table.py' /dev/null none.json k 2>/dev/null"

# What the handle table takes a handle is as in core/handle_table.h.
cat >sizes.c <<'CODE'
#include <stdio.h>
#include "handle_table.h"
int main(void)
{
	printf("%u %zu %zu\n", TABLE_FANOUT, TABLE_FANOUT * sizeof(u64) + sizeof(struct table_leaf),
	       sizeof(struct table_node));
	return 0;
}
CODE
check "the handle table: compiled" "${CC:-cc}" -I "$root/include" -I "$root/core" -I "$root/port" \
	-I "$root/port/user" sizes.c -o sizes
check "the handle table: its sizes" test "$(./sizes)" = "$(PYTHONPATH=$root/bench PYTHONDONTWRITEBYTECODE=1 python3 -c 'import report
print(report.LEAF_HANDLES, report.LEAF_BYTES, report.NODE_BYTES)')"

check "the pages in the tree: made" report "$root/docs/performance" performance.md performance
for page in performance*.md; do
	check "$page in the tree is what comes out" diff -u "$root/docs/$page" "$page"
	# Of the page itself, its neighbours that are made, and those written by hand
	check "$page: what it refers to is there" sh -c 'sed "s/](/\n](/g" "$1" |
		sed -nE "s/^\]\(([a-z0-9-]+\.md).*/\1/p" | while read -r to; do
		test -e "$2/docs/$to" || exit 1
	done' sh "$page" "$root"
done

mkdir empty
made empty
for name in storm busy busy-newest demo native kernel-tree instructions user rivals; do
	says "There is no \`$name.json\` yet: "
done
for name in default four-default tree-zswap-default; do
	says "There is no \`profile-$name.txt\` yet: "
done
says "| not measured | not measured |"
says "Nothing has been measured yet."
says "\`phone-newest.json\` (\`bench/phone.sh -k newest\`), \`phone.json\` (\`bench/phone.sh\`), \`phone-instructions.json\`"
says "There is no \`phone.json\` yet: "
says "There is no record of Linux 7.3 on two CPUs yet: "
check "no section of the list about the tree" sh -c '! grep -q "^## What the kernel" out-kernel-tree.md'
check "no drawing" test "$(ls out)" = ""
check "no placeholder is left" sh -c '! grep -q "[{}][{}]" out.md out-*.md'

made good
says "| munmap, in-tree / default, 1 process of 256 MiB | ≥ 4; native ≥ 3.5 | 8.00 met (400 / 50 ns a page) | 8.00 met"
says "| ≥ 3.9 (QEMU) | 8.00 met (400 / 50 ns a page) | not measured |"
says "| ≤ 1.15; native ≤ 1.25 | 1.02 met (50 / 49 ns a page) |"
says "| ≤ 0.54; native ≤ 0.6 | 0.61 **missed** (61 / 100 ns a page) |"
says "- CPU time of task and workers, default / in-tree, 1 process of 256 MiB (Linux 6.12, QEMU, 2 CPUs): 0.61, to be ≤ 0.54"
says "| no cliff: munmap a page, default, 512 MiB / 128 MiB | ≤ 1.15 | 1.00 met (50 / 50 ns a page) | not measured |"
says "| 0 | 0 frees met | 0 frees met |"
says "1 process of 128 MiB, 2 CPUs with 2 busy loops | ≤ 0.8 (QEMU) | 0.12 met (50 / 400 ms) | not measured |"
says "2 CPUs with 4 busy loops | ≤ 0.8 (QEMU) | not measured |"
says "2 CPUs with one SCHED_FIFO loop (Linux 6.12, QEMU, 2 CPUs): 1.10, to be ≤ 0.8"
says "| **1 process, 128 MiB, one SCHED_FIFO loop** |"
says "| ≤ 10 ns | 9 ns met |"
says "with the same budget | ≥ 5 | 2.50 **missed** (50 / 20 million) |"
says "with its own budget of 32 | ≥ 5 | 50.00 met (50 / 1 million) |"
says "without end, any cause | ≤ 10 ms | 12.5 ms **missed** |"
says "without end, a flush | ≤ 50 ms | 49 ms met |"
says "| zs_drain_deferred(oom) | 6.25 | 12.50 | 10 |"
says "| ≤ 1.15 B/B | 1.2 B/B **missed** |"
says "**6.12.1-x, 2 CPUs, compaction running** (medians of 5)"
says "| lethe, default (tombstone) | 50 (8.00 x) |"
says "| 6.12.1-x, 2 CPUs (\`storm.json\`) | cpu | lethe, sync | 128 MiB (1.22 x), "
says "| munmap, in-tree / default, 4 processes of 32 MiB | ≥ 10 | 8.00 **missed** (400 / 50 ns a page) |"
says "| SIGKILL to reaped, in-tree / default, 4 processes of 32 MiB | ≥ 8 | 8.00 met (400 / 50 ns a page) |"
says "| time until the memory is back, default / in-tree, 1 process of 128 MiB | ≤ 0.33 | 0.12 met (50 / 400 ms) |"
says "pages of one value that fits no 32 bits, default / in-tree, 1 process of 128 MiB | ≤ 1 | not measured |"
says "- munmap, in-tree / default, 4 processes of 32 MiB (Linux 7.3, native, 2 CPUs): 8.00, to be ≥ 10"
# 7.3 in QEMU: the storm of two CPUs, and the busy machine
says "| storing (page-out), default / in-tree, 1 process of 256 MiB | ≤ 0.97 | 1.00 **missed** (30 / 30 ns a page) |"
says "| reading back, default / in-tree, 1 process of 256 MiB | ≤ 0.97 | 0.12 met (50 / 400 ns a page) |"
says "| time that a bystander loses that needs pages, default / in-tree, 4 processes of 128 MiB | ≤ 0.7 | 0.12 met (50 / 400 ms) |"
says "2 CPUs with 4 busy loops | ≤ 0.8 | 0.40 met (40 / 100 ms) |"
says "2 CPUs with 2 busy loops | ≤ 0.8 | not measured |"
says "- storing (page-out), default / in-tree, 1 process of 256 MiB (Linux 7.3, QEMU, 2 CPUs): 1.00, to be ≤ 0.97"
says "| SIGKILL until the last of 4 processes of 32 MiB is reaped | the killer, which waits for it | 400 ns a page | 50 ns a page | **8.00** | 7.3 native, \`bench/native.sh -k 7.3 -c 2\` |"
says "| 100 ms | 40 ms | **2.50** | 7.3 QEMU, \`bench/busy.sh -k newest\` |"
says "| its user | 80 ms | 40 ms | **2.00** | 6.12 QEMU, \`bench/phone.sh\` |"
missed=$(sed -n '/were missed$/,/^## Why/p' out-why.md | grep -c '^- ')
check "as many are missed as are listed" grep -q "^- $missed of the [0-9]* figures to reach are missed" out.md
says "# Performance: the phone"
says "**um-7.3.4-tree, 1 CPU, zswap** (medians of 5)"
says "| the kernel's own zsmalloc | 400 |"
# Lines are broken anew.
cat out-kernel-tree.md out-why.md out-drain-threads.md | tr -s ' \n' ' ' >flat
for words in "Of its munmap, 30.4 ns (38 %) a page are the host's part" \
	"and of Lethe's 18.0 ns (37 %); of Lethe's drain, 9.0 ns (100 %)" \
	"SIGKILL of four processes takes 7 ns a page in QEMU, and 7 in-tree (without: 50 and 400)" \
	"The fraction *d*/(*k* - *e*) is 0.0314 natively, one thread for 31.8 CPUs, and 0.5 in instructions, one for 2." \
	"| 128 | 32 | 4.02 | 64 | 0.235 | 1.88 |" \
	"is back after 33 ms (in-tree 33), and after 44 with one thread" \
	"in zram is 4.00 times as fast, SIGKILL 8.00 times; of what is in zswap, 8.00 and 8.00 times." \
	"that takes 21.0 ns (35 %) a page with \`zsmalloc\`, whose own share is 30.0 ns (50 %)" \
	"and 20.0 ns (67 %) with Lethe, which takes 4.0 ns (13 %). The slab of the entries is 5.0 ns (17 %) more"; do
	check "the page says: $words" grep -q -F -e "$words" flat
done
check "a sentence on zswap on two CPUs is left out" sh -c '! grep -q "Four processes on two CPUs are reaped" flat'
says "**intree**: 7.3, munmap under zswap, 1 process of 256 MiB"
says "**6.12.1-x, CPUs: 2** (\`phone.json\`, medians of 3)"
says "| the kernel's own zram | 100 | 1000 | - | 3 | 0 | 20 | 80 | 1.0 | 1.5 | 2.0 | 8.0 |"
says "| lethe, default (tombstone) | 100 (1.00) | 700 (0.70) | - | 3 | 3 | 20 (1.00) | 40 (0.50) | 1.0 |"
says "| second kills, default | ≤ 0 | 3.00 **missed** |"
says "- The phone (\`phone.json\`), page faults of the app in front, 99th percentile, default / in-tree: 1.00, to be ≤ 0.8"
says "| free (free_ns) | 1 | glibc: 20.0 ns | lethe-free: 30.0 ns |"
says "  8.00 against munmap's 8.00 at native speed, on 6.12."
says "often [kernel]"
says "**default**: 7.3, SIGKILL of 4 processes of 32 MiB, 7.3.4-um, 2 CPUs"
says "**intree**: 7.3, munmap, 1 process of 256 MiB"
says "![munmap of swapped-out memory, Linux 6.12, native, 1 CPU, ns per page](out/munmap-native.svg)"
check "no step of the run, nothing seldom" sh -c '! grep -q -e "12 s" -e seldom out.md out-*.md'
check "all drawings" test "$(cd out && echo *)" = \
	"back-busy.svg cpu-native.svg cpu-qemu.svg cpus-qemu.svg held.svg kill-native73.svg munmap-native.svg munmap-qemu.svg size-native73.svg"
check "they are XML" python3 -c 'import sys, xml.dom.minidom
for path in sys.argv[1:]: xml.dom.minidom.parse(path)' out/*.svg
check "and name their licence" test "$(grep -l 'SPDX-License-Identifier: ' out/*.svg | wc -l)" = 9

cp -r out before
echo '<!-- drawn by another version -->' | tee -a before/held.svg >>out/held.svg
rm good/native.json
made good
says "There is no \`native.json\` yet: "
check "what is drawn from the same stays, what is not drawn goes" diff -r \
	--exclude='*-native*.svg' before out
check "no drawing of what is not there" test ! -e out/munmap-native.svg

broken storm.json "is not JSON" '[{"kernel": '
broken storm.json "not a list of records" '{}'
broken storm.json "not a list of records" '[]'
broken demo.json "record 1 is not an object" '[1]'
broken native.json 'record 1 has no usable "procs"' \
	'[{"kernel": "k", "impl": "lethe", "policy": "sync", "mib": 1}]'
broken native.json 'record 1 has no usable "back_ms"' \
	'[{"kernel": "k", "impl": "lethe", "policy": "sync", "procs": 1, "mib": 1, "back_ms": "1"}]'
broken busy.json 'record 1 has no usable "load"' \
	'[{"kernel": "k", "impl": "lethe", "policy": "sync", "procs": 1, "mib": 1, "load": 2}]'
broken kernel-tree.json 'record 1 has no usable "user"' \
	'[{"kernel": "k", "impl": "lethe", "policy": "sync", "procs": 1, "mib": 1, "user": 2}]'
broken instructions.json 'record 1 is of "other"' \
	'[{"kernel": "k", "impl": "other", "policy": "sync", "procs": 1, "mib": 1}]'
broken phone.json 'record 1 has no usable "rounds"' \
	'[{"kernel": "k", "impl": "lethe", "policy": "sync", "variant": "sync", "cpus": "2"}]'
broken phone.json 'record 1 has no usable "back_ms"' '[{"kernel": "k", "impl": "lethe",
"policy": "sync", "variant": "sync", "cpus": "2", "rounds": 1, "back_ms": "1"}]'
broken user.json 'has no usable "results"' '{"rounds": 5}'
broken rivals.json 'it is not an object' '[]'
broken rivals.json 'push 1 has no usable "p50_ns"' '{"input": {"objects": 1, "payload_bytes": 1,
"codec": "lz4"}, "round_count": 1, "results": [], "push": [{"policy": "array", "threads": 1,
"budget": 1}]}'
broken rivals.json 'compact 1 has no usable "pages_per_ms"' '{"input": {"objects": 1, "payload_bytes": 1,
"codec": "lz4"}, "round_count": 1, "results": [], "push": [], "compact": [{"want": 1}]}'
broken rivals.json 'stall 1 has no usable "goal_ms"' '{"input": {"objects": 1, "payload_bytes": 1,
"codec": "lz4"}, "round_count": 1, "results": [], "push": [], "stall": [{"call": "oom"}]}'
printf '\377\376' >broken/user.json
refused 1 "is not JSON" broken none.md none
refused 1 "missing is not a directory" missing none.md none
refused 1 "missing/none" empty missing/none.md none
refused 2 "usage:" empty none.md

# Before anything is built or run
for options in "-c 0" "-c 9" "-r x" "-r 1,2" "-m 0" "-m 1,,2" "-n 17" "-u zcache" "-k 6.12" "-p sync" \
	"-p default -u zram,zswap" "-p intree -w read" "-t 0" -z -m word; do
	# shellcheck disable=SC2086 # several words
	timeout 20 "$root/bench/kernel-tree.sh" $options >stdout 2>stderr
	check "kernel-tree.sh $options: refused" test $? = 1
	check "kernel-tree.sh $options: one sentence" grep -q "^kernel-tree: " stderr
	check "kernel-tree.sh $options: nothing else" test ! -s stdout -a "$(wc -l <stderr)" = 1
done

python=$(python3 -c 'import sys; print(sys.executable)')
rm -rf out
PATH=$tmp/empty "$python" "$root/bench/report.py" good out.md out >stdout 2>stderr
check "without gnuplot: exit code 1" test $? = 1
check "without gnuplot: one sentence" grep -q "^report: gnuplot is missing (package" stderr
check "without gnuplot: no drawing" test ! -e out

echo "report: $passed passed, $failed failed"
[ "$failed" = 0 ]
