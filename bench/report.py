#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
"""Pages and drawings of what the benchmarks have recorded.

usage: report.py DATA_DIR OUT_MD OUT_SVG_DIR
       report.py -t TEXT DATA_DIR

DATA_DIR holds those of the files named in records.py, and of profile-*.txt, that there are.
OUT_MD is performance.in.md, where {{...}} is replaced: by a table, a drawing or a list,
or within a sentence by a figure. A paragraph, or an item of a list, with a figure that
the data do not have is left out.
performance-NAME.in.md are more pages, beside OUT_MD and with "-NAME" in their names.
OUT_SVG_DIR gets the drawings. -t prints another text of that kind, in lines of a commit
message's width.
"""

import collections
import glob
import os
import re
import sys
import textwrap

import figures
import plot
import rivals
import table
from phone import table as phone_table
from records import COMMANDS, PHONES, DataError, Data, point_name

TEMPLATES = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'performance{}.in.md')
RELATIONS = {'<=': '≤', '>=': '≥', '=': ''}
HOME_FILES = {'qemu': 'storm', 'native': 'native'}
DRAWN_FROM = {**HOME_FILES, 'native73': 'native', 'busy': 'busy'}
# The first table: what, for whom, where (the first home that has it), at which point and by
# which key, unit
SUMMARY = (
    ('SIGKILL until the last of 4 processes of 32 MiB is reaped', 'the killer, which waits for it',
     ('native73',), (4, 128), 'kill_ns_per_page', 'ns a page'),
    ('SIGKILL until its memory is back, 128 MiB', 'a task that needs memory', ('native73',),
     (1, 128), 'back_ms', 'ms'),
    ('the same beside 4 busy loops', 'a task that needs memory', ('busy',), (1, 128, '4'),
     'back_ms', 'ms'),
    ('munmap, 128 MiB', 'a program that unmaps', ('native73',), (1, 128), 'munmap_ns_per_page',
     'ns a page'),
    ('CPU time, drain threads included', 'all tasks, the battery', ('native73',), (1, 128),
     'cpu_ns_per_page', 'ns a page'),
    ('time lost while 4 processes of 128 MiB exit', 'a bystander with page faults',
     ('qemu73', 'qemu'), (4, 512), 'fault_lost_ms', 'ms'),
    ('storing a page (lz4)', 'a task that swaps out', ('qemu73', 'qemu'), (1, 256),
     'store_ns_per_page', 'ns a page'),
)
AGAIN = {**COMMANDS, 'native': 'bench/native.sh -k 7.3 -c 2', 'storm': 'bench/storm.sh'}
HOME_NAMES = {'qemu': 'Linux 6.12, QEMU, 2 CPUs', 'native': 'Linux 6.12, native, 1 CPU',
              'qemu73': 'Linux 7.3, QEMU, 2 CPUs', 'native73': 'Linux 7.3, native, 2 CPUs'}
# What `make bench-native` and `make bench-kernel-tree` sample, by how the file's name goes on
SAMPLED = {'four-': '7.3, SIGKILL of 4 processes of 32 MiB',
           '': '7.3, munmap, 1 process of 256 MiB',
           'tree-zswap-': '7.3, munmap under zswap, 1 process of 256 MiB'}
# Of the handle table, a handle: leaves and nodes of core/handle_table.h, as tests/report.sh
# looks up
LEAF_HANDLES, LEAF_BYTES, NODE_BYTES = 512, 4096 + 192, 4224
TABLE_BYTES = LEAF_BYTES / LEAF_HANDLES + NODE_BYTES / LEAF_HANDLES**2
WIDTH = 120
TEXT_WIDTH = 74
CLEAR = 1.02  # times better, to be called better

