#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Tests of "lethe stat" and "lethe top" on files that were recorded in real kernels
# (tests/stat/*.txt), of top on a terminal as well. tests/vm has a suite "stat" that
# runs them beside the real drivers. It fails if a recording has not all that the kernel
# shows, and prints one that has, in lines "recorded: " of the console:
#   sed -n 's/\r$//; s/^recorded: //p' build/vm/TAG-RELEASE.log
#
# usage: stat.sh [LETHE]
#
# LETHE is the program to test; without it, it is built with meson in build/user.
# Prints what fails, and in the last line how many passed and failed.
set -u

root=$(cd "$(dirname "$0")/.." && pwd) || exit 1

# shellcheck source=tests/lethe.sh
. "$root/tests/lethe.sh"

# shellcheck source=tests/checks.sh
. "$root/tests/checks.sh"
chmod 755 "$tmp"
# Others must be able to run it, for what only a user without rights can test.
mkdir bin && cp "$lethe" bin/lethe || exit 1

# unpack NAME: the files of a recording, below the directory NAME
unpack() {
	awk -v top="$1" '
		/^==> .* <==$/ {
			file = top $2
			directory = file
			sub("/[^/]*$", "", directory)
			system("mkdir -p " directory)
			printf "" >file
			first = 1
			next
		}
		file && $0 != "" { print >file }' "$root/tests/stat/$1.txt"
}

# stat_of NAME [OPTION]...: its text is in the file "text"
stat_of() {
	of=$1
	shift
	bin/lethe stat --sysroot "$of" "$@" >text 2>said
	check "stat of $of: exit code" test $? = 0
	check "stat of $of: nothing to complain of" test ! -s said
}

# says TEXT: a line of "text" is this, but for how much space there is
says() {
	check "it says: $1" sh -c 'tr -s " " <text | grep -q -x -F -e "$1"' sh "$1"
}

# is WHAT EXPRESSION: of the JSON document "d" in "text", in Python
is() {
	check "$1" python3 -c 'import json, sys
d = json.load(open("text"))
assert eval("(" + sys.argv[1] + ")"), d' "$2"
}

# pool_lines: "KEY VALUE" of all that the kernel shows of the pool
pool_lines() {
	sed -n 's/^\([a-z_]*\): \(.*\)$/\1 \2/p' \
		lethe/sys/kernel/debug/lethe/zram0/deferred_free \
		lethe/sys/kernel/debug/lethe/zram0/stats
}

# refused CODE TEXT ARGUMENT...: that exit code, one sentence with TEXT, nothing else
refused() {
	code=$1
	text=$2
	shift 2
	bin/lethe "$@" >stdout 2>stderr
	status=$?
	check "$*: exit code $code" test "$status" = "$code"
	check "$*: one sentence" test "$(wc -l <stderr)" = 1
	check "$*: says $text" grep -q -F -e "$text" stderr
	check "$*: nothing else" test ! -s stdout
}

for name in lethe intree builtin tree; do
	unpack $name
done
debug=lethe/sys/kernel/debug/lethe

# ---- whose zram it is, and what it holds ----

stat_of lethe
says "zram Lethe's, version 0.1.0; new devices: policy default, its own budget"
says "device codec size original compressed used ratio limit"
says "zram0 lz4 128.0 0.0 0.0 4.0 0.00 64.0"
says "zram1 has no size yet"
says "pool policy pending capacity oldest queued drained"
says "zram0 tombstone 1986 32768 180 - -"
says "pool freed by frees frees/s times"
says "zram0 drain threads 7911 - 5"
says "zram0 flush: compact 996 - 1"
check "no cause that there was not" sh -c '! grep -q -e producer -e shrinker -e spent text'
check "no line is too long" sh -c '! grep -q -E "^.{81}" text'

stat_of intree
says "zram the kernel's own, a module: every free is done at once"
says "zram0 lz4 128.0 23.7 8.9 10.2 2.32 64.0"
check "no pools" sh -c '! grep -q -e pool -e unread text'

stat_of tree
says "zram the kernel's own, on Lethe in place of zsmalloc; new pools: policy tombstone"
says "zram0 tombstone 3987 32768 122 - -"

stat_of builtin
says "zram the kernel's own, built in: no other can be loaded"
says "zram0 has no size yet"

mkdir -p none/sys/block
stat_of none
says "zram not loaded"
check "and that is all" test "$(wc -l <text)" = 1

# ---- JSON ----

