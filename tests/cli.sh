#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Tests of the lethe command, from outside: cli.sh [LETHE]
# LETHE is the program to test; without it, it is built with meson in build/user.
# Prints what fails, and in the last line how many passed and failed.
set -u

root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
passed=0
failed=0

# shellcheck source=tests/lethe.sh
. "$root/tests/lethe.sh"

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM
chmod 755 "$tmp"
# Others must be able to run it, for what only somebody without rights can test.
cp "$lethe" "$tmp/lethe" && chmod 755 "$tmp/lethe" || exit 1
lethe=$tmp/lethe
mkdir "$tmp/out"
cd "$tmp" || exit 1

pass() {
	passed=$((passed + 1))
}

fail() {
	failed=$((failed + 1))
	echo "FAILED: $*"
}

# check NAME COMMAND...: the command succeeds.
check() {
	name=$1
	shift
	if "$@" >check.log 2>&1; then
		pass
	else
		fail "$name"
		sed 's/^/    /' check.log
	fi
}

# unprivileged COMMAND...: as somebody who may not read everything.
unprivileged() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	else
		"$@"
	fi
}

# judge NAME CODE PATTERN: the last command gave $status, stdout, stderr. There
# must be that exit code, one line of stderr, with PATTERN, nothing on stdout, and
# no file in out/.
judge() {
	lines=$(wc -l <stderr)
	if [ "$status" != "$2" ]; then
		fail "$1: exit code $status instead of $2"
	elif [ "$lines" != 1 ] || ! grep -q '^lethe: [^ ]' stderr; then
		fail "$1: not one sentence on stderr: $(cat stderr)"
	elif ! grep -q -- "$3" stderr; then
		fail "$1: stderr says: $(cat stderr)"
	elif [ -s stdout ]; then
		fail "$1: stdout says: $(head -n 1 stdout)"
	elif [ -n "$(ls -A out)" ]; then
		fail "$1: left $(ls -A out)"
		rm -rf out && mkdir out
	else
		pass
	fi
}

# refused CODE PATTERN ARGUMENT...: the program says no.
refused() {
	code=$1
	pattern=$2
	shift 2
	"$lethe" "$@" >stdout 2>stderr
	status=$?
	judge "lethe $*" "$code" "$pattern"
}

# A bench that must fail before it has written to out/.
bench_refused() {
	code=$1
	pattern=$2
	shift 2
	refused "$code" "$pattern" bench --json out/never.json "$@"
}

cat >look.py <<'PYTHON'
"""Look at what "lethe bench" wrote: look.py TABLE JSON [FIELD=VALUE]..."""
import json
import statistics
import sys

TABLE = [("mean_ns", 1), ("p50_ns", 0), ("p99_ns", 0), ("max_us", 1), ("cpu_ns", 1),
         ("back_ms", 1), ("fallback", 0), ("producer_drained", 0), ("held_pages", 0),
         ("payload_per_byte", 3)]
COUNTS = ["queued", "drained", "fallback", "producer_drained", "held_pages", "meta_bytes"]


def look_at_round(doc, policy, figures):
    objects = doc["objects"]
    held = figures["held_pages"] * doc["page_size"] + figures["meta_bytes"]
    for count in COUNTS:
        assert figures[count] == int(figures[count]) >= 0, count
    assert figures["p50_ns"] <= figures["p99_ns"] <= figures["max_us"] * 1e3 + 1e-6
    assert figures["mean_ns"] > 0 and figures["cpu_ns"] > 0 and figures["back_ms"] > 0
    assert figures["held_pages"] * doc["page_size"] >= doc["payload_bytes"]
    assert abs(figures["payload_per_byte"] - doc["payload_bytes"] / held) < 1e-6
    if policy == "sync":
        assert figures["queued"] == figures["drained"] == figures["producer_drained"] == 0
    else:
        assert figures["queued"] + figures["fallback"] == objects
        assert figures["drained"] + figures["producer_drained"] == figures["queued"]


def look_at_result(doc, row):
    rounds = row["rounds"]
    assert len(rounds) == doc["rounds"]
    for figures in rounds:
        look_at_round(doc, row["policy"], figures)
    for name in rounds[0]:
        median = statistics.median(figures[name] for figures in rounds)
        assert abs(row[name] - median) <= 1e-6 * abs(median), name


