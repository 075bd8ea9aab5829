# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
"""Records of the benchmarks as files, and as machines that they were taken on."""

import glob
import json
import os

import table

DEFAULT_POLICY = 'tombstone'  # of records that do not say which variant they are of
# File: command that makes it, CPUs where its records do not say
EXITS = {
    'storm': ('bench/storm.sh -a', None),
    'busy': ('bench/busy.sh', 2),
    'busy-newest': ('bench/busy.sh -k newest', 2),
    'demo': ('make demo', 2),
    'native': ('make bench-native', 1),
    'kernel-tree': ('make bench-kernel-tree', 1),
    'instructions': ('bench/demo.sh -i', 1),
    'instructions-storm': ('bench/demo.sh -i -k newest -n 4 -m 256 -w storm', 1),
}
PHONES = {
    'phone-newest': 'bench/phone.sh -k newest',
    'phone': 'bench/phone.sh',
    'phone-instructions': 'bench/phone.sh -i',
}
COMMANDS = {
    **{name: command for name, (command, _) in EXITS.items()},
    **PHONES,
    'user': 'bench/user.sh',
    'rivals': 'bench/user.sh',
}

# Where a value is from: files, how the kernel's release begins, CPUs, compaction
HOMES = {
    'native73': (('native',), 'um-7.', 2, ''),
    'qemu73': (('storm', 'busy-newest'), '7.', 2, ''),
    'native': (('native',), 'um-6.', 1, ''),
    'qemu': (('storm', 'demo', 'busy'), '6.12.', 2, ''),
    'compaction': (('storm',), '6.12.', 2, 'running'),
    'native73on4': (('native',), 'um-7.', 4, ''),
    'qemu61': (('storm',), '6.1.', 4, ''),
    'cpus': (('storm',), '7.', None, ''),
    'busy': (('busy-newest', 'busy'), '', 2, ''),
    'instructions': (('instructions',), '', 1, ''),
    'instructions-storm': (('instructions-storm',), '', 1, ''),
}


class DataError(Exception):
    """What is wrong with a file, in a sentence."""


class Machine:
    """What one kernel with so many CPUs did in one run."""

    def __init__(self, source, kernel, cpus, compaction, user=''):
        self.source, self.kernel, self.cpus = source, kernel, cpus
        self.compaction, self.user = compaction, user
        self.records = []

    @property
    def name(self):
        return (f'{self.kernel}, {self.cpus} CPU{"s" if self.cpus != 1 else ""}'
                f'{", compaction running" if self.compaction else ""}'
                f'{", " + self.user if self.user else ""}')

    @property
    def rounds(self):
        """Least and most of a record, as text."""
        rounds = [record['rounds'] for record in self.records if 'rounds' in record]
        if not rounds:
            return 'rounds not recorded'
        least, most = min(rounds), max(rounds)
        return f'medians of {least}' + (f' to {most}' if most > least else '')

    @property
    def points(self):
        return sorted({point_of(record) for record in self.records})

    def find(self, point, variant):
        """The record, or None."""
        there = [record for record in self.records if point_of(record) == point]
        for record in there:
            if record['variant'] == variant:
                return record
        if variant == 'default':
            return next((record for record in there if record['policy'] == DEFAULT_POLICY), None)
        return None

    def value(self, point, variant, key):
        record = self.find(point, variant)
        return record and record.get(key)

    def variants(self, order):
        return [variant for variant in order
                if any(record['variant'] == variant for record in self.records)]


def point_of(record):
    """Processes, MiB in all, and what kept the machine busy if it was."""
    point = record['procs'], record['mib']
    return (*point, record['load']) if 'load' in record else point


def point_name(point):
    procs, mib, *load = point
    size = f'{mib} MiB' if procs == 1 else f'{procs} × {mib / procs:g} MiB'
    return ', '.join([size, *(table.load_name(word) for word in load)])


def need(condition, path, what):
    if not condition:
        raise DataError(f'{path} has an unknown shape: {what}')


def need_keys(path, record, what, **kinds):
    need(isinstance(record, dict), path, f'{what} is not an object')
    for key, kind in kinds.items():
        need(isinstance(record.get(key), kind) and not isinstance(record[key], bool), path,
             f'{what} has no usable "{key}"')


def need_numbers(path, record, what, keys):
    for key in keys:
        if key in record:
            need_keys(path, record, what, **{key: (int, float)})


def check_exits(path, doc, keys):
    keys = (*keys, 'rounds', 'compr_bytes')
    need(isinstance(doc, list) and doc, path, 'not a list of records')
    for i, record in enumerate(doc, 1):
        what = f'record {i}'
        need_keys(path, record, what, kernel=str, impl=str, policy=str, procs=int, mib=int)
        need(record['impl'] in ('in-tree', 'lethe'), path, f'{what} is of "{record["impl"]}"')
        need(record['procs'] > 0 and record['mib'] > 0, path, f'{what} is of no memory')
        need_numbers(path, record, what, keys)
        for key in ('variant', 'load', 'user'):
            need(isinstance(record.get(key, ''), str), path, f'{what} has no usable "{key}"')
        need(str(record.get('cpus', 1)).isdigit(), path, f'{what} has no usable "cpus"')


