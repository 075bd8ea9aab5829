#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Tests of the benchmark against other allocators, on next to nothing: is every
# allocator measured, is what was stored compared, and is trouble told in one
# sentence? Prints what fails, and in the last line how many passed and failed.
#
# usage: rivals.sh
set -u

root=$(cd "$(dirname "$0")/.." && pwd) || exit 1

# A directory of its own: other tests may be building in build/user.
build=$root/build/user-rivals
{
	[ -f "$build/build.ninja" ] || meson setup -Dtests=false "$build" "$root"
	ninja -C "$build" bench/user/rivals
} >&2 || exit 1
rivals=$build/bench/user/rivals

# shellcheck source=tests/checks.sh
. "$root/tests/checks.sh"

# refused CODE PATTERN COMMAND...: that exit code, and one sentence with PATTERN
refused() {
	code=$1
	pattern=$2
	shift 2
	"$@" >stdout 2>stderr
	status=$?
	check "$*: exit code $code" test "$status" = "$code"
	check "$*: one sentence" test "$(wc -l <stderr)" = 1
	check "$*: says $pattern" grep -q -- "$pattern" stderr
	check "$*: nothing else" test ! -s stdout
}

driver() {
	python3 "$root/bench/rivals.py" "$rivals" "$@"
}

cat >look.py <<'PYTHON'
import json
import sys

ALLOCATORS = ["glibc", "jemalloc", "mimalloc", "tcmalloc", "lethe-free", "lethe-batch",
              "lethe-deferred"]
doc = json.load(open(sys.argv[1], encoding="utf-8"))
table = open(sys.argv[2], encoding="utf-8").read()
objects = doc["input"]["objects"]
assert objects > 100 and doc["round_count"] == 2
runs = [(row["allocator"], row["threads"]) for row in doc["results"]]
assert runs == [(name, n) for n in (1, 2) for name in ALLOCATORS], runs
for row in doc["results"]:
    parts = [objects // 2, objects - objects // 2] if row["threads"] == 2 else [objects]
    assert len(row["rounds"]) == 2
    for figures in row["rounds"]:
        assert figures["verified_full"] == figures["objects"] == objects
        assert figures["verified_rest"] == sum(part // 10 for part in parts)
        assert 0 < figures["rest_payload_bytes"] < figures["payload_bytes"] / 4
        for name, value in figures.items():
            assert not name.endswith("_ns") or 0 < value < 1e6, (name, value)
        assert 0.9 < figures["held_full"] < 20, figures
        assert figures["held_rest"] > 0.9, figures
        lethe = row["allocator"].startswith("lethe")
        assert lethe == ("own_full" in figures) == ("own_rest" in figures)
        assert not lethe or 1 < figures["own_full"] < 20, figures
    for name, least in row["min"].items():
        assert least <= row[name] <= row["max"][name], name
    assert any(line.startswith(row["allocator"] + ",") for line in table.splitlines())
assert [(row["policy"], row["threads"]) for row in doc["push"]] == [
    (policy, n) for n in (1, 2) for policy in ("tombstone", "array", "array")]
for row in doc["push"]:
    for figures in row["rounds"]:
        assert figures["pushed"] == 4096
        assert 0 <= figures["p50_ns"] <= figures["p99_ns"] <= figures["max_ns"]
        assert figures["mean_ns"] > 0 and figures["handles_per_s"] > 0
        assert 0 < figures["at_once"] <= row["threads"] + 1e-6
assert [row["call"] for row in doc["stall"]] == [
    "nomem", "limit", "oom", "shrinker", "caller"]
for row in doc["stall"]:
    assert row["goal_ms"] == (50 if row["call"] == "caller" else 10)
    assert row["longest_ms"] == max(figures["max_ms"] for figures in row["rounds"])
    for figures in row["rounds"]:
        assert figures["calls"] >= 1 and figures["handles_per_s"] > 0
        assert 0 < figures["p50_ms"] <= figures["p99_ms"] <= figures["max_ms"]
assert [row["want"] for row in doc["compact"]] == [128, 1 << 26]
for row in doc["compact"]:
    for figures in row["rounds"]:
        # The last call finds nothing.
        assert figures["calls"] >= 2
        assert figures["pages_back"] > 0 and figures["pages_left"] > 0
        assert 0 < figures["longest_call_ms"] <= figures["ms"]
assert "zs_compact_pages(128)" in table and "zs_compact_pages(all)" in table
assert "zs_drain_deferred(oom)" in table and "zs_free_deferred_flush()" in table
PYTHON

# One bit of the 100th object is wrong.
cat >damage.c <<'C'
#include <string.h>
#include <lethe/zsmalloc.h>

int __real_zs_obj_write(struct zs_pool *pool, unsigned long handle, const void *src,
			size_t len);

int __wrap_zs_obj_write(struct zs_pool *pool, unsigned long handle, const void *src,
			size_t len)
{
	static unsigned int calls;
	unsigned char copy[65536];

	memcpy(copy, src, len);
	if (++calls == 100)
		copy[len / 2] ^= 4;
	return __real_zs_obj_write(pool, handle, copy, len);
}
C

driver --size 2 --rounds 2 --objects 8192 --seconds 1 --json r.json >table 2>stderr
check "a run" test $? = 0
check "nothing to complain of" test ! -s stderr
check "all is there and plausible" python3 look.py r.json table
check "nothing else is left" test "$(echo r.json*)" = r.json

refused 1 "/nonexistent" driver --input /nonexistent --json x.json
refused 1 "neither a regular file nor" driver --input /dev/null --json x.json
refused 2 "--size" driver --size 0 --json x.json
refused 2 "--rounds" driver --rounds many --json x.json
refused 2 "--threads" driver --threads 1,0 --json x.json
refused 2 "bogus" driver --bogus --json x.json
refused 1 "missing/x.json" driver --size 1 --rounds 1 --json missing/x.json
check "and there is no file" test ! -e x.json -a ! -e x.json.pack

"$rivals" pack /usr/lib 2 pack >/dev/null
for name in jemalloc mimalloc tcmalloc; do
	refused 1 "$name is not in force.*package lib" "$rivals" run pack $name 1
done
refused 2 "unknown allocator 'none'" "$rivals" run pack none 1
refused 2 "threads '0'" "$rivals" run pack glibc 0
refused 2 "unknown policy 'none'" "$rivals" push pack none 1 100 0
refused 2 "unknown cause 'none'" "$rivals" stall pack default none 1
refused 2 "number of pages '0'" "$rivals" compact pack 0
refused 2 "seconds '0'" "$rivals" stall pack default oom 0
refused 1 "no compressed pages" "$rivals" run look.py glibc 1
head -c 100000 pack >short
refused 1 "no compressed pages" "$rivals" run short glibc 1

check "build over a pool that misbehaves" "${CC:-cc}" -I"$root/include" damage.c \
	"$build"/bench/user/rivals.p/*.o "$build/tools/liblethe_tool_common.a" \
	"$build/liblethe.a" -Wl,--wrap=zs_obj_write -llz4 -llzo2 -lzstd -lpthread -o damaged
refused 1 "object 99 read back from lethe-free is not what" ./damaged run pack lethe-free 1

echo "rivals: $passed passed, $failed failed"
[ "$failed" = 0 ]
