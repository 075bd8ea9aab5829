#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
"""Medians of what exitbench measured, as a table and as JSON.

usage: table.py RESULTS JSON KERNEL [KEY=VALUE...]

RESULTS holds lines of key=value words, as bench/guest-init writes them. Each
record gets KEYs in addition.
"""

import json
import math
import os
import statistics
import sys

PAGE_BYTES = 4096
VARIANTS = ('intree', 'sync', 'array', 'tombstone', 'unbatched', 'bulk', 'alone',
            'default', 'ages')  # in the table's order


def read_samples(path):
    """Measurements by (procs, mib, load, variant), then by what was measured. The load
    is that of exitbench's mode busy, '' in others."""
    samples = {}
    with open(path, encoding='ascii', errors='replace') as lines:
        for line in lines:
            words = dict(word.split('=', 1) for word in line.split() if '=' in word)
            if 'variant' not in words:
                continue
            what = words['mode'] + {'same': '_floor', 'fills': '_fills'}.get(
                words['content'], '')
            row = samples.setdefault(
                (int(words['procs']), int(words['mib']), words.get('load', ''),
                 words['variant']),
                {'policy': words['policy']})
            row.setdefault(what, []).append(
                {name: int(value) for name, value in words.items() if value.isdigit()})
    return samples


def percentile(values, share):
    """The smallest value that at least that share of them do not exceed."""
    values = sorted(values)
    return values[max(0, math.ceil(share * len(values)) - 1)]


# What was measured, name there, key of the record, divided by: "page" is by pages
MEDIANS = (
    ('munmap', 'ns', 'munmap_ns_per_page', 'page'),
    ('kill', 'ns', 'kill_ns_per_page', 'page'),
    ('kill_floor', 'ns', 'floor_ns_per_page', 'page'),
    ('munmap_floor', 'ns', 'munmap_floor_ns_per_page', 'page'),
    ('kill_fills', 'ns', 'fills_ns_per_page', 'page'),
    ('munmap_fills', 'ns', 'munmap_fills_ns_per_page', 'page'),
    ('kill', 'cpu_ns', 'cpu_ns_per_page', 'page'),
    ('munmap', 'cpu_ns', 'munmap_cpu_ns_per_page', 'page'),
    ('kill', 'back_ns', 'back_ms', 1e6),
    ('kill', 'used', 'mem_used_bytes', 1),
    ('kill', 'orig', 'orig_bytes', 1),
    ('kill', 'compr', 'compr_bytes', 1),
    ('kill', 'store_ns', 'store_ns_per_page', 'page'),
    ('read', 'ns', 'read_ns_per_page', 'page'),
    ('storm', 'ns', 'storm_ns_per_page', 'page'),
    ('storm', 'fault_p50_ns', 'fault_p50_us', 1e3),
    ('storm', 'fault_p99_ns', 'fault_p99_us', 1e3),
    ('storm', 'fault_max_ns', 'fault_max_us', 1e3),
    ('storm', 'fault_lost_ns', 'fault_lost_ms', 1e6),
    ('busy', 'ns', 'reaped_ms', 1e6),
    ('busy', 'ns', 'kill_ns_per_page', 'page'),
    ('busy', 'cpu_ns', 'cpu_ns_per_page', 'page'),
    ('busy', 'back_ns', 'back_ms', 1e6),
)


def make_record(kernel, procs, mib, load, variant, row):
    pages = mib * 1048576 // PAGE_BYTES
    record = {
        'kernel': kernel,
        'impl': 'in-tree' if variant == 'intree' else 'lethe',
        'policy': row['policy'],
        'variant': variant,
        'procs': procs,
        'mib': mib,
    }
    if load:
        record['load'] = load
    for what, name, key, unit in MEDIANS:
        if what in row and all(name in run for run in row[what]):
            value = statistics.median(run[name] for run in row[what])
            value /= pages if unit == 'page' else unit
            record[key] = int(value) if key.endswith('_bytes') else round(value, 2)
    for what in ('munmap', 'kill'):
        if what in row:
            record[f'{what}_p99_ns_per_page'] = round(
                percentile([run['ns'] for run in row[what]], 0.99) / pages, 2)
    record['rounds'] = min(len(runs) for runs in row.values() if isinstance(runs, list))
    # Counted since the pool was made, so the last of a pool's runs has the most.
    record['fallbacks'] = max(run['fallback'] for runs in row.values()
                              if isinstance(runs, list) for run in runs)
    return record


# Variants that differ from the default in one thing
BUILDS = {'unbatched': 'without batches', 'bulk': 'bulk page release', 'alone': 'one drain',
          'ages': 'ages noted'}