stat_of lethe --json
is "the driver" 'd["zram"] == "lethe" and d["version"] == "0.1.0"'
is "its parameters" 'd["policy"] == "default" and d["budget"] == "0"'
is "nothing is unread" 'd["unread"] is None'
is "the devices" '[x["name"] for x in d["devices"]] == ["zram0", "zram1"]'
is "what one holds" '[d["devices"][0][k] for k in ("disksize", "original_bytes",
	"compressed_bytes", "used_bytes", "limit_bytes", "max_used_bytes", "same_filled_pages",
	"pages_compacted", "huge_pages", "huge_pages_since")] ==
	[134217728, 4096, 63, 4210688, 67108864, 7405568, 0, 0, 0, 413]'
is "its ratio" 'abs(d["devices"][0]["ratio"] - 4096 / 4210688) < 1e-6'
is "one that is not ready" 'd["devices"][1]["ready"] is False and
	d["devices"][1]["ratio"] is None'
is "the pools" '[x["name"] for x in d["pools"]] == ["zram0"]'
is "no rate without a second look" 'd["pools"][0]["drained_per_s"] is None'
pool_lines | while read -r key value; do
	echo "assert str(d['pools'][0]['$key']) == '$value', '$key'"
done >lines.py
check "there are lines" test "$(wc -l <lines.py)" -ge 30
check "every line of the kernel's files" python3 -c 'import json
d = json.load(open("text"))
exec(open("lines.py").read())'
stat_of builtin --json
is "built in" 'd["zram"] == "built-in" and d["version"] is None and d["pools"] == []'
stat_of tree --json
is "in the tree" 'd["zram"] == "built-in" and d["policy"] == "tombstone" and d["pools"][0]["pending"] == 3987'
stat_of intree --json
is "the kernel's own" 'd["zram"] == "kernel" and d["devices"][0]["original_bytes"] == 24838144'
stat_of none --json
is "none" 'd["zram"] == "none" and d["devices"] == []'

# ---- rates ----

# meanwhile SED: a second from now, the counters of zram0 change, at once
meanwhile() {
	(sleep 1 && sed "$1" $debug/zram0/deferred_free >new &&
		mv new $debug/zram0/deferred_free) &
}
# Two seconds between the change and the second look, for a machine that is busy
meanwhile 's/^drained: 7911/drained: 9911/; s/^flushed_compact: 996/flushed_compact: 997/'
stat_of lethe --interval 3 --json
wait
is "a rate" '300 < d["pools"][0]["drained_per_s"] <= 667'
is "a rate of none" 'd["pools"][0]["queued_per_s"] == 0'
meanwhile 's/^drained: 9911/drained: 11911/'
stat_of lethe --interval 3
wait
check "rates in the text" sh -c 'tr -s " " <text |
	grep -q -E "^zram0 drain threads 11911 [3-6][0-9]{2} 5$"'
meanwhile 's/^drained: 11911/drained: 5/'
stat_of lethe --interval 3 --json
wait
is "a pool that was made anew has none" 'd["pools"][0]["drained_per_s"] is None'

# ---- pools that are no zram's, names, what may not be read, odd numbers ----

cp -r $debug/zram0 "$debug/zs\"wap"
cp -r $debug/zram0 "$debug/zram0.1"
stat_of lethe --json
is "pools of any name" '[x["name"] for x in d["pools"]] == ["zram0", "zram0.1", "zs\"wap"]'
stat_of lethe
says 'zs"wap tombstone 1986 32768 180 - -'
rm -r "$debug/zs\"wap" $debug/zram0.1
esc=$(printf 'a\033[2Jb')
cp -r $debug/zram0 "$debug/$esc"
stat_of lethe
check "no control character of a name" sh -c '! grep -q "[[:cntrl:]]" text'
rm -r "${debug:?}/$esc"

echo 'flushed_moonlight: 7' >>$debug/zram0/deferred_free
stat_of lethe
says 'zram0 flush: moonlight 7 - -'

if [ "$(id -u)" = 0 ]; then
	chmod 700 lethe/sys/kernel/debug
	setpriv --reuid=65534 --regid=65534 --clear-groups bin/lethe stat --sysroot lethe >text
	says "unread what is pending cannot be shown, as debugfs is for root"
	says "zram0 lz4 128.0 0.0 0.0 4.0 0.00 64.0"
	setpriv --reuid=65534 --regid=65534 --clear-groups \
		bin/lethe stat --sysroot lethe --json >text
	is "nor in JSON" '"for root" in d["unread"] and d["pools"] == []'
