# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
The names of functions in stacks: of libraries that were stripped, with a debug file and without, that
were replaced or deleted while they were mapped, of processes that have ended, and names by which
somebody means harm.
"""

import os
import signal

from support.processes import Process
from support.stacks import (SOURCES, WAYS, attach, build, build_ways, callers, command, finish, of_library, places,
                            report, start, tool, trace)

OUTER = WAYS["outer"]
WRONG = ["-O2", "-Dinner=wrong_inner", "-Dmiddle=wrong_middle"]  # the same code, other names


def strip(library, *options):
    tool("strip", "--strip-all", *options, library)
    return library


def keep_debug(library, to):
    """Strips it; the debug file, to which it has a link, goes to the directory @to."""
    debug = library.parent / "libways.so.debug"
    tool("objcopy", "--only-keep-debug", library, debug)
    strip(library)
    tool("objcopy", f"--add-gnu-debuglink={debug}", library)
    to.mkdir(exist_ok=True)
    debug.rename(to / debug.name)
    return library


# --- stripped ------------------------------------------------------------------------------------

def test_of_a_stripped_library_only_what_it_exports_has_a_name(tmp_path):
    library = strip(build_ways(tmp_path))
    [known], [(frames, end)], _ = trace(library, "outer")
    assert end == "complete" and places(callers(frames)) == known
    inner, middle, outer = callers(frames)[:3]
    assert outer["function"] == "outer"
    assert all("function" not in frame and "offset" not in frame for frame in (inner, middle))


def test_in_the_report_such_a_frame_is_shown_as_its_place(tmp_path):
    library = strip(build_ways(tmp_path))
    lines = report(tmp_path / "report", library, "outer").decode().splitlines()
    at = lines.index("          outer  [libways.so]")
    for line in lines[at - 2:at]:
        assert line.startswith("          [libways.so+0x") and int(line.strip()[len("[libways.so+"):-1], 16)
    assert lines[at - 3] == "          allocate  [frames]"


def test_its_debug_file_has_the_names(tmp_path):
    library = keep_debug(build_ways(tmp_path), tmp_path)
    [known], [(frames, end)], _ = trace(library, "outer")
    assert end == "complete" and places(callers(frames)) == known
    assert of_library(frames) == OUTER


def test_a_debug_file_of_another_build_has_not(tmp_path):
    library = keep_debug(build_ways(tmp_path / "right"), tmp_path / "unused")
    keep_debug(build_ways(tmp_path / "wrong", *WRONG), tmp_path / "right")
    _, [(frames, _)], _ = trace(library, "outer")
    assert of_library(frames) == [None, None, "outer"]


def test_a_debug_file_is_looked_for_where_the_process_sees_it(tmp_path):
    """In its own mount namespace: here there is none in that place."""
    library = keep_debug(build_ways(tmp_path), tmp_path / "store")
    (tmp_path / ".debug").mkdir()
    _, [(frames, _)], _ = trace(library, "outer")
    assert of_library(frames) == [None, None, "outer"]
    inside = ["unshare", "--mount", "sh", "-c", f"mount --bind {tmp_path}/store {tmp_path}/.debug && exec \"$@\"", "sh"]
    _, [(frames, end)], _ = trace(library, "outer", before=inside)
    assert of_library(frames) == OUTER and end == "complete"


# --- gone ----------------------------------------------------------------------------------------

def begin(library, *ways):
    process = Process(command(library, "wait", *ways))
    process.hear()
    return process


def seen_after(process):
    trace_of_it = attach(process)
    process.tell()
    [known], [(frames, end)], _ = finish(trace_of_it, process)
    assert end == "complete" and places(callers(frames)) == known
    return of_library(frames)


def test_a_library_that_was_replaced_while_it_was_mapped_has_its_own_names(tmp_path):
    library = build_ways(tmp_path)
    process = begin(library, "outer")
    os.rename(build_ways(tmp_path / "new", *WRONG), library)
    assert seen_after(process) == OUTER


def test_a_library_that_was_deleted_while_it_was_mapped_has_its_names(tmp_path):
    library = build_ways(tmp_path)
    process = begin(library, "outer")
    library.unlink()
    assert seen_after(process) == OUTER


def test_of_two_libraries_of_one_name_each_process_has_its_own(tmp_path):
    library = build_ways(tmp_path)
    old = begin(library, "outer")
    os.rename(build_ways(tmp_path / "new", *WRONG), library)
    new = begin(library, "outer")
    both = attach(old)
    assert seen_after(new) == ["wrong_inner", "wrong_middle", "outer"]
    old.tell()
    _, [(frames, _)], _ = finish(both, old)
    assert of_library(frames) == OUTER


def test_the_debug_file_of_what_has_replaced_a_library_is_not_taken_for_its(tmp_path):
    """Both have a link to a file of that name."""
    library = keep_debug(build_ways(tmp_path), tmp_path / "unused")
    process = begin(library, "outer")
    os.rename(keep_debug(build_ways(tmp_path / "new", *WRONG), tmp_path), library)
    assert seen_after(process) == [None, None, "outer"]


def test_a_process_that_has_ended_before_its_stacks_are_read_has_its_names(tmp_path):
    library = build_ways(tmp_path)
    process = begin(library, *WAYS)
    held = attach(process)
    held.signal(signal.SIGSTOP)
    process.tell()
    assert process.wait() == 0
    os.rename(build_ways(tmp_path / "new", *WRONG), library)
    held.signal(signal.SIGCONT)
    known, seen, _ = finish(held, process)
    for way, ours, (frames, end) in zip(WAYS, known, seen):
        assert end == "complete" and places(callers(frames)) == ours, way
        assert of_library(frames) == WAYS[way], way


# --- hostile -------------------------------------------------------------------------------------

def explosive():
    """Mangled; each argument is twice as long as the one before, the last 2^60 letters."""
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    numbers = [(digits[n // 36] if n >= 36 else "") + digits[n % 36] for n in range(1, 60)]
    return "_Z1fI1AIiiE" + "".join(f"S0_IS{n}_S{n}_E" for n in numbers) + "Evv"


# as they stand in the file, and as they may be shown: longer ones are cut
NAMES = [
    (b"\x1b[31mred\x1b]0;title\x07\x1b[2J", "\ufffd[31mred\ufffd]0;title\ufffd\ufffd[2J"),
    (b"line\nbreak\rreturn\ttab\x08\x7f", "line\ufffdbreak\ufffdreturn\ufffdtab\ufffd\ufffd"),
    (b"quotes\"'`\\u0022\\", "quotes\"'`\\u0022\\"),
    (b"semi;colon|$(reboot)&", "semi;colon|$(reboot)&"),
    (b"\xff\xfe\x80invalid\xc3", "\ufffd\ufffd\ufffdinvalid\ufffd"),
    (b"\xc2\x9b31mC1\xed\xa0\x80", "\ufffd\ufffd31mC1\ufffd\ufffd\ufffd"),
    ("right\u202eleft\u2028line".encode(), "right\ufffd\ufffd\ufffdleft\ufffd\ufffd\ufffdline"),
    (b"%s%n%999999999d", "%s%n%999999999d"),
    (b"    ", "    "),
    (b"<" * 500 + b">", "<" * 500 + ">"),
    (b"A" * 65536, "A" * 65536),
    (b"\x1b" * 65536, "\ufffd" * 65536),
    (b"_ZN" + b"1a" * 32768 + b"E", ""),
    (b"_Z" + b"P" * 60000 + b"i", "_Z" + "P" * 60000),
    (b"_ZN99999999999999999999x", "_ZN99999999999999999999x"),
    (explosive().encode(), "f<A<int, int>, A<A<int, int>, A<int, int> >, "),
]
LONGEST = 1024  # bytes of a name that are shown
FILE_NAME = "lib\x1b[2J\n\"evil\";\u202e.so"
SHOWN_FILE = "lib\ufffd[2J\\012\"evil\";\ufffd\ufffd\ufffd.so"  # the kernel itself writes \012


def placeholder(number, size):
    return f"P{number:02}".ljust(size, "_").encode()


def build_hostile(directory):
    """Each function calls the next one; the first is the innermost."""
    text = "typedef void (*act_fn)(void);\nstatic volatile int sink;\n"
    body = "act()"
    for number, (name, _) in enumerate(NAMES):
        held = placeholder(number, len(name)).decode()
        text += f'static __attribute__((noipa)) void f{number}(act_fn act) __asm__("{held}");\n'
        text += f"static __attribute__((noipa)) void f{number}(act_fn act)\n{{\n{body};\nsink++;\n}}\n"
        body = f"f{number}(act)"
    source = directory / "hostile.c"
    source.write_text(text + f"void hostile(act_fn act)\n{{\n{body};\nsink++;\n}}\n")
    made = build(source, directory / "hostile.so")
    binary = made.read_bytes()
    for number, (name, _) in enumerate(NAMES):
        held = b"\0" + placeholder(number, len(name)) + b"\0"
        assert binary.count(held) == 1
        binary = binary.replace(held, b"\0" + name + b"\0")
    library = directory / FILE_NAME
    library.write_bytes(binary)
    return library


def assert_shown(text, wanted):
    """All of it, or as much as there is room for."""
    if wanted and len(wanted.encode()) < LONGEST // 2:
        assert text.startswith(wanted)
    else:
        assert text.startswith(wanted[:LONGEST // 8]) and len(text.encode()) < LONGEST


def test_in_json_names_stay_what_they_are_names(tmp_path):
    _, [(frames, end)], result = trace(build_hostile(tmp_path), "hostile")
    assert end == "complete"
    own = [frame for frame in frames if frame["image"].endswith(".so") and "evil" in frame["image"]]
    assert len(own) == len(NAMES) + 1 and own[-1]["function"] == "hostile"
    for frame, (_, wanted) in zip(own, NAMES):
        assert_shown(frame["function"], wanted)
        assert frame["function"].isprintable()
        assert os.path.basename(frame["image"]) == SHOWN_FILE
    leak = result.of("leak", kind="owning")[0]
    assert len(str(leak)) < 100 * LONGEST


def test_in_the_report_nothing_is_left_that_a_terminal_obeys(tmp_path):
    raw = report(tmp_path / "report", build_hostile(tmp_path), "hostile")
    text = raw.decode()  # it is UTF-8
    assert all(char == "\n" or char.isprintable() for char in text)
    lines = text.split("\n")
    # what is live is also what there was at the peak: both show it
    own = [line for line in lines[:lines.index("    at the peak of DRAM:")] if line.endswith(f"  [{SHOWN_FILE}]")]
    assert len(own) == len(NAMES) + 1 and max(map(len, lines)) < 2 * LONGEST
    at = lines.index(own[0])
    assert lines[at:at + len(own)] == own, "one line each"
    for line, (_, wanted) in zip(own, NAMES):
        assert "<" in wanted or line.startswith(f"          {wanted[:30]}")


def test_where_symbols_make_no_sense_what_is_exported_has_a_name_all_the_same(tmp_path):
    """The last of the strings of .symtab has no end."""
    library = build_ways(tmp_path)
    binary = bytearray(library.read_bytes())
    last = binary.index(b"\0\0", binary.index(b"\0middle\0"))
    binary[last] = ord("x")
    library.write_bytes(binary)
    [known], [(frames, end)], _ = trace(library, "outer")
    assert end == "complete" and places(callers(frames)) == known
    assert of_library(frames) == [None, None, "outer"]