def make_label(variant, policy, user=''):
    """user: where the allocator is in the kernel's own tree, and what stands on it."""
    if variant == 'intree':
        return f"the kernel's own {'zsmalloc' if user else 'zram'}"
    if variant in BUILDS:
        return f'lethe, {policy}, {BUILDS[variant]}'
    return f'lethe, default ({policy})' if variant == 'default' else f'lethe, {policy}'


# Heading, key of the record, unit, digits, explanation
COLUMNS = (
    ('munmap', 'munmap_ns_per_page', 1, 0,
     'ns per page: unmapping memory that is swapped out'),
    ('m-floor', 'munmap_floor_ns_per_page', 1, 0,
     'the same with same-filled pages, which hold no object of the allocator'),
    ('m-fills', 'munmap_fills_ns_per_page', 1, 0,
     'the same with same-filled pages whose values fit no 32 bits'),
    ('kill', 'kill_ns_per_page', 1, 0,
     'ns per page: SIGKILL until the last process is reaped'),
    ('floor', 'floor_ns_per_page', 1, 0,
     'the same with same-filled pages, which hold no object of the allocator'),
    ('fills', 'fills_ns_per_page', 1, 0,
     'the same with same-filled pages whose values fit no 32 bits'),
    ('reaped', 'reaped_ms', 1, 1,
     'ms: SIGKILL until the last process is reaped, in all'),
    ('cpu', 'cpu_ns_per_page', 1, 0,
     'ns per page: CPU time of the killed processes, and of all kernel threads\n'
     '        until the memory is back'),
    ('back', 'back_ms', 1, 1,
     'ms: SIGKILL until mm_stat, or a counter of zswap, shows the memory free again'),
    ('used', 'mem_used_bytes', 1048576, 1,
     'MiB that held the pages while they were swapped out'),
    ('store', 'store_ns_per_page', 1, 0,
     'ns per page: swapping the memory out, compression included'),
    ('read', 'read_ns_per_page', 1, 0,
     'ns per page: touching all of it again'),
    ('fault', 'fault_p99_us', 1, 1,
     'us: 99th percentile of the page faults of a bystander, in the 500 ms from the\n'
     '        first SIGKILL on'),
    ('lost', 'fault_lost_ms', 1, 2,
     'ms: sum of lateness above the median, of page faults and of waiting for a CPU,\n'
     '        over the same time'),
    ('(N x)', None, 0, 0,
     "how many times less than the kernel's own"),
)


def make_cells(columns, record, reference):
    for _, key, unit, digits, _ in columns:
        text = f'{record[key] / unit:.{digits}f}'
        if reference is not None and reference is not record and record[key]:
            text += f' ({reference[key] / record[key]:.2f} x)'
        yield text


def load_name(load):
    """What keeps the machine busy, in words."""
    if load == 'fifo':
        return 'one SCHED_FIFO loop'
    return f'{load} busy loop{"" if load == "1" else "s"}' if load != '0' else 'no other load'


def point_title(procs, mib, load=''):
    return (f'{procs} process{"es" if procs > 1 else ""}, {mib} MiB'
            f'{" in all" if procs > 1 else ""}{", " + load_name(load) if load else ""}')


def print_table(rows):
    """rows: (label, record), the kernel's own first within a number of processes,
    a size and a load. What was not measured has no column."""
    last = reference = None
    shown = set()
    title_width = 66 if any('load' in record for _, record in rows) else 36
    for label, record in rows:
        point = record['procs'], record['mib'], record.get('load', '')
        if point != last:
            last = point
            reference = record if record['impl'] == 'in-tree' else None
            columns = [column for column in COLUMNS if column[1] in record]
            shown.update(columns)
            title = f'{point_title(*point)}, medians of {record["rounds"]}'
            print(f'\n{title:{title_width}}' + ''.join(f'{column[0]:>16}' for column in columns))
        print(f'  {label:{title_width - 2}}'
              + ''.join(f'{cell:>16}' for cell in make_cells(columns, record, reference)))
    print()
    for column in COLUMNS:
        if column in shown or not column[1]:
            print(f'{column[0]:8}{column[4]}')


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    extra = dict(word.split('=', 1) for word in sys.argv[4:])
    samples = read_samples(sys.argv[1])
    if not samples:
        sys.exit(f'table.py: no measurements in {sys.argv[1]}')
    keys = sorted(samples, key=lambda key: (*key[:3], VARIANTS.index(key[3])))
    rows = [(make_label(key[3], samples[key]['policy'], extra.get('user', '')),
             {**make_record(sys.argv[3], *key, samples[key]), **extra}) for key in keys]
    with open(sys.argv[2] + '.part', 'w', encoding='ascii') as out:
        json.dump([record for _, record in rows], out, indent=1)
        out.write('\n')
    os.replace(sys.argv[2] + '.part', sys.argv[2])
    print_table(rows)


if __name__ == '__main__':
    main()
