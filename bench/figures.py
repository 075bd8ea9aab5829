# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
"""The figures to reach, and whether records reach them.

Both sides of a ratio are of one machine, which is one run.
"""

import dataclasses
import operator
import typing

import table

HOMES, HOMES_73 = ('qemu', 'native'), ('native73', 'qemu73')  # of records.py
# Processes, MiB in all
SMALL, USUAL, LARGE, FOUR, FOUR_SMALL = (1, 128), (1, 256), (1, 512), (4, 512), (4, 128)
LIMITS = {'<=': operator.le, '>=': operator.ge, '=': operator.eq}


class Term(typing.NamedTuple):
    """One value of one record."""
    point: tuple
    variant: str
    key: str


@dataclasses.dataclass
class Figure:
    """What is to be so of a value, or of a ratio of two."""
    name: str
    title: str
    relation: str
    limits: dict  # by home
    terms: tuple  # one, or above and below the stroke
    scale: float = 1  # of the terms as shown
    unit: str = ''


def both(qemu, native):
    """Limits of 6.12"""
    return {'qemu': qemu, 'native': native}


def gain(point, key, variant='default'):
    return Term(point, 'intree', key), Term(point, variant, key)


def share(point, key):
    return Term(point, 'default', key), Term(point, 'intree', key)


def busy_figures(home):
    """When the memory is back on a machine with no idle CPU."""
    for load in ('0', '2', '4', 'fifo'):
        yield Figure(f'busy_{load}', 'time until the memory is back, default / in-tree, 1 process '
                     f'of 128 MiB, 2 CPUs with {table.load_name(load)}', '<=', {home: 0.8},
                     share((*SMALL, load), 'back_ms'), unit='ms')


def fills_figures(size, point, limits):
    """Any content of pages: no object of the allocator, and no place in a slot's word."""
    for name, what, key in (('munmap', 'munmap', 'munmap_fills_ns_per_page'),
                            ('kill', 'SIGKILL to reaped', 'fills_ns_per_page')):
        yield Figure(f'{name}_fills', f'{what}, pages of one value that fits no 32 bits, '
                     f'default / in-tree, 1 process of {size}', '<=', limits, share(point, key),
                     unit='ns a page')


FIGURES = (
    Figure('munmap', 'munmap, in-tree / default, 1 process of 256 MiB', '>=', both(4.0, 3.5),
           gain(USUAL, 'munmap_ns_per_page'), unit='ns a page'),
    Figure('kill', 'SIGKILL to reaped, in-tree / default, 1 process of 256 MiB', '>=',
           both(3.9, 2.5), gain(USUAL, 'kill_ns_per_page'), unit='ns a page'),
    Figure('kill_four', 'SIGKILL to reaped, in-tree / default, 4 processes of 128 MiB at once',
           '>=', {'qemu': 3.9}, gain(FOUR, 'kill_ns_per_page'), unit='ns a page'),
    Figure('floor', 'munmap, default / in-tree with same-filled pages (the floor)', '<=',
           both(1.15, 1.25), (Term(USUAL, 'default', 'munmap_ns_per_page'),
                              Term(USUAL, 'intree', 'munmap_floor_ns_per_page')),
           unit='ns a page'),
    *fills_figures('256 MiB', USUAL, both(1.0, 1.0)),
    Figure('kill_fills_small', 'SIGKILL to reaped, pages of one value that fits no 32 bits, '
           'default / in-tree, 1 process of 48 MiB', '<=', {'qemu': 1.0},
           share((1, 48), 'fills_ns_per_page'), unit='ns a page'),
    Figure('cliff', 'no cliff: munmap a page, default, 512 MiB / 128 MiB', '<=', both(1.15, 1.15),
           (Term(LARGE, 'default', 'munmap_ns_per_page'),
            Term(SMALL, 'default', 'munmap_ns_per_page')), unit='ns a page'),
    Figure('sync', 'SIGKILL to reaped, in-tree / sync, 1 process of 256 MiB', '>=', both(2.0, 2.0),
           gain(USUAL, 'kill_ns_per_page', 'sync'), unit='ns a page'),
    Figure('cpu', 'CPU time of task and workers, default / in-tree, 1 process of 256 MiB',
           '<=', both(0.54, 0.6), share(USUAL, 'cpu_ns_per_page'), unit='ns a page'),
    Figure('back', 'time until the memory is back, default / in-tree, 1 process of 256 MiB',
           '<=', both(1.0, 1.0), share(USUAL, 'back_ms'), unit='ms'),
    *busy_figures('qemu'),
    Figure('store', 'storing (page-out), default / in-tree, 1 process of 256 MiB', '<=',
           both(1.0, 1.0), share(USUAL, 'store_ns_per_page'), unit='ns a page'),
    Figure('read', 'reading back, default / in-tree, 1 process of 256 MiB', '<=', both(1.0, 1.0),
           share(USUAL, 'read_ns_per_page'), unit='ns a page'),
    Figure('held', 'bytes held for the same pages, default / in-tree, 256 MiB', '<=',
           both(1.0, 1.0), share(USUAL, 'mem_used_bytes'), 1 / (1 << 20), 'MiB'),
    Figure('fallbacks', 'frees done by the caller below the budget, default, 128 MiB', '=',
           both(0, 0), (Term(SMALL, 'default', 'fallbacks'),), unit='frees'),
    Figure('fault', '99th percentile of a bystander\'s page faults, default / in-tree, '
           '4 processes of 128 MiB', '<=', {'qemu': 0.7}, share(FOUR, 'fault_p99_us'),
           unit='us'),
    Figure('lost', 'time that a bystander loses that needs pages, default / in-tree, '
           '4 processes of 128 MiB', '<=', {'qemu': 0.7}, share(FOUR, 'fault_lost_ms'),
           unit='ms'),
)