def look_at_table(doc, text):
    lines = text.splitlines()
    assert "\033" not in text and "\r" not in text
    assert max(map(len, lines[-len(doc["results"]) - 2:])) <= 120
    assert (f"verified  {doc['verified']} of {doc['pages']} pages, "
            f"in each of {doc['fills']} fills") in lines
    for line, row in zip(lines[-len(doc["results"]):], doc["results"]):
        words = line.split()
        assert words[0] == row["policy"], line
        assert len(words) == 1 + len(TABLE), line
        for word, (name, decimals) in zip(words[1:], TABLE):
            close = 0.51 * 10 ** -decimals
            assert abs(float(word) - row[name]) <= close, (line, name)


def main():
    doc = json.load(open(sys.argv[2], encoding="utf-8"))
    assert doc["pages"] == doc["same_filled"] + doc["objects"] == doc["verified"] > 0
    assert doc["raw"] <= doc["objects"]
    assert 0 < doc["payload_bytes"] <= doc["objects"] * doc["page_size"]
    assert doc["fills"] == 1 + 2 * doc["rounds"] * len(doc["results"])
    for row in doc["results"]:
        look_at_result(doc, row)
    look_at_table(doc, open(sys.argv[1], encoding="utf-8", errors="replace").read())
    for wish in sys.argv[3:]:
        field, value = wish.split("=", 1)
        real = doc[field]
        if field == "results":
            real = ",".join(row["policy"] for row in real)
        assert str(real) == value, f"{field} is {real} and not {value}"


main()
PYTHON

# field NAME: from the last JSON file.
field() {
	python3 -c 'import json, sys; print(json.load(open("out/b.json"))[sys.argv[1]])' "$1"
}

# bench NAME WISHES ARGUMENT...: a run that must succeed, with FIELD=VALUE WISHES.
bench() {
	name=$1
	wishes=$2
	shift 2
	rm -f out/b.json
	"$lethe" bench --json out/b.json "$@" >stdout 2>stderr
	status=$?
	if [ "$status" != 0 ] || [ -s stderr ]; then
		fail "$name: exit code $status, stderr says: $(cat stderr)"
		return
	fi
	# shellcheck disable=SC2086 # WISHES are words
	check "$name" python3 look.py stdout out/b.json $wishes
	check "$name: valid JSON" python3 -m json.tool out/b.json
}

good_runs() {
	for codec in lz4 lzo zstd; do
		for policy in sync array tombstone; do
			bench "$codec, $policy" "codec=$codec results=$policy rounds=3" \
				--size 2 --rounds 3 --codec $codec --policy $policy
		done
		field payload_bytes >"payload.$codec"
	done
	check "zstd packs better than lz4" \
		test "$(cat payload.zstd)" -lt "$(cat payload.lz4)"
	bench "all policies by default" \
		"results=sync,array,tombstone codec=lz4 input=/usr/lib rounds=5 threads=1" \
		--size 1
	pages=$((1048576 / $(field page_size)))
	bench "size is the limit" "pages=$pages" --size 1 --rounds 1 --policy default
	bench "default policy has a name" "results=tombstone" \
		--size 1 --rounds 1 --policy=default
	bench "four threads" "threads=4" --size 4 --rounds 2 --threads 4
	bench "more threads than pages" "threads=64 pages=1" \
		--input small --rounds 2 --threads 64
	rm -f out/b.json
	"$lethe" bench --size 1 --rounds 1 >stdout
	check "no JSON file unless asked for" test -z "$(ls -A out)"
}

# Files whose page counts are known.
make_input() {
	page=$1
	rm -rf tree && mkdir -p tree/sub/deep tree/void
	head -c 1 /dev/urandom >tree/one-byte
	head -c "$page" /dev/urandom >tree/one-page
	head -c $((page + 1)) /dev/urandom >tree/sub/two-pages
	head -c $((3 * page)) /dev/zero >tree/sub/deep/zeroes
	: >tree/empty
	ln -s one-page tree/link
	ln -s nowhere tree/sub/dangling
	ln -s .. tree/sub/loop
	mkfifo tree/pipe
}

