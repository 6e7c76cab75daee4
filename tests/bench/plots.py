# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Plots as SVG, without any library: lines over a number, and bars side by side."""

import math
from html import escape

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 40, 50
COLOURS = ("#1f6fb4", "#d1601c", "#2f8f4e", "#8e4fa8", "#7a5a2e", "#c23b5a", "#666666", "#1aa3a3")


def text(x, y, words, anchor="middle", size=12, extra=""):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" {extra}>'
            f"{escape(words)}</text>")


def line(x1, y1, x2, y2, colour="#cccccc", width=1.0):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
            f'stroke-width="{width}"/>')


def document(title, parts, height=HEIGHT):
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        text(WIDTH / 2, 22, title, size=15), *parts, "</svg>", ""])


def short(value):
    if value >= 1e6:
        return f"{value / 1e6:g}M"
    return f"{value / 1e3:g}k" if value >= 1e4 else f"{value:g}"


def steps(most):
    """Round numbers from 0 up to @most or a little beyond."""
    size = 10 ** math.floor(math.log10(most or 1))
    size = next(size * f for f in (0.2, 0.5, 1, 2) if most / (size * f) <= 6)
    return [round(i * size, 6) for i in range(math.ceil(most / size) + 1)]


class Lines:
    """@series: {name: [(x, y or spread)]}; y begins at 0."""

    def __init__(self, title, x_name, y_name, series, log_x=False):
        self.title, self.x_name, self.y_name, self.log_x = title, x_name, y_name, log_x
        self.series = {name: [(x, y if isinstance(y, dict) else {"median": y, "low": y, "high": y})
                              for x, y in points] for name, points in series.items()}
        points = [point for one in self.series.values() for point in one]
        self.marks = sorted({x for x, _ in points})
        self.ticks = steps(max(y["high"] for _, y in points))

    def x(self, value):
        low, high = self.marks[0], self.marks[-1]
        if self.log_x:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return LEFT + (value - low) / ((high - low) or 1) * (WIDTH - LEFT - RIGHT - 150)

    def y(self, value):
        return HEIGHT - BOTTOM - value / self.ticks[-1] * (HEIGHT - TOP - BOTTOM)

    def axes(self):
        right, bottom = self.x(self.marks[-1]), self.y(0)
        for tick in self.ticks:
            yield line(LEFT, self.y(tick), right, self.y(tick))
            yield text(LEFT - 6, self.y(tick) + 4, short(tick), "end")
        for mark in self.marks:
            yield line(self.x(mark), bottom, self.x(mark), bottom + 4, "#444444")
            yield text(self.x(mark), bottom + 18, short(mark))
        yield text((LEFT + right) / 2, HEIGHT - 12, self.x_name)
        yield text(18, HEIGHT / 2, self.y_name, extra=f'transform="rotate(-90 18 {HEIGHT / 2})"')

    def curve(self, number, name, points):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{self.x(x):.1f},{self.y(y['median']):.1f}" for x, y in points)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        for x, y in points:
            yield line(self.x(x), self.y(y["low"]), self.x(x), self.y(y["high"]), colour, 1.5)
            yield f'<circle cx="{self.x(x):.1f}" cy="{self.y(y["median"]):.1f}" r="3" fill="{colour}"/>'
        right = self.x(self.marks[-1]) + 16
        yield line(right, TOP + 12 + number * 20, right + 16, TOP + 12 + number * 20, colour, 3)
        yield text(right + 22, TOP + 16 + number * 20, name, "start")

    def svg(self):
        parts = list(self.axes())
        for number, (name, points) in enumerate(self.series.items()):
            parts += self.curve(number, name, points)
        return document(self.title, parts)


def bars(title, groups):
    """@groups: {name: {bar: spread}}; 1.0 is marked, for the bars are ratios."""
    wide, left, row = WIDTH - 70, 300, 18
    most = max(one["high"] for group in groups.values() for one in group.values())
    scale, y, parts = (wide - left) / most, TOP + 10, []
    for group, members in groups.items():
        parts.append(text(10, y + 13, group, "start", 13, 'font-weight="bold"'))
        y += row + 4
        for number, (name, one) in enumerate(members.items()):
            end = left + one["median"] * scale
            parts += [text(left - 8, y + 12, name, "end", 11),
                      f'<rect x="{left}" y="{y + 2}" width="{one["median"] * scale:.1f}" '
                      f'height="{row - 5}" fill="{COLOURS[number % len(COLOURS)]}"/>',
                      line(left + one["low"] * scale, y + row / 2, left + one["high"] * scale,
                           y + row / 2, "#222222", 1.2),
                      text(max(end, left + one["high"] * scale) + 6, y + 13, f"{one['median']:.2f}", "start", 11)]
            y += row
        y += 8
    parts.append(line(left + scale, TOP, left + scale, y, "#222222", 1))
    return document(title, parts, y + 12)
