#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
"""Write the last result of a long check into docs/verification.md: the section of
that title gets the text of standard input, the others stay.

usage: verification.py TITLE <TEXT"""

import pathlib
import re
import sys

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs/verification.md"
HEAD = """<!-- SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause -->
# Verification

Results of checks that take longer than `make test` may, or of which the figure matters. Each section is written by the
command that it names, and says when it last ran.
"""


def main(title, text):
    page = PAGE.read_text() if PAGE.exists() else HEAD
    head, *sections = re.split(r"(?m)^(?=## )", page)
    section = f"## {title}\n\n{text.strip()}\n"
    titles = [s.splitlines()[0][3:] for s in sections]
    if title in titles:
        sections[titles.index(title)] = section
    else:
        sections.append(section)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text("\n".join(part.rstrip() + "\n" for part in [head, *sections]))


if len(sys.argv) != 2:
    sys.exit(__doc__)
main(sys.argv[1], sys.stdin.read())