# As in table.py, for what is too much for a terminal
MORE_COLUMNS = (
    ('m-p99', 'munmap_p99_ns_per_page', 1, 0,
     'ns per page: 99th percentile of munmap over the rounds; of fewer than 100, the slowest'),
    ('k-p99', 'kill_p99_ns_per_page', 1, 0, 'the same of kill'),
    ('m-cpu', 'munmap_cpu_ns_per_page', 1, 0, 'ns per page: as cpu, for munmap'),
    ('storm', 'storm_ns_per_page', 1, 0, 'ns per page: kill, with the bystander'),
    ('B/B', 'held_per_payload', 1, 3, 'bytes held for a byte of what was compressed'),
    ('fallback', 'fallbacks', 1, 0, 'frees that the caller had to do itself, since the pool '
     'was made: of all points measured until then'),
)
EXIT_COLUMNS = tuple(column for column in table.COLUMNS if column[1]) + MORE_COLUMNS
NO_RATIO = ('held_per_payload', 'fallbacks')
POLICY_COLUMNS = (
    ('mean_ns', 'mean', 'ns', 1, 1),
    ('p50_ns', 'p50', 'ns', 1, 1),
    ('p99_ns', 'p99', 'ns', 1, 1),
    ('max_us', 'max', 'us', 1, 1),
    ('cpu_ns', 'cpu', 'ns', 1, 1),
    ('back_ms', 'back', 'ms', 1, 1),
    ('fallback', 'fallback', 'frees', 1, 0),
    ('payload_per_byte', 'payload', 'B/B', 1, 3),
)


ABSENT_73 = ('There is no record of Linux 7.3 on two CPUs yet: `{}` makes it, and then '
             '`make report` this page.')


class Missing(Exception):
    """A figure within a sentence that the data do not have."""


def absent(name):
    return (f'There is no `{name}.json` yet: `{COMMANDS[name]}` makes it, and then '
            '`make report` this page.')


def render_table(heads, rows, words=1):
    """So many columns are of words, the others of figures."""
    lines = ['| ' + ' | '.join(heads) + ' |',
             '|' + '---|' * words + '---:|' * (len(heads) - words)]
    lines += ['| ' + ' | '.join(row) + ' |' for row in rows]
    return '\n'.join(lines)


def label_of(record):
    return table.make_label(record['variant'], record['policy'], record.get('user', ''))


def explain(columns):
    return '\n'.join(f'- {column[0]}: {" ".join(column[4].split())}' for column in columns)


# Exits

def exit_columns(machine):
    return [column for column in EXIT_COLUMNS
            if any(column[1] in record for record in machine.records)]


def exit_cell(column, record, reference):
    if column[1] not in record:
        return ''
    if column[1] in NO_RATIO or reference is None or column[1] not in reference:
        reference = None
    return next(table.make_cells([column], record, reference))


def exit_rows(machine, columns):
    for point in machine.points:
        yield [f'**{table.point_title(*point)}**'] + [''] * len(columns)
        reference = machine.find(point, 'intree')
        for variant in machine.variants(table.VARIANTS):
            record = machine.find(point, variant)
            if record:
                yield [label_of(record)] + [exit_cell(column, record, reference)
                                            for column in columns]


def exit_table(machine):
    columns = exit_columns(machine)
    return render_table(['', *(column[0] for column in columns)], exit_rows(machine, columns))


def losses_of(machine):
    """(what, who, point, times better) where something is better than the default."""
    for column in table.COLUMNS:
        for point in machine.points:
            ours = machine.value(point, 'default', column[1])
            for variant in machine.variants(table.VARIANTS):
                record = machine.find(point, variant)
                value = record and record.get(column[1])
                if ours and value and value * CLEAR < ours:
                    yield column[0], label_of(record), point, ours / value


# The phone

def phone_tables(records):
    reference = phone_table.find(records, 'intree')
    rows = [[phone_table.make_label(record),
             *(phone_table.make_cell(column, record, reference)
               for column in phone_table.COLUMNS)] for record in records]
    goals = [[title, f'≤ {limit:g}', f'{value:.2f} {"met" if met else "**missed**"}']
             for title, limit, value, met in phone_table.judge_goals(records)]
    return '\n\n'.join([render_table(['', *(column[0] for column in phone_table.COLUMNS)], rows),
                        render_table(['goal', 'to be', 'measured'], goals, words=3)])


# Userspace

def key_rows(columns, rows, label):
    for row in rows:
        yield [label(row)] + [f'{row[key] * scale:.{decimals}f}' if key in row else ''
                              for key, _, _, scale, decimals in columns]


def key_table(columns, rows, label):
    columns = [column for column in columns if any(column[0] in row for row in rows)]
    return render_table(['', *(f'{title}, {unit}' for _, title, unit, _, _ in columns)],
                        key_rows(columns, rows, label))


def is_lethe(row):
    return row['allocator'].startswith('lethe')


