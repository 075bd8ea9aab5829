#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
"""Instructions of the allocator in userspace, by function, from callgrind's output.

usage: callgrind.py FILE PUSH

Prints, for each call of PUSH, the function that gives an object back, how many
instructions each function of the allocator took in itself, and what it inlines.
"""

import collections
import re
import sys

# What frees, in core/: what gives pages back below it is the home's.
OURS = re.compile(r'zs_free|free_(?!part|all)|defer_|drain_|pending_|credit_|table_(scan|put)'
                  r'|zspage_(destroy|update)')
LEAST = 0.5  # instructions a call


def read(path):
    """Instructions and calls by function. Lines after calls= are of what was called."""
    names, cost, calls = {}, collections.Counter(), collections.Counter()
    function = callee = None
    called = False

    def name(text):
        number, _, new = text.partition(' ')
        return names.setdefault(number, new) if new else names[number]

    with open(path, encoding='utf-8', errors='replace') as lines:
        for line in lines:
            line = line.rstrip('\n')
            if line.startswith('fn='):
                function = name(line[3:])
            elif line.startswith('cfn='):
                callee = name(line[4:])
            elif line.startswith('calls='):
                calls[callee] += int(line[6:].split()[0])
                called = True
            elif re.match(r'[+*\d-]', line):
                if not called:
                    cost[function] += int(line.split()[1])
                called = False
    return cost, calls


def main():
    cost, calls = read(sys.argv[1])
    pushes = calls[sys.argv[2]]
    if not pushes:
        sys.exit(f'callgrind.py: {sys.argv[2]} was never called')
    rows = [(function, total / pushes) for function, total in cost.most_common()
            if OURS.match(function) and total >= LEAST * pushes]
    print(f'{pushes} calls of {sys.argv[2]}; instructions for each, by function\n')
    for function, each in rows:
        print(f'{each:8.1f}  {function}')
    print(f'{sum(each for _, each in rows):8.1f}  together')


if __name__ == '__main__':
    main()
