#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
"""Where a User-Mode Linux kernel spends what exitbench measures.

usage: profile.py RESULTS KERNEL_DIR MODULE_DIR PERIOD LINES SYMBOL <SAMPLES

RESULTS is of bench/guest-init with TRACE=1. KERNEL_DIR is what uml-build.sh has
printed, or tree-build.sh; MODULE_DIR holds our modules ('-': none are meant). SAMPLES is what
'perf script --ns -F time,ip,sym' prints, times by CLOCK_MONOTONIC, a sample each
PERIOD ns of CPU time.

Prints LINES of functions for the time measured, and for the time from then
until the memory was back. If SYMBOL is not empty, that function's instructions
instead.
"""

import bisect
import collections
import glob
import os
import re
import statistics
import subprocess
import sys

PAGE_BYTES = 4096
# What is summed where object files are known: the files of each part, where memory is in
# zswap. Its entries are in a tree and in an LRU, and are charged; they are of a slab, as
# the handles of the kernel's own zsmalloc are.
PARTS = {
    "zswap's own": ('mm/zswap.o', 'mm/list_lru.o', 'mm/memcontrol', 'kernel/cgroup/',
                    'lib/xarray.o'),
    'slabs': ('mm/slub.o',),
    'the allocator': ('mm/zsmalloc.o', 'mm/lethe/'),
    'the page allocator': ('mm/page_alloc.o',),
}
HOST_KERNEL = 1 << 63


class Symbols:
    """Functions by address: those of the kernel, and of modules loaded."""

    def __init__(self, entries):
        self.entries = sorted(set(entries))
        self.addresses = [address for address, _, _ in self.entries]

    def find(self, address):
        """The (start, name, module) that an address is in, or None."""
        i = bisect.bisect_right(self.addresses, address) - 1
        # Beyond any function's size: not code that we know
        if i < 0 or address - self.addresses[i] > 1 << 16:
            return None
        return self.entries[i]


def object_files(path):
    """Object file by function, of a kernel whose directory says so."""
    try:
        with open(path, encoding='ascii') as lines:
            return dict(line.split() for line in lines)
    except FileNotFoundError:
        return {}


def kernel_symbols(directory):
    """Functions of the kernel, and where: in which object file if that is known."""
    linux = os.path.join(directory, 'linux')
    objects = object_files(os.path.join(directory, 'objects'))
    elsewhere = 'library' if objects else 'kernel'
    listing = subprocess.run(['nm', linux], check=True, capture_output=True, text=True).stdout
    for line in listing.splitlines():
        words = line.split()
        if len(words) == 3 and words[1] in 'tTwW':
            yield int(words[0], 16), words[2], objects.get(words[2], elsewhere)


def to_ns(milliseconds):
    whole, fraction = milliseconds.split('.')
    return int(whole) * 1000000 + int(fraction.ljust(6, '0')[:6])


class Window:
    """A stretch of the host's time, in ns, with the symbols of then."""

    def __init__(self, start, end, pages, symbols):
        self.start, self.end, self.pages, self.symbols = start, end, pages, symbols


def read_windows(path, kernel):
    """Windows measured, and windows until the memory was back."""
    measured, later = [], []
    modules, symbols, offset = [], None, None
    with open(path, encoding='ascii', errors='replace') as lines:
        for line in lines:
            words = line.split()
            if not words:
                continue
            if words[0] == 'clock':
                offset = to_ns(words[2]) - to_ns(words[1])
                modules, symbols = [], None
            elif words[0] == 'symbol':
                modules.append((int(words[1], 16), words[3], words[4].strip('[]')))
            elif words[0].startswith('variant='):
                run = dict(word.split('=', 1) for word in words)
                symbols = symbols or Symbols(kernel + modules)
                start = int(run['at_ns']) + offset
                end = start + int(run['ns'])
                pages = int(run['mib']) * 1048576 // PAGE_BYTES
                measured.append(Window(start, end, pages, symbols))
                later.append(Window(end, max(end, start + int(run['back_ns'])), pages, symbols))
    return measured, later


def read_samples(lines):
    """(ns, address, what perf takes it for)"""
    for line in lines:
        words = line.split(None, 2)
        if len(words) < 2:
            continue
        seconds, fraction = words[0].rstrip(':').split('.')
        yield (int(seconds) * 10**9 + int(fraction), int(words[1], 16),
               words[2].strip() if len(words) > 2 else '?')