def rival_losses(doc):
    """Rows: what, threads, the best rival, the best of Lethe, where the rival is better."""
    for key, title, unit, scale, decimals in rivals.COLUMNS:
        for threads in sorted({row['threads'] for row in doc['results']}):
            rows = [row for row in doc['results'] if row['threads'] == threads and key in row]
            best = [min((row for row in rows if is_lethe(row) == lethe),
                        key=lambda row: row[key], default=None) for lethe in (False, True)]
            if None not in best and best[0][key] * CLEAR < best[1][key]:
                yield [f'{title} ({key})', str(threads),
                       *(f'{row["allocator"]}: {row[key] * scale:.{decimals}f} {unit}'
                         for row in best)]


class Page:
    """What the template may ask for. A method's name is the first word within the
    braces, the others are its arguments."""

    def __init__(self, data, svg_link):
        self.data, self.svg_link = data, svg_link
        self.drawings = {}

    # Lists and tables

    def machines(self):
        rows = [[f'`{source}.json`', machine.kernel, str(machine.cpus),
                 'running' if machine.compaction else 'not running',
                 str(len(machine.records)), machine.rounds]
                for source, machines in self.data.machines.items() for machine in machines]
        for name, doc in self.phones():
            rows.append([f'`{name}.json`', doc[0]['kernel'], doc[0]['cpus'], '', str(len(doc)),
                         f'medians of {doc[0]["rounds"]}'])
        if 'rivals' in self.data.documents:
            doc = self.data.documents['rivals']
            rows.append(['`rivals.json`', '', '', '', str(sum(
                len(doc.get(part, [])) for part in ('results', 'push', 'stall', 'compact'))),
                         f'medians of {doc["round_count"]}'])
        if 'user' in self.data.documents:
            doc = self.data.documents['user']
            rows.append(['`user.json`', '', '', '', str(len(doc['results'])),
                         f'medians of {doc["rounds"]}'])
        missing = [name for name in COMMANDS if name not in self.data.machines
                   and name not in self.data.documents]
        parts = []
        if rows:
            parts.append(render_table(['file', 'kernel', 'CPUs', 'compaction', 'records',
                                       'rounds'], rows, words=2))
        if missing:
            parts.append('Not there yet, with the command that makes it: '
                         + ', '.join(f'`{name}.json` (`{COMMANDS[name]}`)' for name in missing)
                         + '.')
        return '\n\n'.join(parts)

    def summary(self):
        """What changed, for whom, on which kernel, and how to repeat it."""
        rows = []
        for what, whom, homes, point, key, unit in SUMMARY:
            for machine in (machine for home in homes for machine in self.data.of_home(home)):
                pair = [machine.value(point, variant, key) for variant in ('intree', 'default')]
                if None not in pair:
                    rows.append(summary_row(what, whom, machine.source, machine.kernel, pair, unit))
                    break
        for name, doc in self.phones()[:1]:
            pair = [phone_table.find(doc, variant).get('back_ms')
                    for variant in ('intree', 'default')]
            if None not in pair:
                rows.append(summary_row('a victim\'s memory is back, on a phone of 1 GiB',
                                        'its user', name, doc[0]['kernel'], pair, 'ms'))
        if not rows:
            return 'Nothing has been measured yet.'
        return render_table(['what', 'for whom', 'in-tree', 'Lethe', 'in-tree / Lethe',
                             'Linux, again by'], rows, words=2)

    def figures_73(self, home):
        command = AGAIN['native' if home == 'native73' else 'storm']
        if not self.data.of_home(home):
            return ABSENT_73.format(command)
        return render_table(['figure', 'to be', 'measured'],
                            [[figure.title, limit_of(figure, figure.limits[home]),
                              self.verdict(figure, home)]
                             for figure in figures.FIGURES_73 if home in figure.limits], words=3)

    def figures(self):
        rows = []
        for figure in figures.FIGURES:
            rows.append([figure.title, self.to_be(figure),
                         *(self.verdict(figure, home) for home in figures.HOMES)])
        missing = [absent(name) for name in HOME_FILES.values()
                   if name not in self.data.machines]
        return '\n\n'.join([render_table(['figure', 'to be', 'QEMU', 'native'], rows, words=4),
                            *missing])

    @staticmethod
    def to_be(figure):
        qemu, native = (limit_of(figure, figure.limits[home]) if home in figure.limits else None
                        for home in figures.HOMES)
        if native in (qemu, None):
            return qemu + ('' if native else ' (QEMU)')
        return f'{qemu}; native {native}'

    def result(self, name, home):
        figure = figures.find(name, home)
        return figures.measured(figure, self.data.of_home(home), figure.limits.get(home))

    def verdict(self, figure, home):
        return describe(figure, self.result(figure.name, home))

    def user_figures(self):
        if 'rivals' not in self.data.documents:
            return absent('rivals')
        rows = []
        for figure, limit, terms in figures.user_figures(self.data.documents['rivals']):
            rows.append([figure.title, f'{limit_of(figure, limit)} '
                         f'{"" if len(terms) > 1 else figure.unit}'.strip(),
                         describe(figure, figures.judge(figure, limit, terms))])
        return render_table(['figure', 'to be', 'measured'], rows, words=3)

    def judged(self):
        """(is it met, line) of all figures to reach that were measured."""
        for figure in (*figures.FIGURES_73, *figures.FIGURES):
            for home, limit in figure.limits.items():
                result = self.result(figure.name, home)
                if result:
                    yield result.met, (f'{figure.title} ({HOME_NAMES[home]}): {result.text}, '
                                       f'to be {limit_of(figure, limit)}')
        for figure, limit, terms in figures.user_figures(
                self.data.documents.get('rivals', {'results': [], 'push': []})):
            result = figures.judge(figure, limit, terms)
            if result:
                yield result.met, (f'{figure.title}: {result.text}, '
                                   f'to be {limit_of(figure, limit)}')
        for name, doc in self.phones():
            for title, limit, value, met in phone_table.judge_goals(doc):
                yield met, (f'The phone (`{name}.json`), {title}: {value:.2f}, to be '
                            f'≤ {limit:g}')

    def missed(self):
        if not self.data.machines and not self.data.documents:
            return 'Nothing has been measured yet.'
        return '\n'.join(f'- {line}' for met, line in self.judged() if not met) or (
            'None of those that were measured.')

    def missed_count(self):
        judged = [met for met, _ in self.judged()]
        if not judged:
            raise Missing
        return f'{judged.count(False)} of the {len(judged)} figures'

    def tables(self, source):
        if source not in self.data.machines:
            return absent(source)
        return '\n\n'.join(f'**{machine.name}** ({machine.rounds})\n\n{exit_table(machine)}'
                           for machine in self.data.machines[source])

    @staticmethod
    def legend():
        columns = (*EXIT_COLUMNS, *(column for column in table.COLUMNS if not column[1]))
        return explain(columns)

    def losses(self):
        rows = {}
        for source in ('storm', 'busy', 'busy-newest', 'demo', 'native', 'kernel-tree'):
            for machine in self.data.machines.get(source, []):
                for what, who, point, times in losses_of(machine):
                    key = (f'{machine.name} (`{source}.json`)', what, who)
                    rows.setdefault(key, []).append(f'{point_name(point)} ({times:.2f} x)')
        missing = [absent(name) for name in HOME_FILES.values()
                   if name not in self.data.machines]
        if len(missing) == len(HOME_FILES) and 'demo' not in self.data.machines:
            return '\n\n'.join(missing)
        if not rows:
            found = 'The default is beaten nowhere in the tables above.'
        else:
            found = render_table(['machine', 'figure', 'better than the default', 'where'],
                                 [[*key, ', '.join(where)] for key, where in rows.items()],
                                 words=4)
        return '\n\n'.join([found, *missing])

    def phones(self):
        return [(name, self.data.documents[name]) for name in PHONES
                if name in self.data.documents]

    def phone(self):
        if not self.phones():
            return absent('phone')
        return '\n\n'.join(f'**{doc[0]["kernel"]}, CPUs: {doc[0]["cpus"]}** (`{name}.json`, '
                           f'medians of {doc[0]["rounds"]})\n\n{phone_tables(doc)}'
                           for name, doc in self.phones())

    def phone_value(self, variant, key):
        for _, doc in self.phones():
            value = phone_table.find(doc, variant).get(key)
            if value is not None:
                return figures.show(value)
        raise Missing

    def phone_ratio(self, key):
        """How much of in-tree's it is with the default"""
        for _, doc in self.phones():
            ours, own = (phone_table.find(doc, variant).get(key)
                         for variant in ('default', 'intree'))
            if ours and own:
                return f'{ours / own:.2f}'
        raise Missing

    def phone_range(self, variant, key):
        """From run to run"""
        for _, doc in self.phones():
            span = phone_table.find(doc, variant).get(f'{key}_range')
            if span:
                return ' to '.join(figures.show(value) for value in span)
        raise Missing

    def phone_legend(self):
        return explain(phone_table.COLUMNS)

    def rivals(self):
        if 'rivals' not in self.data.documents:
            return absent('rivals')
        doc = self.data.documents['rivals']
        source = doc['input']
        head = (f'{source["objects"]} objects, {source["payload_bytes"] / (1 << 20):.1f} MiB of '
                f'payload, pages of files compressed by {source["codec"]}.')
        return head + '\n\n' + key_table(rivals.COLUMNS, doc['results'], lambda row: (
            f'{row["allocator"]}, {rivals.plural(row["threads"])}'))

    def push(self):
        if 'rivals' not in self.data.documents:
            return absent('rivals')
        return key_table(rivals.PUSH_COLUMNS, self.data.documents['rivals']['push'], lambda row: (
            f'{row["policy"]}, budget {row["budget"]:.0f}, {rivals.plural(row["threads"])}'))

    def stall(self):
        rows = self.data.documents.get('rivals', {}).get('stall')
        if not rows:
            return 'Not in the records yet: `bench/user.sh` makes it.'
        return key_table(rivals.STALL_COLUMNS, rows, rivals.stall_name)

    def compact(self):
        rows = self.data.documents.get('rivals', {}).get('compact')
        if not rows:
            return 'Not in the records yet: `bench/user.sh` makes it.'
        return key_table(rivals.COMPACT_COLUMNS, rows, rivals.compact_name)

    def policies(self):
        if 'user' not in self.data.documents:
            return absent('user')
        return key_table(POLICY_COLUMNS, self.data.documents['user']['results'],
                         lambda row: row['policy'])

    def rival_losses(self):
        if 'rivals' not in self.data.documents:
            return absent('rivals')
        rows = list(rival_losses(self.data.documents['rivals']))
        if not rows:
            return 'No rival is better in any column.'
        return render_table(['figure', 'threads', 'the best rival', 'the best of Lethe'], rows,
                            words=4)

    def profiles(self, prefix=''):
        """Those whose names begin so, and go on with a variant."""
        command = 'make bench-kernel-tree' if prefix.startswith('tree-') else 'make bench-native'
        return '\n\n'.join(self.profile_block(name, SAMPLED[prefix])
                           for name in (prefix + variant for variant in table.VARIANTS)
                           if name in self.data.profiles) or (
            f'There is no `profile-{prefix}default.txt` yet: `{command}` makes it, and then '
            '`make report` this page.')

    def counted(self, variant):
        """Instructions by function, in userspace."""
        if variant not in self.data.counted:
            raise Missing
        return f'```\n{self.data.counted[variant]}```'

    def profile_block(self, name, sampled):
        text = self.data.profiles[name]
        kernel = re.search(r'lethe\.ko and zram\.ko for (\S+)$', text, re.M)
        cpus = re.search(r'run (?:it )?on (\S+ CPUs?)$', text, re.M)
        of = ', '.join(found[1] for found in (kernel, cpus) if found)
        return (f'**{name.rpartition("-")[2]}**: {sampled}{of and ", " + of}\n\n'
                f'```\n{shorten(text)}\n```')

    def profile(self, name, window, *parts):
        """ns a page, and the share, of modules, functions or named parts, with + between:
        of what was measured, or of what came after it until the memory was back."""
        text = self.data.profiles.get(name, '').partition('\nfrom then')
        total, ns = read_profile(text[0 if window == 'measured' else 2])
        known = [ns[part] for part in ' '.join(parts).split(' + ') if part in ns]
        if not known or not total:
            raise Missing
        return f'{sum(known):.1f} ns ({100 * sum(known) / total:.0f} %)'

    # The kernel's own tree

    def tree_there(self):
        """Nothing, and the paragraph stays if there are records."""
        if 'kernel-tree' not in self.data.machines:
            raise Missing
        return ''

    def tree_value(self, user, cpus, point, variant, key):
        procs, _, mib = point.partition('x')
        for machine in self.data.machines.get('kernel-tree', []):
            if (machine.user, str(machine.cpus)) == (user, cpus):
                value = machine.value((int(procs), int(mib)), variant, key)
                if value is not None:
                    return value
        raise Missing

    def tree(self, *words):
        """A value of a record: user, CPUs, point, variant, key"""
        return figures.show(self.tree_value(*words))

    def tree_times(self, user, cpus, point, key):
        """How many times less with Lethe than with the kernel's own"""
        ours, own = (self.tree_value(user, cpus, point, variant, key)
                     for variant in ('default', 'intree'))
        if not ours:
            raise Missing
        return f'{own / ours:.2f}'

    # Drawings

    def plot(self, name):
        home = name.partition('-')[2]
        if name == 'held':
            if 'rivals' not in self.data.documents:
                return absent('rivals')
            bars = held_bars(self.data.documents['rivals'])
        elif name == 'cpus-qemu':
            bars = cpus_bars(self.data.of_home('cpus'))
        else:
            source = DRAWN_FROM[home]
            machines = self.data.of_home(home)
            if not machines:
                return (ABSENT_73.format(AGAIN['native']) if home == 'native73'
                        else absent(source))
            bars = BARS[name.partition('-')[0]](machines[0], HOME_NAMES.get(home, machines[0].name))
        if bars is None:
            return 'The records have nothing to draw here.'
        self.drawings[name] = bars
        return f'![{bars.title}, {bars.unit}]({self.svg_link}{name}.svg)'

    # Figures within a sentence

    def figure(self, name, home):
        result = self.result(name, home)
        if not result:
            raise Missing
        return result.text

    def number(self, home, point, variant, key):
        procs, _, mib = point.partition('x')
        for machine in self.data.of_home(home):
            value = machine.value((int(procs), int(mib)), variant, key)
            if value is not None:
                return value
        raise Missing

    def value(self, *words):
        """Home, point, variant, key"""
        return figures.show(self.number(*words))

    def ratio(self, home, point, above, below, key):
        """Of two variants"""
        own = self.number(home, point, below, key)
        if not own:
            raise Missing
        return f'{self.number(home, point, above, key) / own:.2f}'

    def cpus(self, cpus, variant, key):
        """Of the storm on 7.3 with so many CPUs"""
        for machine in self.data.of_home('cpus'):
            value = machine.value((4, 512), variant, key)
            if machine.cpus == int(cpus) and value is not None:
                return figures.show(value)
        raise Missing

    def drain(self, home, *formula):
        """What comes out of the costs of a page, in ns or instructions."""
        point = (1, 32) if home == 'instructions' else (1, 128)
        for machine in self.data.of_home(home):
            costs = drain_costs(machine, point)
            if costs:
                return figures.show(eval(' '.join(formula), {'__builtins__': {}}, costs))
        raise Missing

    def push_value(self, key):
        """Of the default, two threads"""
        for row in self.data.documents.get('rivals', {'push': []})['push']:
            if row['policy'] != 'array' and row['threads'] == 2 and key in row:
                return figures.show(row[key])
        raise Missing