def native_73():
    """Of Linux 7.3, natively on two CPUs: one process, and four of a quarter each."""
    def figure(name, title, relation, limit, terms, unit='ns a page', scale=1):
        return Figure(name, title, relation, {'native73': limit}, terms, scale, unit)

    one, four = '1 process of 128 MiB', '4 processes of 32 MiB'
    yield figure('kill_four', f'SIGKILL to reaped, in-tree / default, {four}', '>=', 8,
                 gain(FOUR_SMALL, 'kill_ns_per_page'))
    yield figure('munmap_four', f'munmap, in-tree / default, {four}', '>=', 10,
                 gain(FOUR_SMALL, 'munmap_ns_per_page'))
    for name, title, point in (('', one, SMALL), ('_four', four, FOUR_SMALL)):
        yield figure(f'cpu{name}', f'CPU time of task and workers, default / in-tree, {title}',
                     '<=', 0.22, share(point, 'cpu_ns_per_page'))
        yield figure(f'back{name}', f'time until the memory is back, default / in-tree, {title}',
                     '<=', 0.33, share(point, 'back_ms'), 'ms')
    yield figure('sync', f'SIGKILL to reaped, in-tree / sync, {one}', '>=', 3,
                 gain(SMALL, 'kill_ns_per_page', 'sync'))
    yield figure('floor', f'munmap, default / in-tree with same-filled pages (the floor), {one}',
                 '<=', 0.5, (Term(SMALL, 'default', 'munmap_ns_per_page'),
                             Term(SMALL, 'intree', 'munmap_floor_ns_per_page')))
    yield from fills_figures('128 MiB', SMALL, {'native73': 1})
    yield figure('held', 'bytes held at full, default / in-tree, 128 MiB', '<=', 0.99,
                 share(SMALL, 'mem_used_bytes'), 'MiB', 1 / (1 << 20))


def qemu_73():
    """What time that is of the host's system calls says nothing about."""
    def figure(name, title, limit, terms, unit):
        return Figure(name, title, '<=', {'qemu73': limit}, terms, unit=unit)

    yield from busy_figures('qemu73')
    for name, title in (('store', 'storing (page-out)'), ('read', 'reading back')):
        yield figure(name, f'{title}, default / in-tree, 1 process of 256 MiB', 0.97,
                     share(USUAL, f'{name}_ns_per_page'), 'ns a page')
    four = 'default / in-tree, 4 processes of 128 MiB'
    yield figure('lost', f'time that a bystander loses that needs pages, {four}', 0.7,
                 share(FOUR, 'fault_lost_ms'), 'ms')
    yield figure('fault', f'99th percentile of a bystander\'s page faults, {four}', 0.9,
                 share(FOUR, 'fault_p99_us'), 'us')


