#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
"""Compare what the kernel's own zram answered with what ours did, for tests/zram.sh.

usage: compare.py [-r PAGE] [-f FAILED] RELEASE...

The answers are in build/vm/probe-{intree,lethe}-RELEASE.answers, a line each, question
and answer with a tab between. FAILED is how much had gone wrong before. PAGE is to be
written, and zram/recorded: what ours answers on a kernel of which the own zram has what
another's has not. So there it is compared with the kernel's own, and on the other kernel
with what has been recorded."""

import argparse
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ANSWERS = HERE.parent.parent / "build" / "vm"
RECORDED = HERE / "recorded"
RECORDED_HEAD = """# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Made by tests/zram.sh -r: kernel, question, and what ours answers there.
"""


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
    ours: str  # what we answer then, a regular expression; "= KERNEL": as we do there
    text: str
    used: list = field(default_factory=list)

    def is_about(self, kernel, question):
        return kernel in self.kernels and self.pattern.fullmatch(question)

    def reference(self):
        return self.ours[2:] if self.ours.startswith("= ") else None


def series(release):
    """As the list of reasons names it. A kernel of our own has other options than
    Debian's (tests/debug/)."""
    name = ".".join(release.split(".")[:2])
    return f"{name}-kasan" if release.endswith("-lethe-kasan") else name


def is_as_recorded(answer, recorded):
    """Older kernels show four of six flags of a page."""
    four = re.sub(r"(\d+[.a-z]{4})[.a-z]{2}", r"\1", recorded or "")
    return answer in (recorded, four)


def read_lines(path):
    return path.read_text(errors="replace").splitlines() if path.exists() else []


def read_answers(implementation, release):
    answers = {}
    for line in read_lines(ANSWERS / f"probe-{implementation}-{release}.answers"):
        question, _, answer = line.partition("\t")
        while question in answers:
            question += " (once more)"
        answers[question] = answer
    return answers


class Comparison:
    def __init__(self, release, reasons, recorded):
        self.release = release
        self.series = series(release)
        self.recorded = recorded
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
            if reason.is_about(self.series, question) and self.is_meant(question, ours, reason):
                reason.used.append((self.series, question))
                self.intended.append((question, theirs, ours, reason))
                return
        self.failures.append(f"{self.series}: {question}\n"
                             f"    the kernel's: {theirs}\n    ours:         {ours}")

    def is_meant(self, question, ours, reason):
        if reason.reference():
            return is_as_recorded(ours, self.recorded.get((reason.reference(), question)))
        return re.fullmatch(reason.ours, ours.strip())

    def has(self, answers, attribute):
        return f"fresh: mode of {attribute}" in answers


def answers_to_record(reasons, releases, recorded):
    """What ours answers to all that is compared with it on other kernels; of a kernel
    that was not asked, what is recorded."""
    asked = {series(release): release for release in releases}
    now = {key: answer for key, answer in recorded.items() if key[0] not in asked}
    for kernel, release in asked.items():
        patterns = [r.pattern for r in reasons if r.reference() == kernel]
        for question, answer in read_answers("lethe", release).items():
            if any(pattern.fullmatch(question) for pattern in patterns):
                now[kernel, question] = answer
    return now


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
    for text in dict.fromkeys(reason.text for reason in reasons if reason.used):
        kernels = {s for reason in reasons if reason.text == text for s, _ in reason.used}
        lines += [f"**{text}** ({', '.join(sorted(kernels))})", "",
                  "| question | in-tree | ours |", "|---|---|---|"]
        shown = set()
        for c in comparisons:
            for question, theirs, ours, why in c.intended:
                row = f"| {code(question)} | {code(theirs)} | {code(ours)} |"
                if why.text == text and row not in shown:
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

    reasons = [Reason(kernels.split(), re.compile(pattern), ours, text)
               for kernels, pattern, ours, text in rows("intended", 4)]
    attributes = list(rows("attributes", 2))
    recorded = {}
    for line in read_lines(RECORDED):
        if not line.startswith("#"):
            kernel, question, answer = line.split("\t")
            recorded[kernel, question] = answer
    now = answers_to_record(reasons, args.releases, recorded)
    if args.r:
        recorded = now
    comparisons = [Comparison(release, reasons, recorded) for release in args.releases]
    passed = sum(c.alike + len(c.intended) for c in comparisons)
    failures = [f for c in comparisons for f in c.failures]
    failures += [f"recorded: {', '.join(key)}: {recorded.get(key)}, now {now.get(key)}"
                 for key in {**recorded, **now} if recorded.get(key) != now.get(key)]
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
        RECORDED.write_text(RECORDED_HEAD + "".join(f"{kernel}\t{question}\t{answer}\n"
                                    for (kernel, question), answer in recorded.items()))
    print(f"zram: {passed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
