#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
"""The allocator against those that people would use instead, in userspace.

Every round of every allocator is a process of its own (bench/user), preloaded
where the allocator is a library. Rounds are interleaved, and each begins with
another allocator: drift hits all alike. Prints tables of medians, and writes all
figures as JSON.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

# Key, heading, unit, scale, decimals, in the order of the table
COLUMNS = [
    ("store_ns", "store", "ns", 1, 0),
    ("store_cpu_ns", "cpu", "ns", 1, 0),
    ("free_ns", "free", "ns", 1, 1),
    ("free_cpu_ns", "cpu", "ns", 1, 1),
    ("free_random_ns", "random", "ns", 1, 1),
    ("free_random_cpu_ns", "cpu", "ns", 1, 1),
    ("tidy_ms", "tidy", "ms", 1, 1),
    ("held_full", "full", "B/B", 1, 3),
    ("held_rest", "rest", "B/B", 1, 3),
    ("own_full", "own full", "B/B", 1, 3),
    ("own_rest", "own rest", "B/B", 1, 3),
    ("held_empty_bytes", "empty", "MiB", 1 / (1 << 20), 1),
]
PUSH_COLUMNS = [
    ("p50_ns", "p50", "ns", 1, 1),
    ("p99_ns", "p99", "ns", 1, 1),
    ("mean_ns", "mean", "ns", 1, 1),
    ("handles_per_s", "pushed", "M/s", 1e-6, 1),
    ("at_once", "at once", "threads", 1, 2),
    ("drained_meanwhile", "drained", "frees", 1, 0),
    ("fallback", "fallback", "frees", 1, 0),
]
STALL_COLUMNS = [
    ("p50_ms", "p50", "ms", 1, 2),
    ("p99_ms", "p99", "ms", 1, 2),
    ("max_ms", "longest", "ms", 1, 2),
    ("longest_ms", "of all", "ms", 1, 2),
    ("longest_cpu_ms", "cpu", "ms", 1, 2),
    ("goal_ms", "goal", "ms", 1, 0),
    ("calls", "calls", "a round", 1, 0),
    ("handles_per_s", "pushed", "M/s", 1e-6, 2),
]
COMPACT_COLUMNS = [
    ("pages_per_ms", "back", "pages/ms", 1, 0),
    ("pages_back", "back", "pages", 1, 0),
    ("pages_left", "left", "pages", 1, 0),
    ("calls", "calls", "a round", 1, 0),
    ("longest_call_ms", "longest", "ms", 1, 2),
]
# Pages that a call for compaction wants: a shrinker's batch, and all there is
COMPACT_WANTS = (128, 1 << 26)
# The longest that a call for a drain may take, in ms, by cause
STALL_GOALS = {"nomem": 10, "limit": 10, "oom": 10, "shrinker": 10, "caller": 50}
PUSH_OBJECTS = 1 << 18
LEGEND = """
ns for one object, medians over rounds. store: malloc and copy, into memory that the
process has not touched before; free: in the order of storing; random: 90 % of the
objects, in random order; cpu: of the whole process, its workers included. tidy: then
giving back all that the allocator can. B/B: bytes held for a byte of payload, by the
kernel's count (own: by Lethe's): full, everything stored; rest, after that 90 % and
tidying. empty: still held when everything was freed in order, before tidying."""


class Problem(Exception):
    """What went wrong, in a sentence."""


class Parser(argparse.ArgumentParser):
    def error(self, message):
        print(f"rivals: {message}", file=sys.stderr)
        sys.exit(2)


def call(program, *words, library="-"):
    """What the program prints; what it says when it fails, it has said."""
    env = dict(os.environ)
    env.pop("LD_PRELOAD", None)
    if library != "-":
        env["LD_PRELOAD"] = library
    done = subprocess.run([program, *map(str, words)], env=env, check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    # The dynamic linker has its own words for a library that is not there.
    said = [line for line in done.stderr.splitlines() if not line.startswith("ERROR: ld.so")]
    if done.returncode < 0:
        raise Problem(f"rivals: {words[0]} was ended by signal {-done.returncode}")
    if done.returncode:
        raise Problem(said[-1] if said else f"rivals: {words[0]} failed")
    return done.stdout


def allocators(program):
    return [line.split() for line in call(program, "list").splitlines()]


def summary(rounds):
    """Medians, least and greatest of every figure that is measured."""
    record = {}
    for key, first in rounds[0].items():
        values = [figures[key] for figures in rounds]
        number = isinstance(first, (int, float))
        record[key] = statistics.median(values) if number else first
    for name, choose in (("min", min), ("max", max)):
        record[name] = {key: choose(figures[key] for figures in rounds)
                        for key, first in rounds[0].items() if isinstance(first, float)}
    record["rounds"] = rounds
    return record


def interleave(jobs, rounds):
    """The figures of each job, a function, over all rounds; beginning with another
    job each round."""
    figures = [[] for _ in jobs]
    for number in range(rounds):
        for i in range(len(jobs)):
            at = (number + i) % len(jobs)
            figures[at].append(json.loads(jobs[at]()))
    return [summary(each) for each in figures]


def run_jobs(program, pack, threads):
    return [lambda name=name, library=library, n=n:
            call(program, "run", pack, name, n, library=library)
            for n in threads for name, library, _ in allocators(program)]


def push_jobs(program, pack, threads, objects):
    """The same budget for both policies, and the array's own."""
    cases = [("tombstone", objects), ("array", objects), ("array", 0)]
    return [lambda policy=policy, budget=budget, n=n:
            call(program, "push", pack, policy, n, objects, budget)
            for n in threads for policy, budget in cases]