def describe(figure, result):
    """A cell: value, verdict, and what the value was computed from."""
    if result is None:
        return 'not measured'
    verdict = {True: ' met', False: ' **missed**', None: ''}[result.met]
    if len(result.terms) < 2:
        return f'{result.text} {figure.unit}{verdict}'
    parts = ' / '.join(figures.show(term * figure.scale) for term in result.terms)
    return f'{result.text}{verdict} ({parts} {figure.unit})'


def limit_of(figure, limit):
    return f'{RELATIONS[figure.relation]} {limit:g}'.strip()


def summary_row(what, whom, source, kernel, pair, unit):
    where = 'native' if kernel.startswith('um-') else 'QEMU'
    return [what, whom, *(f'{figures.show(value)} {unit}' for value in pair),
            f'**{pair[0] / pair[1]:.2f}**' if pair[1] else '-',
            f'{re.search(r"[0-9]+[.][0-9]+", kernel)[0]} {where}, `{AGAIN[source]}`']


def drain_costs(machine, point):
    """Of a page, by the names that performance-drain-threads.in.md gives them; None if not
    all were measured."""
    intree, ours, sync = (machine.find(point, variant) or {}
                          for variant in ('intree', 'default', 'sync'))
    try:
        kill, floor, cpu = (ours[key] for key in ('kill_ns_per_page', 'floor_ns_per_page',
                                                  'cpu_ns_per_page'))
        return {'k': intree['kill_ns_per_page'], 'e': kill, 'push': kill - floor, 'd': cpu - kill,
                's': sync['kill_ns_per_page'] - sync['floor_ns_per_page'],
                'extra': intree['cpu_ns_per_page'] - intree['kill_ns_per_page'],
                'table': TABLE_BYTES}
    except KeyError:
        return None


