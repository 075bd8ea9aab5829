#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
"""Medians of what the phone measured, as a table and as JSON.

usage: table.py RESULTS JSON KERNEL [KEY=VALUE...]

RESULTS holds the lines of bench/phone/main.c, as bench/phone/init writes them. A run
has its own percentiles, and what is shown is the median of the runs. Each record gets
KEYs in addition.
"""

import json
import math
import os
import statistics
import sys

VARIANTS = ('intree', 'sync', 'array', 'tombstone', 'default')  # in the table's order
SECOND_NS = 1e9  # a kill within this of the one before it is a second kill
NS_PER_MS, NS_PER_S, MIB = 1e6, 1e9, 1 << 20


def read_runs(path):
    """Lines by variant and round, then by their first word."""
    runs = {}
    with open(path, encoding='ascii', errors='replace') as lines:
        for line in lines:
            what, *words = line.split() or ['']
            words = dict(word.split('=', 1) for word in words if '=' in word)
            if what in ('launch', 'switch', 'kill', 'run') and 'variant' in words:
                run = runs.setdefault((words['variant'], int(words['round'])), {})
                run.setdefault(what, []).append(
                    {key: int(value) if value.isdigit() else value
                     for key, value in words.items()})
    return runs


def percentile(values, share):
    """The smallest value that at least that share of them do not exceed."""
    values = sorted(values)
    return values[max(0, math.ceil(share * len(values)) - 1)]


def second_kills(kills):
    at = sorted(kill['at_ns'] for kill in kills)
    return sum(later - earlier < SECOND_NS for earlier, later in zip(at, at[1:]))


def kill_figures(kills):
    """What was never seen to end took longer than anything that was."""
    for key in ('gone', 'back'):
        yield f'{key}_ms', statistics.median(
            kill[f'{key}_ns'] / NS_PER_MS if kill[f'{key}_ns'] else math.inf for kill in kills)
    yield 'left_mib', statistics.median(kill['left'] / MIB for kill in kills)


def figures_of(run):
    """One run's figures by name. What did not happen has none."""
    kills = run.get('kill', [])
    total = run['run'][0]
    figures = {'kills': len(kills), 'second_kills': second_kills(kills),
               'oom_kills': total['oom_kills'], 'launches': len(run['launch']),
               'cpu_s': total['cpu_ns'] / NS_PER_S, 'wall_s': total['ns'] / NS_PER_S}
    for what in ('launch', 'switch'):
        times = [line['ns'] / NS_PER_MS for line in run.get(what, [])]
        if times:
            figures[f'{what}_p50_ms'] = percentile(times, 0.50)
            figures[f'{what}_p99_ms'] = percentile(times, 0.99)
    if kills:
        figures.update(kill_figures(kills))
    if total['faults']:
        figures['fault_p50_us'] = total['fault_p50_ns'] / 1e3
        figures['fault_p99_ms'] = total['fault_p99_ns'] / NS_PER_MS
        figures['fault_max_ms'] = total['fault_max_ns'] / NS_PER_MS
    return figures


SUMS = ('second_kills', 'oom_kills')  # over all runs: each is one too many
RANGES = ('launch_p50_ms', 'launch_p99_ms', 'fault_p99_ms')  # differ much from run to run


def make_record(kernel, variant, runs):
    rows = [figures_of(run) for run in runs]
    record = {'kernel': kernel, 'impl': 'in-tree' if variant == 'intree' else 'lethe',
              'policy': runs[0]['run'][0]['policy'], 'variant': variant, 'rounds': len(rows)}
    for key in dict.fromkeys(key for row in rows for key in row):
        values = [row[key] for row in rows if key in row]
        value = sum(values) if key in SUMS else statistics.median(values)
        if math.isfinite(value):
            record[key] = round(value, 3)
            if key in RANGES:
                record[f'{key}_range'] = [round(min(values), 3), round(max(values), 3)]
    return record