input_runs() {
	page=$(field page_size)
	make_input "$page"
	# one-byte: 1 page. one-page: 1, raw. two-pages: 2, the first raw. zeroes: 3.
	bench "every page of a tree is accounted for" \
		"files=4 pages=7 same_filled=3 objects=4 raw=2 not_regular=4 unreadable=0" \
		--input tree --rounds 1
	bench "a single file" "files=1 pages=2 raw=1" --input tree/sub/two-pages --rounds 1
	bench "PATH itself may be a link" "files=1 pages=1" --input tree/link --rounds 1

	mkdir first second
	yes lethe | head -c 1048576 | tee first/a >second/a
	head -c 1048576 /dev/urandom >second/b && cp second/b first/b
	mkdir third && cp second/b third/b && cp second/a third/a
	bench "names decide the order, not the directory" "raw=0 files=1" \
		--input first --size 1 --rounds 1
	field payload_bytes >payload.first
	bench "names decide the order, not its history" \
		"raw=0 files=1 payload_bytes=$(cat payload.first)" \
		--input third --size 1 --rounds 1

	strange=$(printf 'na\351me "quoted" \\ \302\265')
	cp small "$strange"
	bench "a name that JSON must escape" "pages=1" --input "$strange" --rounds 1
	check "what can be kept of the name is kept" python3 -c \
		'import json; assert json.load(open("out/b.json"))["input"] == "na\ufffdme \"quoted\" \\ \u00b5"'
	rm -f out/b.json
}

unreadable_runs() {
	chmod 000 tree/one-page tree/sub/deep
	chmod 755 tree tree/sub
	chmod 777 out
	# shellcheck disable=SC2024
	unprivileged "$lethe" bench --input tree --rounds 1 --json out/b.json \
		>stdout 2>stderr
	check "unreadable files are counted" python3 look.py stdout out/b.json \
		unreadable=2 files=2 pages=3
	check "and the first one is named" \
		grep -q 'first unreadable: tree/one-page: Permission denied' stdout
	rm -f out/b.json

	unprivileged "$lethe" bench --input tree/one-page --json out/n.json >stdout 2>stderr
	status=$?
	judge "an unreadable file" 1 "one-page.*Permission denied"
	unprivileged "$lethe" bench --input tree/sub/deep >stdout 2>stderr
	status=$?
	judge "an unreadable directory" 1 "deep.*Permission denied"
	mkdir closed && head -c 100 /dev/urandom >closed/a && chmod 000 closed/a
	unprivileged "$lethe" bench --input closed >stdout 2>stderr
	status=$?
	judge "a directory with nothing readable" 1 "closed.*first problem.*Permission denied"

	mkdir locked && chmod 555 locked
	unprivileged "$lethe" bench --size 1 --json locked/b.json >stdout 2>stderr
	status=$?
	judge "a directory where nothing can be created" 1 "locked/b.json.*Permission denied"
	check "and nothing was" test -z "$(ls -A locked)"
	chmod 644 tree/one-page
	chmod 755 tree/sub/deep out
}

refusals() {
	refused 2 "command is missing"
	refused 2 "unknown command 'bnech'" bnech
	refused 2 "unknown option '--bogus'" --bogus
	refused 2 "no help on 'nothing'" help nothing
	refused 2 "unexpected word" --version now
	bench_refused 2 "unknown option '--bogus'" --bogus
	bench_refused 2 "unknown option '--bogus=3'" --bogus=3
	bench_refused 2 "unknown option '-q'" -q
	bench_refused 2 "no value is taken" --help=yes
	bench_refused 2 "unexpected word 'word'" word
	bench_refused 2 "unknown codec 'lz5'" --codec lz5
	bench_refused 2 "unknown codec ''" --codec ''
	bench_refused 2 "unknown policy 'never': choose all, default, sync" --policy never
	# One that there was, until tombstone had won everywhere
	bench_refused 2 "unknown policy 'percpu': choose all, default, sync" --policy percpu
	for size in 0 -1 +1 1x 1.5 0x10 ' 1' '' 1073741825 99999999999999999999; do
		bench_refused 2 "size in MiB '$size' is not" --size "$size"
	done
	bench_refused 2 "threads '0'" --threads 0
	bench_refused 2 "threads '257'" --threads 257
	bench_refused 2 "rounds '0'" --rounds 0
	bench_refused 2 "rounds '1001'" --rounds 1001
	for option in input codec size policy threads rounds json; do
		refused 2 "'--$option' needs a value" bench --$option
	done

	for size in 0 1.5 1048577; do
		refused 2 "size in MiB '$size' is not" try --size "$size"
	done
	refused 2 "number of rounds '1001' is not" try --rounds 1001
	refused 2 "unknown option '--policy': see 'lethe try --help'" try --policy
	refused 2 "'--codec' needs a value" try --codec
	refused 2 "unexpected word 'hard'" try hard
	unprivileged "$lethe" try >stdout 2>stderr
	status=$?
	judge "try without root" 1 "'lethe try' needs root"

	bench_refused 1 "'/nonexistent'.*No such file" --input /nonexistent
	bench_refused 1 "No such file" --input ''
	bench_refused 1 "neither a regular file nor a directory" --input /dev/null
	bench_refused 1 "neither a regular file nor a directory" --input tree/pipe
	bench_refused 1 "holds no data" --input tree/empty
	bench_refused 1 "holds no data" --input tree/void
	bench_refused 1 "nothing to store" --input tree/sub/deep
	truncate -s 1T huge
	bench_refused 1 "not enough memory" --input huge --size 1048576
	rm huge

	refused 1 "out/missing/b.json.*No such file" bench --json out/missing/b.json
	refused 1 "not a regular file" bench --json "$tmp"
	refused 1 "not a regular file" bench --json /dev/null
	refused 1 "its name is empty" bench --json ''
	"$lethe" bench --input small --rounds 1 >/dev/full 2>stderr
	status=$?
	: >stdout
	judge "a full disk behind stdout" 1 "standard output"
}