def stall_jobs(program, pack, seconds):
    return [lambda cause=cause: call(program, "stall", pack, "default", cause, seconds)
            for cause in STALL_GOALS]


def compact_jobs(program, pack):
    return [lambda want=want: call(program, "compact", pack, want) for want in COMPACT_WANTS]


def compact_name(record):
    want = "all" if record["want"] == COMPACT_WANTS[-1] else f"{record['want']:.0f}"
    return f"zs_compact_pages({want})"


def stall_name(record):
    cause = record["call"]
    return "zs_free_deferred_flush()" if cause == "caller" else f"zs_drain_deferred({cause})"


def with_goals(records):
    for record in records:
        record["longest_ms"] = record["max"]["max_ms"]
        record["longest_cpu_ms"] = record["max"]["max_cpu_ms"]
        record["goal_ms"] = STALL_GOALS[record["call"]]
    return records


def print_table(columns, records, label):
    names = [label(record) for record in records]
    width = max(map(len, names))
    columns = [(*column, max(len(column[1]), 6)) for column in columns
               if any(column[0] in record for record in records)]
    print()
    print(" " * width, *(f"{title:>{size}}" for _, title, _, _, _, size in columns))
    print(" " * width, *(f"{unit:>{size}}" for _, _, unit, _, _, size in columns))
    for name, record in zip(names, records):
        cells = [f"{record[key] * scale:{size}.{decimals}f}" if key in record
                 else f"{'-':>{size}}" for key, _, _, scale, decimals, size in columns]
        print(f"{name:<{width}}", *cells)


def plural(n):
    return f"{n} thread{'s' if n > 1 else ''}"


def print_result(doc):
    source = doc["input"]
    print(f"{source['objects']} objects, {source['payload_bytes'] / (1 << 20):.1f} MiB: "
          f"pages of {source['files']} files below {source['path']}, {source['codec']}; "
          f"{doc['round_count']} rounds")
    print_table(COLUMNS, doc["results"],
                lambda r: f"{r['allocator']}, {plural(r['threads'])}")
    print(LEGEND)
    print_table(PUSH_COLUMNS, doc["push"], lambda r: (
        f"{r['policy']}, budget {r['budget']:.0f}, {plural(r['threads'])}"))
    print("\nzs_free_deferred() while a drain is due; each call timed by "
          f"{doc['push'][0]['clock']}, {doc['push'][0]['clock_overhead_ns']:.1f} ns a "
          "reading taken off.")
    print_table(STALL_COLUMNS, doc["stall"], stall_name)
    print("\nHow long a call takes while two threads allocate and push without end; "
          "longest: of a\nround; cpu: the most CPU time that one took.")
    print_table(COMPACT_COLUMNS, doc["compact"], compact_name)
    print("\nPages that compaction gives back after 90 % of all objects were freed at random.")


def counts(text):
    numbers = [int(word) for word in text.split(",")]
    if not numbers or not all(0 < number <= 64 for number in numbers):
        raise ValueError
    return numbers


def positive(text):
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def parse_arguments():
    parser = Parser(description=__doc__, allow_abbrev=False,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="build/user/bench/user/rivals")
    parser.add_argument("--input", default="/usr/lib", help="files to store [/usr/lib]")
    parser.add_argument("--size", type=positive, default=256, help="MiB [256]")
    parser.add_argument("--rounds", type=positive, default=5, help="[5]")
    parser.add_argument("--threads", type=counts, default=[1, 2], help="[1,2]")
    parser.add_argument("--objects", type=positive, default=PUSH_OBJECTS,
                        help=f"to push [{PUSH_OBJECTS}]")
    parser.add_argument("--seconds", type=positive, default=2,
                        help="of calls for a drain, each cause and round [2]")
    parser.add_argument("--json", required=True, help="where all figures go")
    return parser.parse_args()


def measure(options, pack):
    source = json.loads(call(options.program, "pack", options.input, options.size, pack))
    for name, library, _ in allocators(options.program):
        # Is every allocator there? Better known now than after minutes.
        call(options.program, "run", pack, name, 1, library=library)
    return {
        "input": {"path": options.input, **source},
        "round_count": options.rounds,
        "results": interleave(run_jobs(options.program, pack, options.threads),
                              options.rounds),
        "push": interleave(push_jobs(options.program, pack, options.threads,
                                     options.objects), options.rounds),
        "stall": with_goals(interleave(stall_jobs(options.program, pack, options.seconds),
                                       options.rounds)),
        "compact": interleave(compact_jobs(options.program, pack), options.rounds),
    }


def main():
    options = parse_arguments()
    pack = options.json + ".pack"
    try:
        doc = measure(options, pack)
        with open(options.json + ".new", "w", encoding="utf-8") as file:
            json.dump(doc, file, indent=1)
            file.write("\n")
        os.replace(options.json + ".new", options.json)
    except (Problem, OSError) as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit("rivals: interrupted")
    finally:
        if os.path.exists(pack):
            os.unlink(pack)
    print_result(doc)


if __name__ == "__main__":
    main()
