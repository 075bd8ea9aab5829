#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
"""Medians of what exitbench measured, as a table and as JSON.

usage: table.py RESULTS JSON

RESULTS holds lines of key=value words, as bench/guest-init writes them.
"""

import json
import os
import statistics
import sys

PAGE_BYTES = 4096
VARIANTS = ('intree', 'sync', 'array', 'default')  # in the table's order


def read_samples(path):
    """Measurements by (procs, variant), then by what was measured."""
    samples = {}
    with open(path, encoding='ascii', errors='replace') as lines:
        for line in lines:
            words = dict(word.split('=', 1) for word in line.split() if '=' in word)
            if 'variant' not in words:
                continue
            what = 'floor' if words['content'] == 'same' else words['mode']
            row = samples.setdefault((int(words['procs']), words['variant']),
                                     {'policy': words['policy']})
            row.setdefault(what, []).append(
                {name: int(words[name])
                 for name in ('mib', 'ns', 'cpu_ns', 'back_ns', 'used', 'orig')})
    return samples


def make_record(procs, variant, row):
    mib = row['kill'][0]['mib']
    pages = mib * 1048576 // PAGE_BYTES

    def median(what, name, unit=1):
        return statistics.median(run[name] for run in row[what]) / unit

    return {
        'impl': 'in-tree' if variant == 'intree' else 'lethe',
        'policy': row['policy'],
        'procs': procs,
        'mib': mib,
        'munmap_ns_per_page': round(median('munmap', 'ns', pages), 1),
        'kill_ns_per_page': round(median('kill', 'ns', pages), 1),
        'floor_ns_per_page': round(median('floor', 'ns', pages), 1),
        'cpu_ns_per_page': round(median('kill', 'cpu_ns', pages), 1),
        'back_ms': round(median('kill', 'back_ns', 1e6), 2),
        'mem_used_bytes': int(median('kill', 'used')),
        'orig_bytes': int(median('kill', 'orig')),
    }


def make_label(variant, policy):
    if variant == 'intree':
        return "the kernel's own zram"
    return f'lethe, default ({policy})' if variant == 'default' else f'lethe, {policy}'


# Heading, key of the record, unit, digits
COLUMNS = (
    ('munmap', 'munmap_ns_per_page', 1, 0),
    ('kill', 'kill_ns_per_page', 1, 0),
    ('floor', 'floor_ns_per_page', 1, 0),
    ('cpu', 'cpu_ns_per_page', 1, 0),
    ('back', 'back_ms', 1, 1),
    ('used', 'mem_used_bytes', 1048576, 1),
)

LEGEND = """
munmap  ns per page: unmapping memory that is swapped out
kill    ns per page: SIGKILL until the last process is reaped
floor   the same with same-filled pages, which hold no object of the allocator
cpu     ns per page: CPU time of the killed processes, and of all kernel threads
        until the memory is back
back    ms: SIGKILL until mm_stat shows the memory free again
used    MiB that held the pages while they were swapped out
(N x)   how many times less than the kernel's own zram"""


def make_cells(record, reference):
    for _, key, unit, digits in COLUMNS:
        text = f'{record[key] / unit:.{digits}f}'
        if reference is not None and reference is not record and record[key]:
            text += f' ({reference[key] / record[key]:.2f} x)'
        yield text


def print_table(rows, rounds):
    """rows: (label, record), the kernel's own first within a number of processes."""
    last = reference = None
    for label, record in rows:
        if record['procs'] != last:
            last = record['procs']
            reference = record if record['impl'] == 'in-tree' else None
            title = (f'{last} process{"es" if last > 1 else ""}, {record["mib"]} MiB'
                     f'{" in all" if last > 1 else ""}, medians of {rounds}')
            print(f'\n{title:36}' + ''.join(f'{c[0]:>16}' for c in COLUMNS))
        print(f'  {label:34}'
              + ''.join(f'{cell:>16}' for cell in make_cells(record, reference)))
    print(LEGEND)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    samples = read_samples(sys.argv[1])
    if not samples:
        sys.exit(f'table.py: no measurements in {sys.argv[1]}')
    keys = sorted(samples, key=lambda key: (key[0], VARIANTS.index(key[1])))
    rows = [(make_label(key[1], samples[key]['policy']), make_record(*key, samples[key]))
            for key in keys]
    with open(sys.argv[2] + '.part', 'w', encoding='ascii') as out:
        json.dump([record for _, record in rows], out, indent=1)
        out.write('\n')
    os.replace(sys.argv[2] + '.part', sys.argv[2])
    print_table(rows, min(len(row['kill']) for row in samples.values()))


if __name__ == '__main__':
    main()
