# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
Puts what was measured into docs/: the file as it is, the plots, and the tables between the marks of
docs/performance.md, `<!-- bench: NAME -->` and `<!-- end -->`.
"""

import argparse
import json
import re
import shutil
from pathlib import Path

from plots import Lines, bars
from tables import result, results, sections

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"


def ratio_groups(data, words):
    return {name: {bar: one["typical"] for bar, one in measured["ratios"].items() if bar != "untraced"}
            for name, measured in results(data, "real: ") if words in name}


def by_chips(data):
    """Microseconds that a pair costs more than untraced, over the chips of the mesh."""
    series = {}
    for name, measured in results(data, "real: create + free, "):
        base = measured["ratios"]["untraced"]["us"]["median"]
        for mode, one in measured["ratios"].items():
            if mode.startswith("tttrace") or mode.startswith("empty"):
                more = {key: max(0, value - base) for key, value in one["us"].items()}
                series.setdefault(mode.replace("empty programs, where", "empty,"), []).append(
                    (int(name.split()[0]), more))
    return Lines("What a pair costs more, by chips of the mesh", "chips", "µs", series)


def by_probes(data):
    points = [(0 if name == "untraced" else int(name), one["us"])
              for name, one in result(data, "probes").items()]
    return Lines("A tensor created and freed, by empty programs passed", "probes that are passed",
                 "µs", {"create + free": points})


def by_processes(data):
    series = {step: [(one["processes"], one[step]) for one in result(data, "attach")]
              for step in ("look_up", "attach", "detach")}
    return Lines("Attaching, by processes that map the library", "processes", "ms", series, log_x=True)


def by_live(data):
    points = [(one["live"], one["records_per_second"] / 1e6) for one in result(data, "ledger")]
    return Lines("Records into the ledger, by buffers that are live", "live buffers",
                 "million records a second", {"one core": points}, log_x=True)


def memory_by_live(data):
    points = [(one["live"], one["bytes_per_buffer"] * one["live"] / (1 << 20))
              for one in result(data, "memory")]
    return Lines("Memory of the ledger", "live buffers", "MiB of heap", {"heap": points})


def by_threads(data):
    series = {mode: [(one["threads"], one["records"] / one["seconds"] / 1e3) for one in storms]
              for mode, storms in result(data, "storm").items()}
    return Lines("Records in a storm, by threads of the program", "threads", "thousand records a second",
                 series)


def make_plots(data):
    return {
        "pairs.svg": bars("A tensor created and freed, untraced is 1",
                          ratio_groups(data, "create + free, ")),
        "model.svg": bars("matmul, add, softmax, untraced is 1",
                          ratio_groups(data, "model loop")),
        "chips.svg": by_chips(data).svg(), "probes.svg": by_probes(data).svg(),
        "processes.svg": by_processes(data).svg(), "live.svg": by_live(data).svg(),
        "memory.svg": memory_by_live(data).svg(), "storm.svg": by_threads(data).svg(),
    }


def put_tables(data):
    page, known = DOCS / "performance.md", sections(data)

    def block(match):
        return f"<!-- bench: {match[1]} -->\n" + "\n".join(known[match[1]]) + "\n<!-- end -->"

    words = page.read_text(encoding="utf-8")
    page.write_text(re.sub(r"<!-- bench: (.*?) -->\n.*?<!-- end -->", block, words, flags=re.S),
                    encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description="Tables and plots of a bench file into docs/.")
    parser.add_argument("--output", type=Path, default=Path("build/bench.json"), help="the bench file")
    file = parser.parse_args().output
    data = json.loads(file.read_text(encoding="utf-8"))
    (DOCS / "performance").mkdir(parents=True, exist_ok=True)
    if file.resolve() != (DOCS / "performance/bench.json").resolve():
        shutil.copy(file, DOCS / "performance/bench.json")
    for name, svg in make_plots(data).items():
        (DOCS / "performance" / name).write_text(svg, encoding="utf-8")
    put_tables(data)


main()