json_files() {
	mkdir results
	echo precious >results/old.json
	"$lethe" bench --input /nonexistent --json results/old.json >stdout 2>stderr
	check "an error leaves an old file alone" grep -qx precious results/old.json
	ln -s old.json results/link.json
	(umask 027 && "$lethe" bench --input small --rounds 1 --json results/link.json) >stdout
	check "a link is written through" \
		sh -c 'test -L results/link.json && python3 -m json.tool results/old.json'
	check "permissions follow the umask" test "$(stat -c %a results/old.json)" = 640
	check "no other file is left" test "$(ls -A results)" = "link.json
old.json"
}

cat >watch.py <<'PYTHON'
"""Run a command on a pseudo terminal: watch.py both|stderr COMMAND...
Exits 0 if there was a progress bar that was removed again, 3 if there was none."""
import os
import pty
import re
import subprocess
import sys

screen, terminal = pty.openpty()
both = sys.argv[1] == "both"
child = subprocess.Popen(sys.argv[2:], stderr=terminal,
                         stdout=terminal if both else subprocess.PIPE)
os.close(terminal)
seen = b""
while True:
    try:
        part = os.read(screen, 65536)
    except OSError:
        break
    if not part:
        break
    seen += part
piped = b"" if both else child.stdout.read()
assert child.wait() == 0, seen
assert b"\033" not in piped and b"\r" not in piped, piped
assert b"\033[3" not in seen and b"\033[1" not in seen, "colours"
assert b"tombstone" in (seen if both else piped)
if b"\r[" not in seen:
    assert b"\033" not in seen, seen
    sys.exit(3)
percents = [int(number) for number in re.findall(rb"\] +(\d+) %", seen)]
assert len(percents) > 2 and percents == sorted(percents), percents
assert percents[0] == 0 and 50 < percents[-1] <= 100, percents
rest = seen[seen.rindex(b"\r["):]
assert b"\r\033[K" in rest[1:], rest
PYTHON

# no_bar HOW ENVIRONMENT...: watch.py sees none.
no_bar() {
	how=$1
	shift
	env "$@" python3 watch.py "$how" "$lethe" bench --size 2 --rounds 2
	[ $? = 3 ]
}

terminals() {
	check "a progress bar on a terminal" env TERM=vt100 \
		python3 watch.py both "$lethe" bench --size 2 --rounds 2
	check "none beside a pipe" no_bar stderr TERM=vt100
	check "none on a dumb terminal" no_bar both TERM=dumb
	TERM=vt100 "$lethe" bench --size 1 --rounds 1 2>stderr >stdout
	check "none in a file" sh -c '[ ! -s stderr ] && ! grep -q "[[:cntrl:]]" stdout'
}

cat >interrupt.py <<'PYTHON'
"""Interrupt a long run: interrupt.py SIGNAL DELAY COMMAND..."""
import os
import signal
import subprocess
import sys
import time