def read_profile(text):
    """ns of all samples, and by module, by named part and by function."""
    modules = dict(re.findall(r'(\S+) ([0-9.]+) \([0-9]+ %\)(?:,|$)', text, re.M))
    ns = collections.Counter({name: float(value) for name, value in modules.items()})
    for name, value in re.findall(r'^  (\S.*): ([0-9.]+) ns \(', text, re.M):
        ns[name] = float(value)
    for value, name in re.findall(r'^ +([0-9.]+) ns +[0-9.]+ %  (\S+) \[', text, re.M):
        ns[name] += float(value)
    return sum(map(float, modules.values())), ns


def shorten(text):
    """A profile without the steps of the run, and without what takes below 1 % or 1 ns."""
    lines = []
    for line in text.strip().splitlines():
        found = re.match(r' +([0-9.]+) ns +([0-9.]+) %  ', line)
        if not re.match(r'\[ *\d+ s\]', line) and not (found and min(map(float, found.groups())) < 1):
            lines.append(line.rstrip())
    return '\n'.join(lines).strip().replace('```', "'''")


# Drawings

COLOURS = {'intree': plot.RED, 'sync': plot.VIOLET, 'array': plot.OCHRE,
           'tombstone': plot.PINK, 'unbatched': plot.SLATE, 'bulk': plot.TEAL,
           'alone': plot.BROWN, 'default': plot.BLUE, 'ages': plot.GREEN}


