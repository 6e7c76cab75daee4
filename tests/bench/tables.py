# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The tables of a bench file, in Markdown: for people, and for docs/performance.md."""

# What issue and page promise: (measurement, mode) -> the most, as a ratio of untraced.
GOALS = {
    ("create + free, 1 chip", "tttrace --lean"): 1.25, ("create + free, 1 chip", "tttrace --no-stacks"): 1.9,
    ("create + free, 1 chip", "tttrace --lean --stacks"): 1.6,
    ("create + free, 1 chip", "tttrace"): 2.3,
    ("create + free with Python 3.12, 1 chip", "tttrace --lean --stacks"): 1.6,
    ("create + free with Python 3.12, 1 chip", "tttrace"): 2.3,
    ("model loop, 1 chip", "tttrace --lean"): 1.01, ("model loop, 1 chip", "tttrace --no-stacks"): 1.03,
    ("create + free, 32 chips", "tttrace --lean"): 1.15, ("create + free, 32 chips", "tttrace --no-stacks"): 2.4,
}
MODES = ("tttrace --no-stacks", "tttrace --lean")


def rows(head, body):
    """The lines of a table; numbers to the right."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" + "---:|" * (len(head) - 1)]
    return lines + ["| " + " | ".join(map(str, row)) + " |" for row in body]


def with_spread(values, digits=2):
    return f"{values['median']:.{digits}f} ({values['low']:.{digits}f}–{values['high']:.{digits}f})"


def results(data, prefix):
    """(rest of the name, result) of all measurements whose name begins so."""
    return [(name[len(prefix):], one["result"]) for name, one in data["measured"].items()
            if name.startswith(prefix)]


def result(data, name):
    return data["measured"].get(name, {}).get("result")


def ratio_table(measured):
    body = [(name, with_spread(one["typical"]), with_spread(one["cpu"]), f"{one['best']:.2f}",
             with_spread(one["us"], 1)) for name, one in measured["ratios"].items()]
    return rows(("of untraced", "typically", "processor time", "quickest rounds",
                 "µs, typically"), body)


def stacks_table(data):
    """What stacks cost, by how many frames of Python there are and what Python that is."""
    lean, stacks = "tttrace --lean", "tttrace --lean --stacks"
    body = []
    for name, measured in results(data, "real: create + free"):
        if name.endswith("1 chip"):
            typical = {mode: one["typical"]["median"] for mode, one in measured["ratios"].items()}
            us = {mode: one["us"]["median"] for mode, one in measured["ratios"].items()}
            body.append((name.lstrip(", "), f"{typical['tttrace']:.2f}", f"{typical[stacks]:.2f}",
                         f"{us[stacks] - us[lean]:.1f}"))
    return rows(("create + free", "`tttrace`, of untraced", f"`{stacks}`, of untraced", "µs of a stack"), body)


def hit_table(data):
    body = [(f"`{function}`", name, f"{one['us']:.2f}", f"{one['of_floor']:.2f}", f"{one['best']:.2f}")
            for function, known in results(data, "hit: ") for name, one in known.items()
            if name != "lost"]
    return rows(("one hit of", "", "µs", "of the empty program", "quickest rounds"), body)


def attach_table(data):
    body = [(one["processes"], one["probes"], *(with_spread(one[step], 0) for step in
                                               ("load", "look_up", "attach", "attach_cpu", "detach", "detach_cpu")))
            for one in result(data, "attach") or []]
    return rows(("processes that map the library", "probes", "BPF load, ms", "look-up, ms",
                 "attach, ms", "of it processor", "detach, ms", "of it processor"), body)


def probes_table(data):
    body = [(name if name != "untraced" else "0", with_spread(one["us"], 1),
             with_spread(one["typical"]), f"{one['best']:.2f}")
            for name, one in (result(data, "probes") or {}).items()]
    return rows(("empty programs", "µs for a pair", "of untraced", "quickest rounds"), body)


def instructions_table(data):
    body = [(f"`{name}`", f"{one['us']:.2f}", f"{one['of_floor']:.1f}")
            for name, one in (result(data, "instructions") or {}).items()]
    return rows(("probed instruction", "µs a hit", "of a push"), body)


def where_table(data):
    known = result(data, "where") or {}
    groups = list(dict.fromkeys(name for one in known.values() for name in one))
    body = [(name, *(f"{one.get(name, 0):.0f}" for one in known.values())) for name in groups]
    return rows(("ns of one hit", *known), body)


def user_table(data):
    parts = result(data, "user side") or {}
    whole = sum(parts.values())
    body = [(name, f"{count:.0f}", f"{100 * count / whole:.0f} %")
            for name, count in sorted(parts.items(), key=lambda item: -item[1])]
    return rows(["of one event", "instructions", "of all"], body + [("all", f"{whole:.0f}", "")])


def ledger_table(data):
    body = [(f"{one['live']:,}", f"{one['records_per_second'] / 1e6:.1f}")
            for one in result(data, "ledger") or []]
    return rows(("live buffers", "million records a second, one core"), body)


def memory_table(data):
    body = [(f"{one['live']:,}", one["bytes_per_buffer"], one["longest_pause_ms"])
            for one in result(data, "memory") or []]
    return rows(("live buffers", "bytes of heap for each", "longest pause, ms"), body)


def storm_table(data):
    body = []
    for mode, storms in (result(data, "storm") or {}).items():
        for one in storms:
            body.append((f"{mode}, {one['threads']} threads", f"{one['pairs_untraced']:,}",
                         f"{one['pairs']:,}", f"{one['records']:,}", f"{one['lost']:,}",
                         "yes" if one["complete"] else "no"))
    return rows(("", "pairs untraced", "pairs traced", "records", "lost", "called complete"), body)


def single_table(data):
    body, idle, first = [], result(data, "idle"), result(data, "first event")
    if idle:
        spans = idle["spans"]
        body.append(("wake-ups a second that the mappings do not explain (three each are allowed)", idle["own"] / idle["seconds"]))
        body.append((f"in {len(spans)} spans of {idle['seconds']} s: wake-ups, executables mapped by others",
                     ", ".join(f"{one['wake_ups']} / {one['mappings']}" for one in spans)))
    if first:
        body += [("start of the command to its first allocation, ms", with_spread(first["alone_ms"], 0)),
                 ("start of tttrace -- command to the line of it, ms", with_spread(first["traced_ms"], 0)),
                 ("difference, ms", with_spread(first["over_ms"], 0))]
    return rows(("", "median (lowest–highest)"), body)


def goal_rows(data):
    for (name, mode), most in GOALS.items():
        ratios = (result(data, "real: " + name) or {"ratios": {}})["ratios"]
        if mode in ratios:
            yield (f"{name}, `{mode}`, of untraced", most, ratios[mode]["typical"]["median"],
                   ratios[mode]["best"])
    hits = result(data, "hit: GraphTracker::track_allocate") or {}
    for mode in MODES:
        if mode in hits:
            yield (f"one hit with a full record, `{mode}`, of an empty program", 1.3,
                   hits[mode]["of_floor"], hits[mode]["best"])
    attach = result(data, "attach")
    if attach:
        first, last = attach[0], attach[-1]
        both = first["look_up"]["median"] + first["attach"]["median"]
        yield "look-up and attach, ms", 60, both
        yield "detach, ms", 40, first["detach"]["median"]
        more = last["attach"]["median"] + last["detach"]["median"]
        less = first["attach"]["median"] + first["detach"]["median"]
        yield f"attach and detach, {last['processes']} processes over {first['processes']}", 1.0, more / less
    yield from other_goals(data)


def other_goals(data):
    idle, first = result(data, "idle"), result(data, "first event")
    if idle:
        yield "wake-ups a second that others' mappings do not explain", 0, idle["own"] / idle["seconds"]
    for one in result(data, "ledger") or []:
        if one["live"] == 100_000:
            yield "ns of one core for a record, 100,000 live (5 million a second)", 200, \
                1e9 / one["records_per_second"]
    memory = result(data, "memory")
    if memory:
        yield "bytes for a live buffer", 96, max(one["bytes_per_buffer"] for one in memory[2:])
        yield f"longest pause with {memory[-1]['live']:,}, ms", 50, memory[-1]["longest_pause_ms"]
    if first:
        yield "start to first event over the command alone, ms", 150, first["over_ms"]["median"]
    for mode, storms in (result(data, "storm") or {}).items():
        yield f"records lost, 4 threads, `{mode}`", 0, storms[-1]["lost"]


def number(value):
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def goal_table(data):
    body = [(name, most, number(value), number(best[0]) if best else "",
             "yes" if max([value, *best]) <= most else "**no**")
            for name, most, value, *best in goal_rows(data)]
    return rows(("what", "at most", "measured", "quickest rounds", "reached"), body)


def hits_per_round_table(data):
    body = [(f"{name}, `{mode}`", f"{sum(hits.values()):.1f}",
             ", ".join(f"{key} {value:.3g}" for key, value in hits.items()))
            for name, one in results(data, "real: ") for mode, hits in one["hits"].items()]
    return ["| | hits | of which |", "|---|---:|---|"] + [
        "| " + " | ".join(row) + " |" for row in body]


def machine_lines(data):
    loads = [one["load"] for one in data["measured"].values()]
    machine = data["machine"]
    return [f"{machine['cpu']}, {machine['cores']} cores, Linux {machine['kernel']}, runtime "
            f"{machine['runtime']}; load of the machine before each measurement: {min(loads):.1f} to "
            f"{max(loads):.1f}."]


def sections(data):
    """{name: lines}: each a block of docs/performance.md."""
    known = {"machine": machine_lines(data), "goals": goal_table(data),
             "hits": hits_per_round_table(data), "hit": hit_table(data),
             "probes": probes_table(data), "instructions": instructions_table(data), "where": where_table(data),
             "user": user_table(data), "stacks": stacks_table(data),
             "attach": attach_table(data),
             "ledger": ledger_table(data), "memory": memory_table(data), "storm": storm_table(data),
             "single": single_table(data)}
    for name, measured in results(data, "real: "):
        known[name] = ratio_table(measured)
    return known


def print_tables(data):
    for name, lines in sections(data).items():
        print(f"\n{name}\n")
        print("\n".join(lines))
