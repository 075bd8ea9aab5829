#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
"""Medians of what exitbench measured, as a table and as JSON.

usage: table.py RESULTS JSON KERNEL

RESULTS holds lines of key=value words, as bench/guest-init writes them.
"""

import json
import os
import statistics
import sys

PAGE_BYTES = 4096
VARIANTS = ('intree', 'sync', 'array', 'percpu', 'tombstone', 'default')  # in the table's order


def read_samples(path):
    """Measurements by (procs, mib, variant), then by what was measured."""
    samples = {}
    with open(path, encoding='ascii', errors='replace') as lines:
        for line in lines:
            words = dict(word.split('=', 1) for word in line.split() if '=' in word)
            if 'variant' not in words:
                continue
            what = words['mode'] + ('_floor' if words['content'] == 'same' else '')
            row = samples.setdefault(
                (int(words['procs']), int(words['mib']), words['variant']),
                {'policy': words['policy']})
            row.setdefault(what, []).append(
                {name: int(words[name])
                 for name in ('ns', 'cpu_ns', 'back_ns', 'used', 'orig')})
    return samples


def make_record(kernel, procs, mib, variant, row):
    pages = mib * 1048576 // PAGE_BYTES

    def median(what, name, unit=1):
        return statistics.median(run[name] for run in row[what]) / unit

    record = {
        'kernel': kernel,
        'impl': 'in-tree' if variant == 'intree' else 'lethe',
        'policy': row['policy'],
        'procs': procs,
        'mib': mib,
        'munmap_ns_per_page': round(median('munmap', 'ns', pages), 1),
        'kill_ns_per_page': round(median('kill', 'ns', pages), 1),
        'floor_ns_per_page': round(median('kill_floor', 'ns', pages), 1),
        'cpu_ns_per_page': round(median('kill', 'cpu_ns', pages), 1),
        'back_ms': round(median('kill', 'back_ns', 1e6), 2),
        'mem_used_bytes': int(median('kill', 'used')),
        'orig_bytes': int(median('kill', 'orig')),
    }
    if 'munmap_floor' in row:
        record['munmap_floor_ns_per_page'] = round(median('munmap_floor', 'ns', pages), 1)
    return record


def make_label(variant, policy):
    if variant == 'intree':
        return "the kernel's own zram"
    return f'lethe, default ({policy})' if variant == 'default' else f'lethe, {policy}'


# Heading, key of the record, unit, digits, explanation
COLUMNS = (
    ('munmap', 'munmap_ns_per_page', 1, 0,
     'ns per page: unmapping memory that is swapped out'),
    ('m-floor', 'munmap_floor_ns_per_page', 1, 0,
     'the same with same-filled pages, which hold no object of the allocator'),
    ('kill', 'kill_ns_per_page', 1, 0,
     'ns per page: SIGKILL until the last process is reaped'),
    ('floor', 'floor_ns_per_page', 1, 0,
     'the same with same-filled pages, which hold no object of the allocator'),
    ('cpu', 'cpu_ns_per_page', 1, 0,
     'ns per page: CPU time of the killed processes, and of all kernel threads\n'
     '        until the memory is back'),
    ('back', 'back_ms', 1, 1,
     'ms: SIGKILL until mm_stat shows the memory free again'),
    ('used', 'mem_used_bytes', 1048576, 1,
     'MiB that held the pages while they were swapped out'),
    ('(N x)', None, 0, 0,
     "how many times less than the kernel's own zram"),
)


def make_cells(columns, record, reference):
    for _, key, unit, digits, _ in columns:
        text = f'{record[key] / unit:.{digits}f}'
        if reference is not None and reference is not record and record[key]:
            text += f' ({reference[key] / record[key]:.2f} x)'
        yield text


def print_table(rows, rounds):
    """rows: (label, record), the kernel's own first within a number of processes
    and a size. What was not measured has no column."""
    columns = [column for column in COLUMNS if all(column[1] in record for _, record in rows)]
    last = reference = None
    for label, record in rows:
        if (record['procs'], record['mib']) != last:
            last = procs, mib = record['procs'], record['mib']
            reference = record if record['impl'] == 'in-tree' else None
            title = (f'{procs} process{"es" if procs > 1 else ""}, {mib} MiB'
                     f'{" in all" if procs > 1 else ""}, medians of {rounds}')
            print(f'\n{title:36}' + ''.join(f'{column[0]:>16}' for column in columns))
        print(f'  {label:34}'
              + ''.join(f'{cell:>16}' for cell in make_cells(columns, record, reference)))
    print()
    for column in COLUMNS:
        if column in columns or not column[1]:
            print(f'{column[0]:8}{column[4]}')


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    samples = read_samples(sys.argv[1])
    if not samples:
        sys.exit(f'table.py: no measurements in {sys.argv[1]}')
    keys = sorted(samples, key=lambda key: (*key[:2], VARIANTS.index(key[2])))
    rows = [(make_label(key[2], samples[key]['policy']),
             make_record(sys.argv[3], *key, samples[key])) for key in keys]
    with open(sys.argv[2] + '.part', 'w', encoding='ascii') as out:
        json.dump([record for _, record in rows], out, indent=1)
        out.write('\n')
    os.replace(sys.argv[2] + '.part', sys.argv[2])
    print_table(rows, min(len(row['kill']) for row in samples.values()))


if __name__ == '__main__':
    main()