number = getattr(signal, sys.argv[1])
signal.signal(number, signal.SIG_DFL)
child = subprocess.Popen(sys.argv[3:], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
time.sleep(float(sys.argv[2]))
assert child.poll() is None, "it ended before the signal"
child.send_signal(number)
start = time.monotonic()
out, err = child.communicate(timeout=60)
assert child.returncode == -number, child.returncode
assert (out, err) == (b"", b"lethe: interrupted\n"), (out, err)
assert os.listdir("out") == [], os.listdir("out")
PYTHON

# In a subshell, as a shell's background job under nohup is.
ignore_interrupt() (
	trap '' INT
	"$lethe" bench --size 16 --rounds 9 &
	sleep 0.2
	kill -INT $! && wait $!
)

interrupts() {
	for delay in 0.3 1 2; do
		check "SIGINT after $delay s" python3 interrupt.py SIGINT $delay \
			"$lethe" bench --size 64 --rounds 1000 --json out/b.json
	done
	check "SIGTERM" python3 interrupt.py SIGTERM 1 \
		"$lethe" bench --size 64 --rounds 1000 --json out/b.json
	check "an ignored SIGINT stays ignored" ignore_interrupt
}

# The same program over a pool that misbehaves: does it notice?
cat >damage.c <<'C'
#include <stdlib.h>
#include <string.h>
#include <lethe/zsmalloc.h>

unsigned long __real_zs_malloc(struct zs_pool *pool, size_t size);
int __real_zs_obj_write(struct zs_pool *pool, unsigned long handle, const void *src,
			size_t len);

static int is_damage(const char *kind)
{
	static unsigned int calls;

	return !strcmp(getenv("DAMAGE"), kind) && ++calls == 100;
}

unsigned long __wrap_zs_malloc(struct zs_pool *pool, size_t size)
{
	return is_damage("nomem") ? -12ul : __real_zs_malloc(pool, size);
}

int __wrap_zs_obj_write(struct zs_pool *pool, unsigned long handle, const void *src,
			size_t len)
{
	unsigned char copy[65536];

	memcpy(copy, src, len);
	if (is_damage("bit"))
		copy[len / 2] ^= 4;
	return __real_zs_obj_write(pool, handle, copy, len);
}
C

damage() {
	check "build over a pool that misbehaves" "${CC:-cc}" -O1 -D_GNU_SOURCE \
		-DLETHE_VERSION='"damaged"' -DLETHE_PROJECT_VERSION=LETHE_VERSION_NUMBER \
		-DLETHE_PAGE_SHIFT=12 \
		-I"$root/include" -I"$root/core" -I"$root/port" -I"$root/port/user" \
		"$root"/tools/*.c "$root"/core/all.c "$root"/port/user/*.c damage.c \
		-Wl,--wrap=zs_malloc -Wl,--wrap=zs_obj_write \
		-llz4 -llzo2 -lzstd -lpthread -o damaged
	for codec in lz4 lzo zstd; do
		DAMAGE=bit ./damaged bench --input second --codec $codec --size 2 \
			--json out/b.json >stdout 2>stderr
		status=$?
		judge "one bit wrong, $codec" 1 "page .* read back is not what was stored"
	done
	DAMAGE=nomem ./damaged bench --size 2 --json out/b.json >stdout 2>stderr
	status=$?
	judge "no memory halfway" 1 "page .* cannot be stored: Cannot allocate memory"
	check "and nothing is wrong without damage" env DAMAGE=none ./damaged bench --size 1
}

texts() {
	for words in "--help" "-h" "help" "bench --help" "help bench" "stat --help" \
		"help stat" "top -h" "help top" "try -h" "help try"; do
		# shellcheck disable=SC2086
		"$lethe" $words >stdout 2>&1
		check "lethe $words" grep -q '^Usage: lethe' stdout
	done
	"$lethe" --version >stdout
	check "version" grep -Eqx 'lethe [0-9]+\.[0-9]+\.[0-9]+' stdout
	for command in bench stat top try; do
		"$lethe" $command --help >stdout
		check "help has the command $command" sh -c "'$lethe' help | grep -q '^  $command '"
		sed -n 's/^  \(-h, \)\{0,1\}\(--[a-z]*\).*/\2/p' stdout | sort -u >options
		check "$command: there are options" test "$(wc -l <options)" -ge 4
		sed -n "/^## Options of $command\$/,/^#* Output/p" "$root/docs/lethe.1.scd" >page
		while read -r option; do
			check "the manual page knows $command $option" \
				grep -q -- "^\*.*$option\*" page
		done <options
	done
}

head -c 1000 /dev/urandom >small
good_runs
bench "page size" "pages=1" --input small --rounds 1
input_runs
unreadable_runs
refusals
json_files
terminals
interrupts
damage
texts

echo "cli: $passed passed, $failed failed"
[ "$failed" = 0 ]