def short_label(record):
    if record['impl'] == 'in-tree':
        return 'in-tree'
    if record['variant'] == 'default':
        return f'default ({record["policy"]})'
    return table.BUILDS.get(record['variant'], record['policy'])


def has_value(machine, point, variants, key):
    return any(machine.value(point, variant, key) is not None for variant in variants)


def exit_bars(machine, title, key, floor=None, unit='ns per page', of=lambda procs, mib: True):
    """Groups are the points that are "of" it."""
    variants = machine.variants(table.VARIANTS)
    points = [point for point in machine.points
              if of(*point[:2]) and has_value(machine, point, variants, key)]
    if not points:
        return None
    variants = [variant for variant in variants
                if any(machine.value(point, variant, key) is not None for point in points)]
    label = {record['variant']: record for record in machine.records}
    marks = [machine.value(point, 'intree', floor) if floor else None for point in points]
    return plot.Bars(title=title, unit=unit, groups=[point_name(p) for p in points],
                     series=[short_label(label[variant]) for variant in variants],
                     colours=[COLOURS[variant] for variant in variants],
                     rows=[[machine.value(point, variant, key) for point in points]
                           for variant in variants],
                     mark_title='floor: in-tree, same-filled pages', marks=marks)


def munmap_bars(machine, home):
    return exit_bars(machine, f'munmap of swapped-out memory, {home}', 'munmap_ns_per_page',
                     'munmap_floor_ns_per_page')


