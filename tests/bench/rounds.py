# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
Ratios in one run. The contenders take turns, A B C A B C …, on a program that goes on all the time;
each figure is divided by that of "untraced" of the same round. What is kept of the rounds is the
median, the lowest and the highest.

typical is the median of the times of short batches: those in which the program had to wait for its
core do not count. cpu is the processor time of the program for one time round, all in all.
"""

import statistics
import sys
import time

PATIENCE = 300  # seconds
WARM_UP = 0.05  # seconds: pages of code are copied when the first breakpoint comes into them


def spread(values):
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def wait_until_alone(subject):
    """Somebody else may trace all processes of this machine: then it is his cost that we measure."""
    deadline = time.monotonic() + PATIENCE
    while subject.is_probed():
        if time.monotonic() > deadline:
            sys.exit("bench: somebody else has probes in the program; is a tttrace running?")
        time.sleep(0.05)


def measure(contender, subject, seconds):
    while True:
        wait_until_alone(subject)
        with contender():
            subject.run(WARM_UP)
            figures = subject.run(seconds)
        if not subject.is_probed():
            return figures


def take_rounds(contenders, number, seconds):
    """@contenders: {name: (context, subject)}. Returns {name: [figures of each round]}."""
    taken = {name: [] for name in contenders}
    for turn in range(number):
        for name, (contender, subject) in contenders.items():
            taken[name].append(measure(contender, subject, seconds))
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return taken


def compare(taken, base="untraced"):
    """
    {name: {typical, cpu: ratios; us: microseconds, typically, for one time round; best: the quickest
    round against the quickest of @base}}. Neighbours can only slow a round down, so where there are
    some `best` is nearer to the truth than the median.
    """
    quickest = min(one["typical"] for one in taken[base])
    result = {}
    for name, rounds in taken.items():
        result[name] = {
            clock: spread([one[clock] / other[clock] for one, other in zip(rounds, taken[base])])
            for clock in ("typical", "cpu")}
        result[name]["best"] = min(one["typical"] for one in rounds) / quickest
        result[name]["us"] = spread([one["typical"] * 1e6 for one in rounds])
    return result


def cost_of_hit(taken, base="untraced", floor="empty program"):
    """
    What one hit adds, against what it adds with the empty program: of the medians, and of the
    quickest rounds. The difference of two figures of one round would double their noise.
    """
    result = {}
    for key, pick in (("of_floor", statistics.median), ("best", min)):
        value = {name: pick(one["typical"] for one in rounds) for name, rounds in taken.items()}
        for name in value.keys() - {base}:
            one = result.setdefault(name, {})
            one[key] = (value[name] - value[base]) / (value[floor] - value[base])
            if key == "of_floor":
                one["us"] = (value[name] - value[base]) * 1e6
    return {name: result[name] for name in taken if name != base}
