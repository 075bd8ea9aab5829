#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
"""Join records of several machines. One that was made again is instead of the one before.

usage: join.py OUT JSON...

OUT may be one of the files that are read.
"""

import json
import os
import sys

SAME = ('kernel', 'cpus', 'compaction', 'user', 'procs', 'mib', 'variant')


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    records = {}
    for path in sys.argv[2:]:
        with open(path, encoding='ascii') as file:
            for record in json.load(file):
                key = tuple(str(record.get(what, '')) for what in SAME)
                records.pop(key, None)
                records[key] = record
    with open(sys.argv[1] + '.part', 'w', encoding='ascii') as out:
        json.dump(list(records.values()), out, indent=1)
        out.write('\n')
    os.replace(sys.argv[1] + '.part', sys.argv[1])


if __name__ == '__main__':
    main()