FIGURES_73 = (*native_73(), *qemu_73())


def find(name, home):
    return next(figure for figure in (FIGURES_73 if home in HOMES_73 else FIGURES)
                if figure.name == name)


@dataclasses.dataclass
class Result:
    """A figure as measured: met is None where nothing is asked for."""
    value: float
    terms: tuple
    met: typing.Optional[bool]
    text: str


def show(value):
    """Three digits at least."""
    return f'{value:.3g}' if abs(value) < 100 else f'{value:.0f}'


def digits_of(value, met, compare, limit):
    """So many digits that what is shown does not contradict the verdict, and tells on which side
    of 1 it is."""
    for digits in (2, 3, 4):
        shown = round(value, digits)
        vague = shown == 1 != value and digits == 2
        if not vague and (met is None or compare(shown, limit) == met):
            return digits
    return 5


def judge(figure, limit, terms):
    """The Result of the terms' values, or None if one is missing or nothing to
    divide by."""
    if any(value is None for value in terms) or (len(terms) > 1 and not terms[1]):
        return None
    value = terms[0] / terms[1] if len(terms) > 1 else terms[0]
    compare = LIMITS[figure.relation]
    met = None if limit is None else compare(value, limit)
    if len(terms) > 1:
        text = f'{value:.{digits_of(value, met, compare, limit)}f}'
    else:
        text = f'{value * figure.scale:.4g}'  # an integer, or not far from its limit
    return Result(value, terms, met, text)


def measured(figure, machines, limit):
    """The Result of the first machine that has all the figure needs, or None."""
    for machine in machines:
        result = judge(figure, limit, tuple(machine.value(*term) for term in figure.terms))
        if result:
            return result
    return None


def stall_figures(rivals):
    """The longest call for a drain: of those that need memory, and of a flush."""
    rows = rivals.get('stall', [])
    for name, title, of in (('stall_need', 'any cause', [row for row in rows
                                                         if row['call'] != 'caller']),
                            ('stall_flush', 'a flush', [row for row in rows
                                                        if row['call'] == 'caller'])):
        if of:
            yield (Figure(name, f'longest call for a drain while two threads push without end, '
                          f'{title}', '<=', {}, (), unit='ms'),
                   min(row['goal_ms'] for row in of), (max(row['longest_ms'] for row in of),))


def user_figures(rivals):
    """(figure, limit, terms' values) of the allocator in userspace."""
    ours = [row for row in rivals['results'] if row['allocator'].startswith('lethe')]
    two = [row for row in rivals['push'] if row['threads'] == 2]
    pushes = [row for row in two if row['policy'] != 'array']

    def figure(name, title, relation, limit, *terms, scale=1, unit=''):
        return Figure(name, title, relation, {}, (), scale, unit), limit, terms

    def worst(key):
        return max((row[key] for row in ours if key in row), default=None)

    for row in pushes[:1]:
        step = f', on a clock of {row["clock_step_ns"]:.2f} ns' if 'clock_step_ns' in row else ''
        yield figure('push_p50', f'one `zs_free_deferred()`, two threads pushing, median{step}',
                     '<=', 10, row['p50_ns'], unit='ns')
        yield figure('push_p99', 'one `zs_free_deferred()`, two threads pushing, 99th percentile',
                     '<=', 50, row['p99_ns'], unit='ns')
        for rival in two:
            if rival['policy'] != 'array':
                continue
            same = rival['budget'] == row['budget']
            yield figure('push_same' if same else 'push_own',
                         'pushed a second, default / `array` with '
                         + ('the same budget' if same
                            else f'its own budget of {rival["budget"]:.0f}'),
                         '>=', 5, row['handles_per_s'], rival['handles_per_s'],
                         scale=1e-6, unit='million')
    for key, count in (('held_rest', 'the kernel\'s'), ('own_rest', 'the allocator\'s own')):
        yield figure(key, 'held for a byte of payload, 90 % freed at random and compacted, by '
                     f'{count} count (worst of Lethe\'s rows)', '<=', 1.15, worst(key),
                     unit='B/B')
    yield from stall_figures(rivals)