def cpu_bars(machine, home):
    return exit_bars(machine, f'CPU time of killed processes and workers, {home}',
                     'cpu_ns_per_page')


def kill_bars(machine, home):
    return exit_bars(machine, f'SIGKILL until the last process is reaped, {home}',
                     'kill_ns_per_page', 'floor_ns_per_page', of=lambda procs, mib: mib == 128)


def size_bars(machine, home):
    return exit_bars(machine, f'SIGKILL until one process is reaped, by its size, {home}',
                     'kill_ns_per_page', of=lambda procs, mib: procs == 1)


def procs_bars(machine, home):
    return exit_bars(machine, f'SIGKILL until all of so many processes are reaped, {home}',
                     'kill_ns_per_page', of=lambda procs, mib: mib == 256)


def cpus_bars(machines):
    """Machines that differ in their CPUs, at one point."""
    point, key = (4, 512), 'kill_ns_per_page'
    variants = ['intree', 'default']
    machines = sorted((machine for machine in machines
                       if has_value(machine, point, variants, key)), key=lambda it: it.cpus)
    if len({machine.cpus for machine in machines}) < 2:
        return None
    return plot.Bars(title='SIGKILL until the last of 4 processes is reaped, by CPUs, QEMU, '
                     + machines[0].kernel, unit='ns per page',
                     groups=[f'{machine.cpus} CPU{"s" if machine.cpus > 1 else ""}'
                             for machine in machines],
                     series=['in-tree', 'default'],
                     colours=[COLOURS[variant] for variant in variants],
                     rows=[[machine.value(point, variant, key) for machine in machines]
                           for variant in variants])


def back_bars(machine, home):
    return exit_bars(machine, f'SIGKILL until the memory is back, QEMU, {home}', 'back_ms', unit='ms')