def check_phone(path, doc, keys):
    need(isinstance(doc, list) and doc, path, 'not a list of records')
    for i, record in enumerate(doc, 1):
        what = f'record {i}'
        need_keys(path, record, what, kernel=str, impl=str, policy=str, variant=str, cpus=str,
                  rounds=int)
        need_numbers(path, record, what, keys)


def check_user(path, doc, keys):
    need_keys(path, doc, 'it', results=list, rounds=int)
    for i, row in enumerate(doc['results'], 1):
        need_keys(path, row, f'result {i}', policy=str)
        need_numbers(path, row, f'result {i}', keys)


def check_rivals(path, doc, keys):
    number = (int, float)
    need_keys(path, doc, 'it', input=dict, round_count=int, results=list, push=list)
    need_keys(path, doc['input'], 'its input', objects=int, payload_bytes=int, codec=str)
    for i, row in enumerate(doc['results'], 1):
        need_keys(path, row, f'result {i}', allocator=str, threads=int, held_full=number,
                  held_rest=number)
        need_numbers(path, row, f'result {i}', keys)
    for i, row in enumerate(doc['push'], 1):
        need_keys(path, row, f'push {i}', policy=str, threads=int, budget=number, p50_ns=number,
                  p99_ns=number, handles_per_s=number)
        need_numbers(path, row, f'push {i}', keys)
    need(isinstance(doc.get('stall', []), list), path, 'it has no usable "stall"')
    for i, row in enumerate(doc.get('stall', []), 1):
        need_keys(path, row, f'stall {i}', call=str, goal_ms=number, longest_ms=number)
        need_numbers(path, row, f'stall {i}', keys)
    need(isinstance(doc.get('compact', []), list), path, 'it has no usable "compact"')
    for i, row in enumerate(doc.get('compact', []), 1):
        need_keys(path, row, f'compact {i}', want=number, pages_per_ms=number)
        need_numbers(path, row, f'compact {i}', keys)


def read_json(path):
    """The document, or None if there is no such file."""
    try:
        with open(path, encoding='utf-8') as file:
            return json.load(file)
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError) as error:
        raise DataError(f'{path} is not JSON: {error}') from None


def complete(record, cpus):
    """The record with what it does not say itself."""
    variant = 'intree' if record['impl'] == 'in-tree' else record['policy']
    extra = {}
    if record.get('compr_bytes') and 'mem_used_bytes' in record:
        extra['held_per_payload'] = record['mem_used_bytes'] / record['compr_bytes']
    return {'variant': variant, **record, **extra, 'cpus': int(record.get('cpus', cpus or 1))}


def machines_of(source, doc):
    found = {}
    for record in doc:
        record = complete(record, EXITS[source][1])
        key = (record['kernel'], record['cpus'], record.get('compaction', ''),
               record.get('user', ''))
        if key not in found:
            found[key] = Machine(source, *key)
        found[key].records.append(record)
    return list(found.values())


class Data:
    """All that a directory holds: machines by file, other documents, profiles.
    What a record has by one of the keys has to be a number."""

    def __init__(self, directory, keys):
        if not os.path.isdir(directory):
            raise DataError(f'{directory} is not a directory')
        self.machines, self.documents, self.profiles, self.counted = {}, {}, {}, {}
        for source in EXITS:
            path = os.path.join(directory, source + '.json')
            doc = read_json(path)
            if doc is not None:
                check_exits(path, doc, keys)
                self.machines[source] = machines_of(source, doc)
        checks = {**dict.fromkeys(PHONES, check_phone), 'user': check_user,
                  'rivals': check_rivals}
        for name, check in checks.items():
            path = os.path.join(directory, name + '.json')
            doc = read_json(path)
            if doc is not None:
                check(path, doc, keys)
                self.documents[name] = doc
        for kind, texts in (('profile-', self.profiles), ('callgrind-', self.counted)):
            for path in glob.glob(os.path.join(directory, kind + '*.txt')):
                with open(path, encoding='utf-8', errors='replace') as file:
                    texts[os.path.basename(path)[len(kind):-len('.txt')]] = file.read()

    def of_home(self, home):
        """Where to look for a value, in this order."""
        files, kernel, cpus, compaction = HOMES[home]
        return [machine for name in files for machine in self.machines.get(name, [])
                if machine.kernel.startswith(kernel) and cpus in (machine.cpus, None)
                and machine.compaction == compaction]
