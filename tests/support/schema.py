# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
The output contract of design.md: which lines there are, which fields each has, and of what form.
A field that is not written down here is a violation: whoever adds one, adds it here.
"""

TYPES = {"DRAM", "L1", "L1_SMALL", "TRACE", "SYSTEM_MEMORY"}
LAYOUTS = {"INTERLEAVED", "SINGLE_BANK", "HEIGHT_SHARDED", "WIDTH_SHARDED", "BLOCK_SHARDED", "ND_SHARDED"}
KINDS = ("owning", "view", "hooked", "zero_size", "system")
CLASSES = ("matched", "zero_size", "hooked", "view", "device_closed", "repeated", "failed_alloc",
           "pre_attach", "bulk_freed", "foreign", "suppressed", "lost", "unknown")
FITS = ("too_large", "full", "fragmented", "refused", "unknown")
STATES = {"running", "exited", "exec", "vanished"}
RECORDS = ("process_start", "process_exec", "process_exit", "process_name", "allocator", "space", "alloc", "zero_size",
           "view", "free_begin", "free_tracked", "free_done", "free", "bulk", "device",
           "circular", "program", "stack_copy", "python_code")
STACK_ENDS = ("complete", "cut", "deep", "no_code", "no_rule", "broken", "no_python")
PROBES = ("buffer_create", "buffer_create_at", "allocate_impl", "deallocate_impl", "hook_allocate",
          "hook_deallocate", "track_allocate", "track_deallocate", "allocate_buffer",
          "deallocate_buffer", "deallocate_buffers", "clear", "override_state", "allocator_destroy",
          "free_list_allocate", "device_open", "device_close", "mesh_open", "mesh_close", "mesh_closing",
          "track_allocate_cb", "track_deallocate_cb", "register_program", "allocate_dataflow_buffers",
          "mark_address", "create_empty")

PARTS = ("stacks", "fork", "exec", "exit", "rename", "mappings", "uprobe_multi")


class Violation(Exception):
    pass


# --- forms of values: each says whether a value has it -------------------------------------------

def number(value):
    return type(value) is int and value >= 0


def integer(value):
    return type(value) is int


def text(value):
    return type(value) is str and value != ""


def words(value):
    return type(value) is str


def truth(value):
    return type(value) is bool


def pointer(value):
    return text(value) and value.startswith("0x") and int(value, 16) > 0


def hexadecimal(value):
    return text(value) and value.startswith("0x") and int(value, 16) >= 0


def one_of(words):
    return lambda value: type(value) is str and value in words


def many(form):
    return lambda value: type(value) is list and all(form(one) for one in value)


def chips(value):
    return many(number)(value) and len(set(value)) == len(value)


class Table:
    """An object: fields that it must have, and fields that it may have."""

    def __init__(self, must, may=None):
        self.must = must
        self.all = {**must, **(may or {})}

    def __call__(self, value):
        if type(value) is not dict:
            return False
        self.check(value)
        return True

    def check(self, value):
        missing = set(self.must) - set(value)
        if missing:
            raise Violation(f"without {sorted(missing)}")
        for name, field in value.items():
            if name not in self.all:
                raise Violation(f"'{name}' is not in the contract")
            if not self.all[name](field):
                raise Violation(f"'{name}' is {field!r}")


def counts(names):
    return Table(dict.fromkeys(names, number))


# --- parts ---------------------------------------------------------------------------------------

EVERY = {"event": text, "ts_ns": number}
PROCESS = {**EVERY, "pid": number, "tid": number, "comm": text}
DEVICE = {"mesh": number, "devices": chips, "devices_cut": truth}
BUFFER = {"size": number, "page_size": number, "kind": one_of(KINDS)}
OWNERS = {"tensor", "kernel_binary", "program_cache", "trace", "semaphore", "circular_buffer", "socket", "other"}
ORIGIN_MAY = {"stack_id": number, "op": text, "factory": text, "owner": one_of(OWNERS)}
BUFFER_MAY = {**ORIGIN_MAY, "orphaned": truth, "buffer": pointer, "id": number, "address": number, "footprint": number,
              "type": one_of(TYPES), "layout": one_of(LAYOUTS), "why": text, **DEVICE}
MACHINE_FRAME = Table({"image": text, "vaddr": hexadecimal}, {"function": text, "offset": number})
PYTHON_FRAME = Table({"function": text, "file": text, "line": number})


def frame(value):
    return (PYTHON_FRAME if "line" in value else MACHINE_FRAME)(value)


STACK_MAY = {"stack_end": one_of(STACK_ENDS), "stack": many(frame)}
SUM = Table({"buffers": number, "bytes": number, "size": number}, {"unsized": number})
# one look at a process shows no peak
CELL = Table(dict.fromkeys(("live", "live_size", "buffers"), number),
             dict.fromkeys(("peak", "peak_size", "peak_buffers"), number))
MEMORY = Table({}, dict.fromkeys([*TYPES, "all"], CELL))
REGIONS = Table({}, dict.fromkeys(TYPES, counts(("from", "to", "banks"))))
PLACED = Table({**dict.fromkeys(("bytes_per_core", "cores", "from", "to", "programs"), number),
                "exact": truth, "largest_program": counts(("bytes_per_core", "cores", "to"))},
               {"programs_ended": number})

SPACE_MAY = {"banks": number, "bank_size": number, "held_per_bank": number, "free_per_bank": number,
             "largest_hole_per_bank": number, "why_unknown": text}
HOLDER = Table(
    {"kind": one_of(("owning", "system")), "size_min": number, "size_max": number, "buffers": number,
     "size": number, "footprint": number, "per_bank": number},
    {"oldest_ns": number, "newest_ns": number, "older": truth, "unsized": number})
OTHER = Table({"pid": number, "comm": text, "devices": chips, "buffers": number, "footprint": number},
              {"mesh": number, "devices_cut": truth})

DEVICE_TOTALS = Table(
    {"devices": chips, "object": pointer, "lives": number, "closed": truth, "regions": REGIONS,
     "memory": MEMORY, "allocs": counts(KINDS),
     "live": counts(KINDS), "frees": number, "bulk_freed": number, "leaked": SUM, "ended": SUM, "unknown": SUM,
     "held_by_runtime": SUM, "orphaned": SUM,
     "spaces": many(Table({"type": one_of(TYPES), "allocator": pointer}, SPACE_MAY))},
    {"mesh": number, "devices_cut": truth, "close_asked": truth,
     "owners": Table({}, dict.fromkeys([*OWNERS, "unknown"], counts(
         ("live", "live_buffers", "leaked", "leaked_buffers", "allocated", "allocations"))))})
PROCESS_TOTALS = Table(
    {"pid": number, "start_ns": number, "comm": text, "state": one_of(STATES), "before_attach": truth,
     "forked": truth, "first_ts_ns": number, "end_ts_ns": number, "memory": MEMORY,
     "allocs": counts(KINDS), "classes": counts(CLASSES), "bulk_freed": number,
     "lost": number, "devices": many(DEVICE_TOTALS)},
    {"chips": many(Table({"device": number, "memory": MEMORY},
                         {"circular_buffers": PLACED, "dataflow_buffers": PLACED})), "status": number, "signal": number})
COVERAGE = Table(
    {"complete": truth, "probes_wanted": number, "probes_attached": number,
     "libraries": many(Table({"path": text, "probes_wanted": number, "probes_attached": number})),
     "processes": number, "processes_before_attach": number, "buffers_before_attach": number,
     "buffers_mended": number, "census_torn": truth,
     "events": number, "lost": number, "repaired": number,
     "lost_kinds": Table({}, dict.fromkeys(RECORDS, number)), "lost_unexplained": number,
     "bad_records": number, "dropped_records": number, "process_map_full": number,
     "allocator_map_full": number, "footprint_unknown": number, "circular_unknown": number,
     "reused_live": number, "reused_lost": number},
    {"mode": one_of(("default", "lean", "all")), "not_probed": many(one_of(PROBES)),
     "hits": Table({}, dict.fromkeys(PROBES, number)),
     "stacks": counts((*STACK_ENDS, "missing", "copied")),
     "missing": many(Table({"part": one_of(PARTS), "loss": text, "why": text})),
     "buffers_may_be_inherited": number, "orphans_taken_for_inherited": number,
     "twice": number, "untraced_times": number, "untraced": many(Table({"path": text, "pid": number, "times": number, "why": text}))})

# --- lines ---------------------------------------------------------------------------------------

EARLIER = Table({"processes": number, "leaking": number, "leaked": SUM, "ended": SUM, "unknown": SUM})
AGE_MAY = {"alloc_ts_ns": number, "older": truth}
VERDICT = Table({**PROCESS, "buffers": number, "size": number, "kind": one_of(KINDS), "why": text},
                {**BUFFER_MAY, **STACK_MAY, **AGE_MAY, "page_size": number, "unsized": number,
                 "members": many(Table(BUFFER, {**BUFFER_MAY, **AGE_MAY})), "members_left_out": number})
SITE = {name: number for name in ("live", "live_buffers", "at_peak", "at_peak_buffers", "leaked", "leaked_buffers",
                                  "allocated", "allocations", "temporary")}
HELD = Table({"buffers": number, "footprint": number, "per_bank": number}, ORIGIN_MAY)
LINES = {
    "alloc": Table({**PROCESS, **BUFFER}, {**BUFFER_MAY, "class": one_of(["pre_attach", "lost"])}),
    "free": Table({**PROCESS, **BUFFER, "class": one_of(CLASSES)}, {**BUFFER_MAY, "freed_by": number}),
    "stack": Table({**EVERY, "stack_id": number, "stack_end": one_of(STACK_ENDS), "stack": many(frame)}, ORIGIN_MAY),
    "site": Table({**EVERY, "pid": number, "comm": text, "devices": chips, **SITE},
                  {**DEVICE, **ORIGIN_MAY, "type": one_of(TYPES)}),
    "alloc_failed": Table({**PROCESS, **BUFFER, "class": one_of(CLASSES), "fit": one_of(FITS),
                           "holders": many(HOLDER), "others": many(OTHER)},
                          {**BUFFER_MAY, **SPACE_MAY, **STACK_MAY, "asked_per_bank": number,
                           "held_by": many(HELD), "held_by_left_out": number,
                           "others_left_out": number}),
    "leak": VERDICT,
    "ended": VERDICT,
    "bulk_free": Table({**PROCESS, "buffers": number, "bytes": number, "why": text}, DEVICE),
    "device_open": Table(PROCESS, {**DEVICE, "why": text}),
    "device_close": Table({**PROCESS, "buffers": number, "bytes": number}, {**DEVICE, "why": text}),
    "process_start": Table(PROCESS, {"why": text}),
    "process_exit": Table(PROCESS, {"status": number, "signal": number, "why": text}),
    "lost": Table({**EVERY, "records": number, "lost": Table({}, dict.fromkeys(RECORDS, number))},
                  {"pid": number, "tid": number, "comm": text, "process_map_full": number, "why": text}),
    "census": Table({**PROCESS, "reason": one_of(["attach", "repair", "audit", "measure"]), "buffers": number,
                     "bytes": number, "added": number, "removed": number, "resized": number, "whole": truth},
                    {"orphaned": counts(("blocks", "bytes")), "free_lists": many(one_of(TYPES)),
                     "free_lists_unread": many(one_of(TYPES))}),
    "summary": Table(
        {**EVERY, "interval": truth, "duration_ns": number, "activity": truth, "leaked": SUM,
         "leaked_hidden": SUM, "ended": SUM, "unknown": SUM, "allocs": counts(KINDS), "classes": counts(CLASSES),
         "bulk_freed": number, "processes": many(PROCESS_TOTALS), "coverage": COVERAGE},
        {"earlier": EARLIER, "suppressed": SUM, "leaked_may_be_cached": number,
         "suppressions": many(Table({"pattern": text, "buffers": number, "bytes": number}))}),
}

PATH = many(number)
CHECKS = {
    "kernel": Table({"release": text, "uprobes": truth, "btf": truth, "attach": text, "preemption": words},
                    {"version": text, "lockdown": text, "modules": words, "seccomp": truth, "user_namespace": truth,
                     "unprivileged_bpf_disabled": integer, "perf_event_paranoid": integer,
                     "ptrace_scope": integer, "configuration": words}),
    "mode": Table({"options": words, "works": truth, "missing": many(one_of(PARTS))}, {"why": text, "advice": text, "log": text}),
    "privilege": Table({"ok": truth, "why": text}),
    "library": Table({"path": text, "build_id": text, "generation": number, "body_start": number,
                      "chip_stride": number, "vtable_device": hexadecimal, "vtable_mesh": hexadecimal,
                      "vtables_allocator": many(hexadecimal)}, {"stripped": truth}),
    "symbol": Table({"name": text, "found": truth},
                    {"signature": text, "mangled": text, "address": pointer, "state": text, "loss": text}),
    "field": Table({"class": text, "name": text, "found": truth, "path": PATH, "witnesses": number},
                   {"how": text, "loss": text}),
    "probe": Table({"function": text, "offset": number, "instruction": text, "emulated": truth,
                    "file_offset": pointer}, {"argument": number, "register": text}),
}


def check(line):
    """Raises Violation if @line, a decoded line of the output, is not as the contract wants it."""
    if type(line) is not dict or line.get("event") not in LINES:
        raise Violation("no such event")
    LINES[line["event"]].check(line)
    if line["event"] == "free" and (line["class"] == "matched") == ("why" in line):
        raise Violation("a free has a `why` unless it is matched")
    if line["event"] == "alloc_failed":
        unknown = line["fit"] == "unknown" or "largest_hole_per_bank" not in line
        if unknown != ("why_unknown" in line):
            raise Violation("a failure has a `why_unknown` if, and only if, something is unknown")
    if line["event"] == "alloc" and line["kind"] in ("owning", "system"):
        needed = ("address", "type", "devices")
        for name in needed if line.get("orphaned") else (*needed, "buffer", "layout"):
            if name not in line:
                raise Violation(f"an allocation without '{name}'")
        if "mesh" not in line and len(line["devices"]) != 1:
            raise Violation("an allocation that is neither of a mesh nor of a chip of its own")
    if line["event"] == "summary" and not line["interval"]:
        for process in line["processes"]:
            if "chips" not in process:
                raise Violation("a report without the totals of its chips")


def check_check(line):
    """The same of a line of --check -j."""
    if type(line) is not dict or line.get("event") != "check" or line.get("item") not in CHECKS:
        raise Violation("no such item")
    if type(line.get("ts_ns")) is not int:
        raise Violation("a line without its time")
    rest = {name: value for name, value in line.items() if name not in ("event", "item", "ts_ns")}
    CHECKS[line["item"]].check(rest)