def held_bars(doc):
    threads = min((row['threads'] for row in doc['results']), default=1)
    rows = [row for row in doc['results'] if row['threads'] == threads]
    if not rows:
        return None
    return plot.Bars(title='Bytes held for a byte of payload', unit='B/B',
                     groups=[row['allocator'] for row in rows],
                     series=['everything stored', 'random 90 % freed, and tidied up'],
                     colours=[plot.GREEN, plot.BLUE],
                     rows=[[row[key] for row in rows] for key in ('held_full', 'held_rest')],
                     mark_title='payload', level=1, digits=2)


BARS = {'munmap': munmap_bars, 'cpu': cpu_bars, 'kill': kill_bars, 'back': back_bars,
        'size': size_bars, 'procs': procs_bars}
DRAWINGS = ('kill-native73', 'back-busy', 'size-native73', 'procs-native73', 'cpus-qemu',
            'munmap-native', 'munmap-qemu', 'cpu-native', 'cpu-qemu',
            'held')


# The page

def fill(page, text):
    def replacement(match):
        name, *words = match[1].split()
        return getattr(page, name.replace('-', '_'))(*words)
    return re.sub(r'\{\{([^{}]+)\}\}', replacement, text)


def wrap(block, width):
    """The block with its lines broken anew, as a figure is not as long as its place."""
    start = re.match(r'\n*', block)[0]
    item = re.match(r' *- ', block[len(start):])
    first = item[0] if item else ''
    return start + textwrap.fill(' '.join(block.split())[len(first.lstrip()):], width,
                                 initial_indent=first, subsequent_indent=' ' * len(first),
                                 break_long_words=False, break_on_hyphens=False)


def fill_all(page, template, width=WIDTH):
    """A block is a paragraph, or an item of a list, with what is before it."""
    made = []
    for block in re.split(r'(?=\n\n)|(?<!\n)(?=\n ?- )', template):
        try:
            filled = fill(page, block)
            alone = re.fullmatch(r'\s*\{\{[^{}]+\}\}\s*', block)
            made.append(filled if alone or filled == block or filled.lstrip().startswith('|')
                        else wrap(filled, width))
        except Missing:
            pass
    return ''.join(made).rstrip('\n') + '\n'


def read_text(path):
    try:
        with open(path, encoding='utf-8') as file:
            return file.read()
    except FileNotFoundError:
        return ''


def draw_all(drawings, directory):
    """Those that are drawn from the same already are left as they are."""
    drawn = {}
    for name, bars in drawings.items():
        path = os.path.join(directory, name + '.svg')
        if plot.stamp_of(plot.script_of(bars)) not in read_text(path)[:400]:
            drawn[path] = plot.draw(bars)
    os.makedirs(directory, exist_ok=True)
    for path, text in drawn.items():
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
    for name in DRAWINGS:
        path = os.path.join(directory, name + '.svg')
        if name not in drawings and os.path.exists(path):
            os.unlink(path)


def main():
    if len(sys.argv) != 4:
        print('usage: report.py DATA_DIR OUT_MD OUT_SVG_DIR, or -t TEXT DATA_DIR', file=sys.stderr)
        sys.exit(2)
    try:
        if sys.argv[1] == '-t':
            print_text(*sys.argv[2:])
        else:
            make_pages(*sys.argv[1:])
    except (DataError, plot.PlotError, OSError) as problem:
        sys.exit(f'report: {problem}')


def read_data(source):
    keys = [column[1] for column in (*EXIT_COLUMNS, *phone_table.COLUMNS)] + [
        column[0] for column in (*rivals.COLUMNS, *rivals.PUSH_COLUMNS, *rivals.STALL_COLUMNS, *rivals.COMPACT_COLUMNS,
                                *POLICY_COLUMNS)]
    return Data(source, keys)


def print_text(template, source):
    with open(template, encoding='utf-8') as file:
        text = file.read()
    print(fill_all(Page(read_data(source), ''), text, TEXT_WIDTH), end='')


def make_pages(source, out, drawings):
    link = os.path.relpath(drawings, os.path.dirname(out) or '.').replace(os.sep, '/') + '/'
    page = Page(read_data(source), link)
    first, last = TEMPLATES.split('{}')
    made = {}
    for template in glob.glob(TEMPLATES.format('*')):
        name, end = os.path.splitext(out)
        path = name + template[len(first):-len(last)] + end
        made[path] = fill_all(page, read_text(template))
    draw_all(page.drawings, drawings)
    for path, text in made.items():
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)


if __name__ == '__main__':
    main()
