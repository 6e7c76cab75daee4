# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
What tttrace costs, beside other ways to see the same: see docs/performance.md for the method.

  scripts/bench [--rounds N] [--seconds S] [--only WORD,...] [--output FILE]

It prints tables and writes a JSON file. Nothing here is a test: see tests/bench/test_guard.py.
--only takes what has one of the words in its name; what was measured before stays in the file.
"""

import argparse
import atexit
import json
import os
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]

import single  # noqa: E402
import workloads  # noqa: E402
from where import measure_user, measure_where  # noqa: E402
from support.processes import end_all  # noqa: E402
from tables import print_tables  # noqa: E402


def machine():
    model = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
                  if line.startswith("model name")), "unknown")
    return {"cpu": model, "cores": os.cpu_count(), "kernel": os.uname().release,
            "runtime": workloads.VERSION}


def ledger_by_live():
    return [single.measure_ledger(live, 1_000_000) for live in (100, 10_000, 100_000, 1_000_000)]


def memory_by_live(most):
    sizes = (1_000, 10_000, 100_000, 1_000_000, 3_000_000, 10_000_000)
    return [single.measure_memory(live) for live in sizes if live <= most]


def room_for_buffers():
    """So many fit into half of the memory that is free, at 150 bytes each and the tape beside them."""
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return free // 2 // 150


def measurements(args):
    """{name: function}, in the order in which they are taken."""
    known = {f"real: {name}": lambda name=name: workloads.measure_real(name, args.rounds, args.seconds)
             for name in workloads.REAL if workloads.can_be_had(name)}
    for function in workloads.HIT_FUNCTIONS:
        known[f"hit: {function}"] = lambda function=function: workloads.measure_hit(
            function, 2 * args.rounds, min(args.seconds, 0.1))
    known["probes"] = lambda: workloads.measure_probes(args.rounds, args.seconds)
    known["instructions"] = lambda: workloads.measure_instructions(args.rounds, min(args.seconds, 0.1))
    known["where"] = lambda: measure_where(0.5)
    known["user side"] = measure_user
    known["attach"] = lambda: [single.measure_attach(n, args.rounds) for n in (1, 8, 64, 256)]
    known["idle"] = lambda: single.measure_idle(10, 1)
    known["ledger"] = ledger_by_live
    known["memory"] = lambda: memory_by_live(room_for_buffers())
    known["first event"] = lambda: single.first_event_real(args.rounds)
    known["storm"] = lambda: single.measure_storms(max(args.seconds, 1))
    return known


def take(args, result):
    for name, function in measurements(args).items():
        if args.only and not any(word in name for word in args.only.split(",")):
            continue
        print(f"bench: {name}", file=sys.stderr, flush=True)
        load = os.getloadavg()[0]
        result["measured"][name] = {"load": load, "at": int(time.time()), "result": function()}
        args.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description="What tttrace costs.")
    parser.add_argument("--rounds", type=int, default=7, help="(7)")
    parser.add_argument("--seconds", type=float, default=0.4, help="of one measurement (0.4)")
    parser.add_argument("--only", default="", help="WORD,...: what has one of them in its name")
    parser.add_argument("--output", type=Path, default=Path("build/bench.json"), help="(build/bench.json)")
    parser.add_argument("--tables", action="store_true", help="only print the tables of the file")
    args = parser.parse_args()

    result = {"measured": {}}
    if (args.only or args.tables) and args.output.exists():
        result = json.loads(args.output.read_text(encoding="utf-8"))
    if not args.tables:
        if os.geteuid() != 0:
            sys.exit("bench: run it as root: probes need it")
        atexit.register(end_all)  # whatever happens: a tracer that goes on would slow all the rest
        result["machine"] = machine()
        take(args, result)
    print_tables(result)


main()