def make_label(record):
    if record['impl'] == 'in-tree':
        return "the kernel's own zram"
    default = record['variant'] == 'default'
    return f'lethe, default ({record["policy"]})' if default else f'lethe, {record["policy"]}'


# Heading, key of the record, digits, is there a ratio, explanation
COLUMNS = (
    ('launch', 'launch_p50_ms', 0, True,
     'ms: from fork until the app has its memory filled and touched, median'),
    ('l-p99', 'launch_p99_ms', 0, True,
     'ms: the same, 99th percentile of a run: of fewer than 100 launches, the slowest'),
    ('switch', 'switch_p50_ms', 0, True,
     'ms: until an app that was alive has touched a part of its memory, median'),
    ('kills', 'kills', 0, False, 'processes killed in a run'),
    ('second', 'second_kills', 0, False,
     'kills within a second of the one before, of all runs together'),
    ('gone', 'gone_ms', 0, True, 'ms: from the signal until the exit of the victim is over'),
    ('back', 'back_ms', 0, True,
     'ms: from the signal until its memory can be had by others (bench/phone/observer.c)'),
    ('left', 'left_mib', 1, False, 'MiB of holes in zram after that'),
    ('f-p50', 'fault_p50_us', 1, True,
     'us: page faults of the app in front, in the second after each kill, median'),
    ('f-p99', 'fault_p99_ms', 1, True, 'ms: the same, 99th percentile'),
    ('cpu', 'cpu_s', 1, True, 's: CPU time of everything in a run'),
)
RATIO = "(N)     so many times what it is with the kernel's own zram"

# Name, title, key, limit; of the default: the value itself, or divided by in-tree's
GOALS = (
    ('second', 'second kills, default', 'second_kills', 0, False),
    ('launch', 'launch time, 99th percentile, default / in-tree', 'launch_p99_ms', 0.7, True),
    ('fault', 'page faults of the app in front, 99th percentile, default / in-tree',
     'fault_p99_ms', 0.8, True),
)


def find(records, variant):
    return next((record for record in records if record['variant'] == variant), {})


def make_cell(column, record, reference):
    _, key, digits, ratio, _ = column
    if key not in record:
        return '-'
    text = f'{record[key]:.{digits}f}'
    if ratio and record is not reference and reference.get(key):
        text += f' ({record[key] / reference[key]:.2f})'
    return text


def judge_goals(records):
    """(title, limit, value, is it met) of the goals that the records have."""
    ours, reference = find(records, 'default'), find(records, 'intree')
    for _, title, key, limit, ratio in GOALS:
        value = ours.get(key)
        if ratio and value is not None:
            value = value / reference[key] if reference.get(key) else None
        if value is not None:
            yield title, limit, value, value <= limit


def print_table(records):
    reference = find(records, 'intree')
    print(f'\n{"medians of " + str(records[0]["rounds"]):30}'
          + ''.join(f'{column[0]:>15}' for column in COLUMNS))
    for record in records:
        print(f'  {make_label(record):28}'
              + ''.join(f'{make_cell(column, record, reference):>15}' for column in COLUMNS))
    print()
    for name, _, _, _, explanation in COLUMNS:
        print(f'{name:8}{explanation}')
    print(RATIO + '\n')
    for title, limit, value, met in judge_goals(records):
        print(f'{title}: {value:.2f}, to be at most {limit}: {"met" if met else "missed"}')


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    extra = dict(word.split('=', 1) for word in sys.argv[4:])
    runs = read_runs(sys.argv[1])
    variants = sorted({variant for variant, _ in runs}, key=VARIANTS.index)
    if not variants:
        sys.exit(f'table.py: no measurements in {sys.argv[1]}')
    records = [{**make_record(sys.argv[3], variant,
                              [run for key, run in runs.items() if key[0] == variant]), **extra}
               for variant in variants]
    with open(sys.argv[2] + '.part', 'w', encoding='ascii') as out:
        json.dump(records, out, indent=1)
        out.write('\n')
    os.replace(sys.argv[2] + '.part', sys.argv[2])
    print_table(records)


if __name__ == '__main__':
    main()