def in_window(samples, times, window):
    return samples[bisect.bisect_left(times, window.start):
                   bisect.bisect_left(times, window.end)]


def locate(window, address, name):
    """(start, function, where) of a sample."""
    if address >= HOST_KERNEL:
        return address, name, 'host'
    return window.symbols.find(address) or (address, name, '?')


def count(samples, times, windows):
    """Samples by (function, where), and by (function, offset)."""
    functions, offsets = collections.Counter(), collections.Counter()
    for window in windows:
        for _, address, name in in_window(samples, times, window):
            start, function, where = locate(window, address, name)
            functions[function, where] += 1
            offsets[function, address - start] += 1
    return functions, offsets


def print_functions(title, windows, period, functions, lines):
    total = sum(functions.values())
    each = [(window.end - window.start) / window.pages for window in windows]
    # Not all of the time until the memory is back is CPU time: the guest may sleep.
    print(f'\n{title}: {statistics.median(each):.1f} ns per page (median of '
          f'{len(each)}), {total} samples')
    if not total:
        return
    unit = period / sum(window.pages for window in windows)
    modules = collections.Counter()
    for (_, where), n in functions.items():
        modules[where] += n
    print('  ' + ', '.join(f'{where} {n * unit:.1f} ({100 * n / total:.0f} %)'
                           for where, n in modules.most_common() if 200 * n >= total))
    known = any(where.endswith('.o') for where in modules)
    for name, files in PARTS.items() if known else ():
        n = sum(modules[where] for where in modules if where.startswith(files))
        print(f'  {name}: {n * unit:.1f} ns ({100 * n / total:.0f} %)')
    for (function, where), n in functions.most_common(lines):
        print(f'  {n * unit:7.1f} ns {100 * n / total:5.1f} %  {function} [{where}]')


def disassemble(function, where, kernel, modules):
    """(offset, instruction) of a function, from the file that it is in."""
    if where == 'kernel':
        files = [os.path.join(kernel, 'linux')]
    else:
        name = where.replace('_', '[-_]') + '.ko'
        files = glob.glob(os.path.join(modules, name)) or \
            glob.glob(os.path.join(kernel, 'lib/modules/**', name), recursive=True)
    listing = subprocess.run(['objdump', '-dr', '--no-show-raw-insn',
                              f'--disassemble={function}', files[0]],
                             check=True, capture_output=True, text=True).stdout
    start = None
    for line in listing.splitlines():
        head = re.match(r'([0-9a-f]+) <(.*)>:$', line)
        code = re.match(r'\s+([0-9a-f]+):\t(.*)', line)
        if head and head[2] == function:
            start = int(head[1], 16)
        elif code and start is not None:
            yield int(code[1], 16) - start, code[2]


def print_function(symbol, functions, offsets, unit, kernel, modules):
    places = [where for function, where in functions if function == symbol]
    if not places:
        sys.exit(f'profile.py: no sample is in {symbol}')
    print(f'\n{symbol} [{places[0]}], ns per page before each instruction')
    for offset, code in disassemble(symbol, places[0], kernel, modules):
        n = 0 if '\t\tR_X86' in code or code.startswith('R_X86') else offsets[symbol, offset]
        print(f'{n * unit:7.2f}' if n else ' ' * 7, f'{offset:5x}  {code}')


def main():
    if len(sys.argv) != 7:
        sys.exit(__doc__)
    results, kernel, modules, period, lines, symbol = sys.argv[1:]
    measured, later = read_windows(results, list(kernel_symbols(kernel)))
    samples = sorted(read_samples(sys.stdin))
    times = [ns for ns, _, _ in samples]
    if not measured or not samples:
        sys.exit('profile.py: nothing was measured, or nothing sampled')
    functions, offsets = count(samples, times, measured)
    if symbol:
        print_function(symbol, functions, offsets,
                       int(period) / sum(window.pages for window in measured), kernel, modules)
        return
    print_functions('measured', measured, int(period), functions, int(lines))
    print_functions('from then until the memory is back', later, int(period),
                    count(samples, times, later)[0], int(lines))


if __name__ == '__main__':
    main()
