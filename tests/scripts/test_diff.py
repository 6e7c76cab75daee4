# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
`tttrace diff`: two results go in, what has changed comes out. Nothing is traced, so that the results
are written here; tests/golden/diff has a pair of them, and what is to be said of it.
"""

import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from support.tttrace import BINARY

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "diff"
NOTHING = {"live": 0, "live_buffers": 0, "at_peak": 0, "at_peak_buffers": 0, "leaked": 0,
           "leaked_buffers": 0, "allocated": 0, "allocations": 0, "temporary": 0}


def native(function, image="/venv/ttnn/_ttnncpp.so", vaddr=0x1000, offset=4):
    named = {"function": function, "offset": offset} if function else {}
    return {**named, "image": image, "vaddr": hex(vaddr)}


def python(function, file="model.py", line=5):
    return {"function": function, "file": file, "line": line}


class Result:
    """A result of tttrace -j, as it grows."""

    def __init__(self, path, first_id=1):
        self.path = path
        self.lines = []
        self.next_id = first_id

    def put(self, event, **fields):
        self.lines.append({"event": event, "ts_ns": len(self.lines), **fields})

    def stack(self, *frames, op="ttnn::add", owner="tensor"):
        self.next_id += 1
        self.put("stack", stack_id=self.next_id, stack_end="complete", op=op, owner=owner,
                 stack=list(frames))
        return {"stack_id": self.next_id, "op": op, "owner": owner}

    def site(self, stack, pid=1, devices=(0,), type="DRAM", **sums):
        self.put("site", pid=pid, comm="python", mesh=0, devices=list(devices), type=type, **stack,
                 **{**NOTHING, **sums})

    def leak(self, op, size=64, buffers=1, **where):
        self.site(self.stack(native(op), python("forward"), op=op), leaked=size,
                  leaked_buffers=buffers, **where)

    def end(self, **coverage):
        self.put("summary", interval=False,
                 coverage={"complete": True, "stacks": {"complete": 1}, **coverage})
        return self.write()

    def write(self):
        self.path.write_text("".join(json.dumps(line) + "\n" for line in self.lines))
        return self.path


@pytest.fixture
def old(tmp_path):
    return Result(tmp_path / "old.ndjson")


@pytest.fixture
def new(tmp_path):
    return Result(tmp_path / "new.ndjson", first_id=1000)


def run(*words, cwd=None):
    return subprocess.run([BINARY, "diff", *words], capture_output=True, text=True, timeout=60, cwd=cwd)


def diff(*words, status=0, complaint=""):
    """What it says."""
    done = run(*words)
    assert done.returncode == status, done.stderr
    assert complaint in done.stderr
    assert bool(done.stderr) == bool(complaint), done.stderr
    return done.stdout


def verdict(*words, **expected):
    last = diff(*words, **expected).splitlines()[-1]
    assert last.startswith("DIFF: tttrace: ")
    return last.removeprefix("DIFF: tttrace: ")


def changes(*words, **expected):
    """What it says with -j: the changes, and the summary."""
    *lines, summary = map(json.loads, diff("-j", *words, **expected).splitlines())
    assert all(line["event"] == "diff" for line in lines)
    assert summary["event"] == "diff_summary" and summary["stacks_changed"] == len(lines)
    return lines, summary


def test_a_pair_of_results_gives_the_text_that_was_read_by_people():
    done = run("old.ndjson", "new.ndjson", cwd=GOLDEN)
    assert done.stdout == (GOLDEN / "expected.txt").read_text()
    assert not done.stderr and not done.returncode
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_the_same_pair_gives_the_json_that_is_promised():
    done = run("-j", "old.ndjson", "new.ndjson", cwd=GOLDEN)
    assert re.sub(r'"ts_ns":\d+,', "", done.stdout) == (GOLDEN / "expected.ndjson").read_text()
    assert not done.stderr and not done.returncode


def test_a_result_has_not_changed_against_itself():
    same = GOLDEN / "new.ndjson"
    assert verdict(same, same) == "no change: 144384 bytes leaked in 6 buffers"


def test_addresses_processes_and_lines_do_not_count(old, new):
    frames = [native("ttnn::add"), native(None, "/lib/libc.so.6", 7), python("forward")]
    other = [native("ttnn::add", "/elsewhere/_ttnncpp.so", 0x9000, 8), native(None, "/lib64/libc.so.6", 7),
             python("forward", "/home/a/model.py", 99)]
    old.site(old.stack(*frames), pid=1, leaked=64, leaked_buffers=2)
    new.site(new.stack(*other), pid=2, devices=[3], leaked=32, leaked_buffers=1)
    new.site(new.stack(*other), pid=3, leaked=32, leaked_buffers=1)
    assert verdict(old.end(), new.end()) == "no change: 64 bytes leaked in 2 buffers"


def test_a_new_leak_is_more_and_one_that_is_gone_less(old, new):
    old.leak("ttnn::add")
    new.leak("ttnn::add")
    new.leak("ttnn::mul", size=1000, buffers=5, devices=range(8))
    a, b = old.end(), new.end()
    assert verdict(a, b) == "8000 bytes more leaked in 5 buffers"
    assert verdict(b, a) == "8000 bytes less leaked in 5 buffers"
    (line,), summary = changes(a, b)
    assert (line["op"], line["old"], line["new"], line["change"]) == ("ttnn::mul", 0, 8000, 8000)
    assert (line["old_buffers"], line["new_buffers"]) == (0, 5)
    assert [frame["function"] for frame in line["stack"]] == ["ttnn::mul", "forward"]
    assert (summary["old"], summary["new"], summary["has_more"]) == (64, 8064, True)


def test_what_has_moved_from_one_operation_to_another_is_no_change_in_all(old, new):
    old.leak("ttnn::add")
    new.leak("ttnn::mul")
    a, b = old.end(), new.end()
    assert verdict(a, b) == "no change in all, but from place to place"
    lines, summary = changes(a, b)
    assert [(line["op"], line["change"]) for line in lines] == [("ttnn::add", -64), ("ttnn::mul", 64)]
    assert not summary["has_more"]


def test_the_measure_is_the_one_that_suits_or_that_is_asked_for(old, new):
    where = old.stack(native("a"))
    old.site(where, at_peak=10, at_peak_buffers=1, allocated=50, allocations=5)
    a = old.end()
    new.site(new.stack(native("a")), at_peak=20, at_peak_buffers=1, allocated=40, allocations=4)
    assert verdict(a, new.end()) == "10 bytes more at the peak in as many buffers"
    assert verdict(a, new.path, "--by", "allocated") == "10 bytes less allocated in 1 buffer"
    assert verdict("--by=leaked", a, new.path) == "no change: 0 bytes leaked in 0 buffers"
    new.lines.pop()
    new.site(new.stack(native("a")), live=7, live_buffers=1)
    assert verdict(a, new.end()) == "7 bytes more live in 1 buffer"


def test_the_exit_status_says_whether_the_new_one_has_more(old, new):
    old.leak("ttnn::add", size=64)
    new.leak("ttnn::add", size=65)
    a, b = old.end(), new.end()
    diff(a, b)
    diff(a, b, "--error-exitcode", "9", status=9)
    diff("-j", "--error-exitcode=9", a, b, status=9)
    diff(b, a, "--error-exitcode", "9")
    diff(a, a, "--error-exitcode", "9")


def test_the_largest_changes_are_shown_and_how_many_more_there_are(old, new):
    for number in range(30):
        new.leak(f"ttnn::op{number:02}", size=1 + number)
    old.leak("ttnn::add", 0, 0)
    text = diff(old.end(), new.end())
    assert text.count(" bytes (") == 10 and "... and 20 more" in text
    assert text.index("ttnn::op29") < text.index("ttnn::op20") and "ttnn::op19" not in text
    assert diff(old.path, new.path, "-T", "3").count(" bytes (") == 3
    assert "more (-T" not in diff(old.path, new.path, "-T", "30")


def test_a_cut_result_is_compared_with_a_warning(old, new):
    old.leak("ttnn::add")
    new.leak("ttnn::add")
    new.leak("ttnn::mul")
    new.write()
    text = new.path.read_text()
    new.path.write_text(text[:-20])
    cut = f"tttrace: warning: '{new.path}' was cut"
    assert verdict(old.end(), new.path, complaint=cut).startswith("no change")
    new.path.write_text("\n".join(text.splitlines()[:1]) + "\n")
    assert not diff(old.path, new.path, status=1, complaint=f"'{new.path}' was cut before it says")


def test_a_result_that_lost_something_is_compared_with_a_warning(old):
    old.leak("ttnn::add")
    old.end(complete=False)
    assert "no change" in diff(old.path, old.path, complaint=f"'{old.path}' is not complete")


def test_results_without_stacks_say_how_to_get_them(old, new):
    old.leak("ttnn::add")
    new.put("summary", interval=False, coverage={"complete": True})
    assert not diff(old.end(), new.write(), status=1,
                    complaint=f"no stacks in '{new.path}': trace again, with stacks")


def test_a_program_that_took_nothing_can_be_compared(old, new):
    new.leak("ttnn::add")
    assert verdict(old.end(), new.end()) == "64 bytes more leaked in 1 buffer"


@pytest.mark.parametrize("text, line, why", [
    ("hello\n", 1, "it is not JSON, one object a line"),
    ('{"event":"a"}\n\n[1]\n', 3, "it is not a JSON object"),
    ('{"event":"a"}\n{"a":1}\n', 2, "it has no 'event'"),
    ('{"event":"site","stack_id":5}\n', 1, "stack 5 is not in any line before"),
    ('{"event":"site","leaked":"5"}\n', 1, "'leaked' is not a number from 0 to"),
])
def test_what_is_no_result_is_named_with_its_line(tmp_path, text, line, why):
    path = tmp_path / "a"
    path.write_text(text)
    assert not diff(path, path, status=1, complaint=f"tttrace: '{path}', line {line}: {why}")


def test_two_results_in_one_file_are_not_taken_for_one(old):
    old.leak("ttnn::add")
    text = old.end().read_text()
    old.path.write_text(text + text)
    assert not diff(old.path, old.path, status=1, complaint="several results")


def test_files_that_cannot_be_read_are_named(tmp_path):
    assert not diff("/nowhere", "/nowhere", status=1, complaint="'/nowhere': No such file")
    assert not diff(tmp_path, tmp_path, status=1, complaint="Is a directory")
    assert not diff("/dev/null", "/dev/null", status=1, complaint="'/dev/null' is empty")
    assert not diff("/dev/zero", "/dev/zero", status=1, complaint="longer than 64 MiB")


def test_names_cannot_command_a_terminal(old, new):
    evil = "\x1b[2Jttnn\u009b\n<\x07>" + "x" * 3000
    new.site(new.stack(native(evil, evil), python(evil, evil), op=evil, owner=evil), leaked=1,
             leaked_buffers=1, type=evil)
    text = diff(old.end(), new.end())
    json_text = diff("-j", old.path, new.path)
    for char in "\x1b\x07\u009b":
        assert char not in text and char not in json_text
    assert json.loads(json_text.splitlines()[0])["old"] == 0


def test_wrong_usage_says_what_is_right(old):
    a = old.end()
    diff(status=2, complaint="two results are needed")
    diff(a, status=2, complaint="two results are needed")
    diff(a, a, a, status=2, complaint="one too many")
    diff(a, a, "--by", "size", status=2, complaint="'size' will not do")
    diff(a, a, "-T", "0", status=2, complaint="'0' will not do")
    diff(a, a, "--error-exitcode", "256", status=2, complaint="out of range")
    diff(a, a, "--sideways", status=2, complaint="--sideways")
    assert "Usage: tttrace diff [OPTION...] OLD NEW" in diff("--help")


def test_a_command_of_that_name_can_still_be_traced(tmp_path):
    (tmp_path / "diff").write_text("#!/bin/sh\nexit 77\n")
    (tmp_path / "diff").chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run([BINARY, "-q", "--", "diff", "a"], capture_output=True, text=True, timeout=60,
                          env=env)
    assert done.returncode == 77, done.stderr


def test_it_needs_no_privileges(public_binary, old):
    old.path = public_binary.parent / "old.ndjson"
    old.leak("ttnn::add")
    old.end().chmod(0o644)
    done = subprocess.run([public_binary, "diff", old.path, old.path], user="nobody", text=True,
                          capture_output=True, timeout=60)
    assert not done.returncode and not done.stderr and "no change" in done.stdout


def test_what_cannot_be_written_is_an_error(old):
    old.leak("ttnn::add")
    old.end()
    with open("/dev/full", "w", encoding="utf-8") as full:
        for words in ([], ["-j"]):
            done = subprocess.run([BINARY, "diff", *words, old.path, old.path], stdout=full, text=True,
                                  stderr=subprocess.PIPE, timeout=60)
            assert done.returncode == 1
            assert "cannot write the comparison to stdout: No space left" in done.stderr


def test_many_sites_take_seconds_at_most(old, new):
    for result in (old, new):
        frames = [native(f"tt::tt_metal::f{number}") for number in range(40)]
        for number in range(10000):
            where = result.stack(*frames, native(f"f{number}"), op=f"ttnn::op{number % 100}")
            result.site(where, leaked=number, leaked_buffers=1)
    new.leak("ttnn::add", 1000000)
    a, b = old.end(), new.end()
    begin = time.monotonic()
    assert verdict(a, b) == "1000000 bytes more leaked in 1 buffer"
    assert time.monotonic() - begin < 20
