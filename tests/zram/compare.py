#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
"""Compare what the kernel's own zram answered with what ours did, for tests/zram.sh.

usage: compare.py [-r PAGE] [-f FAILED] RELEASE...

The answers are in build/vm/probe-{intree,lethe}-RELEASE.answers, a line each, question
and answer with a tab between. FAILED is how much had gone wrong before. PAGE is to be
written."""

import argparse
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ANSWERS = HERE.parent.parent / "build" / "vm"


def rows(name, columns):
    """Lines of a table of ours, with " | " between the columns."""
    for number, line in enumerate((HERE / name).read_text().splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        row = [cell.strip() for cell in line.split(" | ")]
        if len(row) != columns:
            sys.exit(f"{name}:{number}: {len(row)} columns, not {columns}")
        yield row


@dataclass
class Reason:
    """Why some answers differ, as it is meant."""
    kernels: list
    pattern: re.Pattern
    text: str
    used: list = field(default_factory=list)


def series(release):
    """As the list of reasons names it. A kernel of our own has other options than
    Debian's (tests/debug/)."""
    name = ".".join(release.split(".")[:2])
    return f"{name}-kasan" if release.endswith("-lethe-kasan") else name


def read_answers(implementation, release):
    path = ANSWERS / f"probe-{implementation}-{release}.answers"
    answers = {}
    if not path.exists():
        return answers
    for line in path.read_text(errors="replace").splitlines():
        question, _, answer = line.partition("\t")
        while question in answers:
            question += " (once more)"
        answers[question] = answer
    return answers


class Comparison:
    def __init__(self, release, reasons):
        self.release = release
        self.series = series(release)
        self.theirs = read_answers("intree", release)
        self.ours = read_answers("lethe", release)
        self.alike = 0
        self.intended = []  # (question, theirs, ours, reason)
        self.failures = []
        if not self.theirs or not self.ours:
            self.failures.append(f"{release}: no answers")
        for question in {**self.theirs, **self.ours}:
            self.compare(question, reasons)

    def compare(self, question, reasons):
        theirs, ours = (answers.get(question, "not there")
                        for answers in (self.theirs, self.ours))
        if theirs == ours:
            self.alike += 1
            return
        for reason in reasons:
            if self.series in reason.kernels and reason.pattern.fullmatch(question):
                reason.used.append((self.series, question))
                self.intended.append((question, theirs, ours, reason))
                return
        self.failures.append(f"{self.series}: {question}\n"
                             f"    the kernel's: {theirs}\n    ours:         {ours}")

    def has(self, answers, attribute):
        return f"fresh: mode of {attribute}" in answers


def attribute_cell(comparison, attribute):
    theirs = comparison.has(comparison.theirs, attribute)
    ours = comparison.has(comparison.ours, attribute)
    return {(True, True): "both", (False, True): "ours",
            (True, False): "**in-tree**", (False, False): "-"}[theirs, ours]


def code(text):
    text = text.replace("|", "\\|").replace("`", "'")
    return f"`{text}`" if text else "(nothing)"


def write_page(path, comparisons, attributes, reasons):
    names = [c.series for c in comparisons]
    lines = [
        "<!-- SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause -->",
        "<!-- Made by tests/zram.sh -r from the answers of both: change tests/zram/. -->",
        "# zram: ours beside the kernel's own",
        "",
        "Each attribute of both was read, and written with what is right and what is not, "
        "in each state of a device, by `tests/zram.sh`. "
        "What differs is in a list of what is meant to, with a reason; any other difference fails the test.",
        "",
        "| kernel | questions | the same answer | other, and meant to be |",
        "|---|---:|---:|---:|"]
    for c in comparisons:
        total = c.alike + len(c.intended) + len(c.failures)
        lines.append(f"| {c.release} | {total} | {c.alike} | {len(c.intended)} |")
    lines += ["", "## Attributes", "",
              "*both*: the kernel's own zram has it, as Debian builds it, and ours; "
              "6.12-kasan is built by the tests, with recompression; "
              "*ours*: ours alone; -: neither.", "",
              "| attribute | what it is | " + " | ".join(names) + " |",
              "|---|---|" + "---|" * len(names)]
    for attribute, text in attributes:
        cells = " | ".join(attribute_cell(c, attribute) for c in comparisons)
        lines.append(f"| `{attribute.rpartition('/')[2]}` | {text} | {cells} |")
    lines += ["", "## What differs, and why", ""]
    for reason in reasons:
        if not reason.used:
            continue
        lines += [f"**{reason.text}** ({', '.join(sorted({s for s, _ in reason.used}))})", "",
                  "| question | in-tree | ours |", "|---|---|---|"]
        shown = set()
        for c in comparisons:
            for question, theirs, ours, why in c.intended:
                row = f"| {code(question)} | {code(theirs)} | {code(ours)} |"
                if why is reason and row not in shown:
                    shown.add(row)
                    lines.append(row)
        lines.append("")
    path.write_text("\n".join(lines).rstrip() + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-r", type=Path)
    parser.add_argument("-f", type=int, default=0)
    parser.add_argument("releases", nargs="*")
    args = parser.parse_args()

    reasons = [Reason(kernels.split(), re.compile(pattern), text)
               for kernels, pattern, text in rows("intended", 3)]
    attributes = list(rows("attributes", 2))
    comparisons = [Comparison(release, reasons) for release in args.releases]
    passed = sum(c.alike + len(c.intended) for c in comparisons)
    failures = [f for c in comparisons for f in c.failures]
    asked = {c.series for c in comparisons}
    for reason in reasons:
        for kernel in set(reason.kernels) & asked:
            if kernel not in {s for s, _ in reason.used}:
                failures.append(f"intended: {kernel}: no difference left: {reason.pattern.pattern}")
    described = {name for name, _ in attributes}
    for c in comparisons:
        for question in {**c.theirs, **c.ours}:
            match = re.fullmatch(r"fresh: mode of (.*)", question)
            if match and match[1] not in described:
                failures.append(f"attributes: {match[1]} is not described")
    for failure in dict.fromkeys(failures):
        print(f"not ok {failure}")
    failed = len(dict.fromkeys(failures)) + args.f
    if args.r and not failed:
        write_page(args.r, comparisons, attributes, reasons)
    print(f"zram: {passed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
