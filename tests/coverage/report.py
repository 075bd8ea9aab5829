#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
"""How much of core/ and port/user a run of the tests has covered.

usage: report.py BUILD_DIRECTORY

What gcov says of each object file of the library is put together: a line or
branch counts as reached if it was so in any of the places that it was inlined
into. What is left is listed by function, with its reason from the file "reasons"
beside this script: lines of "FILE FUNCTION: REASON". Ends in success if 95 % of the
lines and 85 % of the branches are reached, and nothing is left without a reason.
"""

import collections
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LEAST_LINES, LEAST_BRANCHES = 95, 85


class Line:
    def __init__(self):
        self.function = ""
        self.count = 0
        self.branches = []

    def add(self, line):
        self.function = line.get("function_name", self.function)
        self.count += line["count"]
        taken = [b["count"] for b in line["branches"]]
        if len(taken) > len(self.branches):
            self.branches += [0] * (len(taken) - len(self.branches))
        for i, count in enumerate(taken):
            self.branches[i] += count


def gcov(build):
    """file -> line number -> Line"""
    files = collections.defaultdict(lambda: collections.defaultdict(Line))
    for data in [*sorted(build.glob("liblethe_*.a.p/*.gcda")),
                 *build.glob("tests/unit/test_full.p/*core_all*.gcda")]:
        said = subprocess.run(
            ["gcov", "--json-format", "--branch-probabilities", "--stdout", data],
            cwd=build, check=True, capture_output=True).stdout
        for text in said.splitlines():
            for file in json.loads(text)["files"]:
                path = (build / file["file"]).resolve()
                if not path.is_relative_to(ROOT):
                    continue
                name = str(path.relative_to(ROOT))
                if name.startswith(("core/", "port/")):
                    for line in file["lines"]:
                        files[name][line["line_number"]].add(line)
    return files


def home_of_lines(files):
    """Lines inlined elsewhere bear the name of where to: name them by the function
    that begins above them in their own file."""
    for name, lines in files.items():
        function = ""
        source = (ROOT / name).read_text().splitlines()
        for number, text in enumerate(source, 1):
            if text and (text[0].isalpha() or text[0] == "_") and "(" in text \
                    and not text.rstrip().endswith(";") and not text.startswith("#"):
                function = text.split("(")[0].split()[-1].lstrip("*")
                if text.startswith("defer_push") or text.startswith("defer_tombstone"):
                    function = text.split("(")[0]
            if number in lines:
                lines[number].function = function


def reasons():
    known = {}
    for text in (pathlib.Path(__file__).parent / "reasons").read_text().splitlines():
        if text and not text.startswith("#"):
            place, reason = text.split(": ", 1)
            known[tuple(place.split())] = reason
    return known


def percent(part, whole):
    return 100 * part / whole if whole else 100


def spans(numbers):
    """1, 2, 3, 5 -> 1-3, 5"""
    runs = []
    for n in sorted(numbers):
        if runs and n == runs[-1][1] + 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return ", ".join(f"{a}-{b}" if a != b else f"{a}" for a, b in runs)


def main(build):
    files = gcov(build)
    home_of_lines(files)
    known = reasons()
    print("| file | lines | branches |\n|---|---|---|")
    total = [0, 0, 0, 0]
    left = []
    for name in sorted(files):
        lines = files[name]
        here = [sum(1 for line in lines.values() if line.count), len(lines),
                sum(1 for line in lines.values() for b in line.branches if b),
                sum(len(line.branches) for line in lines.values())]
        total = [a + b for a, b in zip(total, here)]
        print(f"| `{name}` | {here[0]} of {here[1]} | {here[2]} of {here[3]} |")
        missed = collections.defaultdict(lambda: ([], []))
        for number, line in lines.items():
            if not line.count:
                missed[line.function][0].append(number)
            elif 0 in line.branches:
                missed[line.function][1].append(number)
        left += [(name, function, *where) for function, where in missed.items()]
    rate = percent(*total[:2]), percent(*total[2:])
    print(f"| together | {rate[0]:.1f} % | {rate[1]:.1f} % |")
    print("\nWhat is left: lines that are not reached, and lines of which a branch is not taken.\n")
    print("| file, function | lines | branches at | why |\n|---|---|---|---|")
    unexplained = 0
    for name, function, lines, branches in left:
        reason = known.get((name, function))
        unexplained += not reason
        print(f"| `{name}` `{function}` | {spans(lines)} | {spans(branches)} | "
              f"{reason or '**not explained**'} |")
    good = rate[0] >= LEAST_LINES and rate[1] >= LEAST_BRANCHES and not unexplained
    print(f"{rate[0]:.1f} % of {total[1]} lines, {rate[1]:.1f} % of {total[3]} branches, "
          f"{unexplained} places without a reason", file=sys.stderr)
    return 0 if good else 1


if len(sys.argv) != 2:
    sys.exit(__doc__)
sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
