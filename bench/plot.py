# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
"""Bars in groups, drawn by gnuplot as SVG.

A drawing has no background, and its greys and colours are of middling lightness:
it can be read on a light page and on a dark one. It begins with a digest of what
it was drawn from, so that two versions of gnuplot need not agree to the byte.
"""

import dataclasses
import hashlib
import re
import subprocess

INK = '#7a7a7a'
RED, VIOLET, OCHRE, GREEN, BLUE, PINK, SLATE, TEAL, BROWN = (
    '#c4573a', '#8a6fc8', '#a8842a', '#2f9372', '#2b7fc4', '#b5588f', '#5b8a9a', '#1f9aa8',
    '#8a5a3c')
LICENCE = 'SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause'


class PlotError(Exception):
    """Why there is no drawing, in a sentence."""


@dataclasses.dataclass
class Bars:
    """colours[series]. rows[series][group]: height, or None. marks[group]: height of a line across
    the group, or None; level: of one across all."""
    title: str
    unit: str
    groups: list
    series: list
    colours: list
    rows: list
    mark_title: str = ''
    marks: list = dataclasses.field(default_factory=list)
    level: float = None
    digits: int = 0


def quote(text):
    return "'" + re.sub(r'\s+', ' ', text).replace("'", "''") + "'"


def block(name, lines):
    return [f'${name} << END', *lines, 'END']


def frame(bars, width):
    """What holds for the drawing as a whole."""
    top = max(value for row in [*bars.rows, bars.marks] for value in row if value is not None)
    ticks = ', '.join(f'{quote(name)} {i * width + (width - 1) / 2:g}'
                      for i, name in enumerate(bars.groups))
    return [
        'set terminal svg size 860,400 noenhanced font "sans-serif,13"',
        f'set title {quote(bars.title)} textcolor rgb "{INK}"',
        f'set ylabel {quote(bars.unit)} textcolor rgb "{INK}"',
        f'set border 3 linecolor rgb "{INK}"',
        f'set xtics nomirror scale 0 textcolor rgb "{INK}" ({ticks})',
        f'set ytics nomirror textcolor rgb "{INK}"',
        f'set grid ytics linetype 1 linecolor rgb "{INK}" linewidth 0.3',
        f'set xrange [-1:{len(bars.groups) * width}]',
        f'set yrange [0:{top * 1.12:g}]',
        'set key outside bottom center horizontal reverse Left samplen 1.5 width 2 '
        f'textcolor rgb "{INK}"',
        'set style fill solid noborder',
        'set boxwidth 0.85',
    ]


def script_of(bars):
    """What gnuplot is to do."""
    width = len(bars.series) + 1
    lines, plots = frame(bars, width), []
    for i, row in enumerate(bars.rows):
        lines += block(f'bars{i}', [f'{group * width + i} {value:g} {value:.{bars.digits}f}'
                                    for group, value in enumerate(row) if value is not None])
        plots.append(f'$bars{i} using 1:2 with boxes linecolor rgb "{bars.colours[i]}" '
                     f'title {quote(bars.series[i])}')
        plots.append(f'$bars{i} using 1:2:3 with labels offset 0,0.6 font ",10" '
                     f'textcolor rgb "{INK}" notitle')
    marks = [f'{group * width - 0.6} {value:g} {width - 0.8}'
             for group, value in enumerate(bars.marks) if value is not None]
    if marks:
        lines += block('marks', marks)
        plots.append(f'$marks using 1:2:3:(0) with vectors nohead linewidth 2 dashtype 2 '
                     f'linecolor rgb "{INK}" title {quote(bars.mark_title)}')
    if bars.level is not None:
        plots.append(f'{bars.level:g} linewidth 2 dashtype 2 linecolor rgb "{INK}" '
                     f'title {quote(bars.mark_title)}')
    return '\n'.join([*lines, 'plot ' + ', \\\n  '.join(plots), ''])


def stamp_of(script):
    return f'drawn from {hashlib.sha256(script.encode()).hexdigest()[:16]}'


def draw(bars):
    """The drawing as text."""
    script = script_of(bars)
    try:
        done = subprocess.run(['gnuplot'], input=script, check=False, text=True,
                              capture_output=True)
    except FileNotFoundError:
        raise PlotError('gnuplot is missing (package gnuplot-nox)') from None
    if done.returncode or not done.stdout.startswith('<?xml'):
        said = done.stderr.strip().splitlines()
        raise PlotError(f'gnuplot failed: {said[-1] if said else "it says nothing"}')
    head, rest = done.stdout.split('\n', 1)
    rest = rest.replace('<title>Gnuplot</title>', f'<title>{escape(bars.title)}</title>', 1)
    return f'{head}\n<!-- {LICENCE}\n     {stamp_of(script)} -->\n{rest}'


def escape(text):
    return text.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')