fi
cp -r lethe unmounted
rm -r unmounted/sys/kernel/debug/lethe
stat_of unmounted
says "unread what is pending cannot be shown, as no debugfs is mounted at /sys/kernel/debug"
rm -r unmounted/sys/module/zram unmounted/sys/module/lethe/holders unmounted/sys/block/*
stat_of unmounted
says "lethe version 0.1.0 is loaded, and zram is not on it"
cp -r lethe going
rm going/sys/block/zram0/mm_stat
stat_of going --json
is "a device that goes meanwhile is left out" '[x["name"] for x in d["devices"]] == ["zram1"]'

refused 1 "cannot read 'nowhere/sys/block': No such file or directory" \
	stat --sysroot nowhere
refused 2 "interval in seconds '0' is not" stat --interval 0
refused 2 "interval in seconds '1.5' is not" top --interval 1.5
refused 2 "number of looks 'x' is not" top --count x
refused 2 "'--interval' needs a value" stat --interval
refused 2 "unknown option '--count'" stat --count 3
refused 2 "unknown option '--json': see 'lethe top --help'" top --json
refused 2 "unexpected word 'zram0': see 'lethe stat --help'" stat zram0
refused 2 "no value is taken" stat --json=x
bin/lethe stat --sysroot lethe >/dev/full 2>stderr
check "a full disk behind stdout" test $? = 1
check "is said" grep -q "standard output" stderr

# ---- top in a pipe ----

bin/lethe top --sysroot lethe --count 3 >text
check "top: three looks" test "$(grep -c '^zram      Lethe' text)" = 3
check "top: as text" sh -c '! grep -q "[[:cntrl:]]" text'
check "top: with rates from the second look on" test \
	"$(tr -s ' ' <text | grep -c -E '^zram0 tombstone 1986 32768 180 0 0$')" = 2
(
	trap - INT
	exec bin/lethe top --sysroot lethe --interval 60 >text 2>said
) &
sleep 0.5
kill -TERM $!
wait $! 2>/dev/null
check "top: a signal ends it at once" test $? = 143
check "top: what was shown is there" grep -q '^zram0  .* tombstone' text

# ---- top on a terminal ----

terminals=0
pane() {
	tmux -L "lethe-$$-$terminals" -f /dev/null "$@"
}
trap 'pane kill-server 2>/dev/null; rm -rf "$tmp"' EXIT

# seen TEXT: soon, a line of the terminal has it
seen() {
	tries=50
	while ! pane capture-pane -p -t 0 >screen 2>&1 || ! grep -q -F -e "$1" screen; do
		tries=$((tries - 1))
		if [ $tries = 0 ]; then
			cat screen
			return 1
		fi
		sleep 0.1
	done
}

# top_starts COLUMNS LINES [VARIABLE=VALUE]
top_starts() {
	terminals=$((terminals + 1))
	pane new-session -d -x "$1" -y "$2" \
		"trap : INT; env ${3-LC_ALL=C} bin/lethe top --sysroot lethe; echo ended \$?; sleep 60"
}

unpack lethe
top_starts 90 30
check "top: a title" seen "lethe top, every 1 s; q quits"
check "top: the driver" seen "zram      Lethe's, version 0.1.0"
check "top: a device" seen "zram0     lz4           128.0"
check "top: a pool" seen "zram0     tombstone        1986"
sed -i 's/^pending: .*/pending: 17/' $debug/zram0/deferred_free
check "top: it is live" seen "zram0     tombstone          17"
check "top: nothing is scrolled" sh -c '! grep -q "arrows" screen'
pane resize-window -x 50 -y 6
check "top: smaller" seen "arrows scroll"
check "top: the first lines are there" grep -q "^zram      Lethe" screen
check "top: what is too long is cut" sh -c '! grep -q -E "^.{51}" screen'
pane send-keys Down Down
check "top: the arrows scroll" seen "device    codec"
check "top: the title stays" grep -q "^lethe top" screen
pane send-keys PPage
check "top: back up" seen "zram      Lethe's"
pane resize-window -x 90 -y 30
check "top: larger" seen "flush: compact"
pane send-keys q
check "top: q quits" seen "ended 0"
check "top: and the terminal is as it was" sh -c '! grep -q tombstone screen'
pane kill-server

top_starts 90 30
check "top: again" seen tombstone
pane send-keys C-c
check "top: an interrupt ends it" seen "ended 130"
pane kill-server

# One that is not known, and one without a cursor to move
for terminal in nonsense dumb; do
	top_starts 90 30 TERM=$terminal
	check "top: text, on a terminal '$terminal'" seen "zram0     tombstone"
	check "top: each line for itself" grep -q "^zram      Lethe" screen
	check "top: without a title" sh -c '! grep -q "q quits" screen'
	pane kill-server
done

echo "stat: $passed passed, $failed failed"
[ "$failed" = 0 ]
