# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""A runtime without symbols, part of another file, is not denied: it is known by its type names."""

import pytest

from support import schema, tttrace
from support.processes import Process
from support.standin import DIRECTORY, Standin, finish, probed

LIBRARIES = ("gen2-stripped", "gen3-stripped")
LIFE = ["open m 1", "alloc b m DRAM 65536 2048", "free b", "close m"]
WITHOUT = "holds the runtime without its symbols"


@pytest.fixture(params=[*LIBRARIES, "ttdriver-stripped"])
def stripped(request):
    """The file, and the command that uses it."""
    if request.param in LIBRARIES:
        library = DIRECTORY / request.param / "libtt_metal.so"
        return library, [DIRECTORY / "ttdriver", "-l", library]
    return DIRECTORY / request.param, [DIRECTORY / request.param]


@pytest.fixture
def running(stripped):
    """A process that uses it, until it is told to go on."""
    path, command = stripped
    process = Process([*command, *LIFE[:2], "wait", *LIFE[2:]])
    process.stdout.wait_for(lambda line: '"sync"' in line)
    yield process
    process.end()


def judge(path, status, out, err):
    """It was seen, and what it did is not known."""
    summary = tttrace.parse(out + "\n")[-1]
    coverage = summary["coverage"]
    assert [one["path"] for one in coverage["untraced"]] == [str(path)]
    assert WITHOUT in coverage["untraced"][0]["why"] and not coverage["complete"]
    assert f"'{path}'" in err and WITHOUT in err
    assert status == 4
    for denial in ("did not use", "no process used", "uses no", "maps no", "is not a"):
        assert denial not in err, "it is denied"


def test_a_look_at_the_file_says_so(stripped):
    path, _ = stripped
    status, out, err = tttrace.plain("--check", path)
    assert status == 3 and f"'{path}' cannot be traced: it {WITHOUT}" in err
    assert "without symbols" in out and "type names" in out
    status, out, err = tttrace.plain("--check", "-j", path)
    lines = tttrace.parse(out + "\n", schema.check_check)
    assert [line["stripped"] for line in lines if line.get("item") == "library"] == [True]
    assert status == 3 and WITHOUT in err


def test_a_look_at_a_process_says_so(stripped, running):
    status, out, err = tttrace.plain("--check", running.pid)
    assert status == 3 and f"'{stripped[0]}' cannot be traced: it {WITHOUT}" in err
    assert str(stripped[0]) in out and "maps no" not in err


def test_a_command_that_uses_it_is_not_traced(stripped):
    path, command = stripped
    status, out, err = tttrace.plain("-j", "--", *command, "-o", "/dev/null", *LIFE)
    judge(path, status, out, err)


def test_the_report_says_so_too(stripped):
    path, command = stripped
    status, out, _ = tttrace.plain("-q", "--", *command, "-o", "/dev/null", *LIFE)
    assert f"NOT TRACED: '{path}'" in out and WITHOUT in out and "THE DATA IS INCOMPLETE" in out
    assert status == 4


@pytest.mark.parametrize("options", [["-p"], []], ids=["pid", "all"])
def test_a_process_that_uses_it_is_not_traced(stripped, running, options):
    trace = Process([tttrace.BINARY, "-j", *options, *([running.pid] if options else [])])
    trace.stderr.wait_for(lambda line: f"'{stripped[0]}' of process '{running.pid}' is not traced" in line)
    trace.stderr.wait_for(lambda line: "Ctrl-C ends it" in line)
    trace.signal(2)
    status = trace.wait()
    judge(stripped[0], status, trace.stdout.all(), trace.stderr.all())


def test_what_was_stripped_is_told_from_what_is_only_hidden():
    """A library that exports nothing of the runtime, but has its symbols, is traced as any other."""
    plugin = Standin("gen3")
    plugin.library = DIRECTORY / "gen3-plugin" / "libtt_metal.so"
    trace = plugin.begin("\n".join(LIFE))
    trace.tell()
    finish(trace)


@pytest.mark.parametrize("text", ["N2tt8tt_metal9allocator11FreeListOptE", "_ZTSN2tt8tt_metal9allocator11FreeListOptE"])
def test_a_library_that_only_has_the_name_is_none(tmp_path, text):
    library = tmp_path / "lib.so"
    source = tmp_path / "lib.cpp"
    source.write_text(f'#include <string>\nextern const char *const name;\nconst char *const name = "{text}";\n'
                      "int f(int n) { try { std::string s(name); return s.at(n); } catch (...) { return 0; } }\n")
    Process(["g++", "-shared", "-fPIC", source, "-o", library]).wait()
    status, _, err = tttrace.plain("--check", library)
    assert status == 3 and "is not a Tenstorrent runtime" in err


CLASS = """
namespace tt::tt_metal::allocator {
struct Algorithm { virtual ~Algorithm() = default; };
struct FreeListOpt : Algorithm { int *all; FreeListOpt(); ~FreeListOpt() override; };
FreeListOpt::FreeListOpt() : all(new int[100]) {}
FreeListOpt::~FreeListOpt() { delete[] all; }
}
int main(int argc, char **) { try { return !new tt::tt_metal::allocator::FreeListOpt[argc]; } catch (...) { return 1; } }
"""
WAYS = {"library": ["-shared", "-fPIC"], "packed": ["-shared", "-fPIC", "-Wl,-z,pack-relative-relocs"],
        "pie": ["-pie"], "no_pie": ["-no-pie", "-fno-pie"], "static": ["-static"], "static_pie": ["-static-pie"],
        "one_segment": ["-no-pie", "-fno-pie", "-Wl,-z,noseparate-code"]}


@pytest.mark.parametrize("way", WAYS)
def test_it_is_known_however_it_was_linked(tmp_path, way):
    source, path = tmp_path / "source.cpp", tmp_path / "binary"
    source.write_text(CLASS)
    assert Process(["g++", "-O2", "-s", *WAYS[way], source, "-o", path]).wait() == 0
    status, _, err = tttrace.plain("--check", path)
    assert status == 3 and WITHOUT in err


def test_it_is_known_without_section_headers(tmp_path):
    path = tmp_path / "lib.so"
    data = bytearray((DIRECTORY / "gen3-stripped" / "libtt_metal.so").read_bytes())
    data[0x28:0x30], data[0x3c:0x40] = bytes(8), bytes(4)  # e_shoff, e_shnum, e_shstrndx
    path.write_bytes(data)
    status, _, err = tttrace.plain("--check", path)
    assert status == 3 and WITHOUT in err


# --- what can be had of it ------------------------------------------------------------------------

SCRIPTS = {
    "one": ["open m 1", "alloc a m DRAM 65536 2048"],
    "many": ["open m 4", "alloc a m DRAM 65536 2048", "alloc b m L1 4096 1024", "alloc c m DRAM 10000 1000",
             "alloc d m L1_SMALL 512 512", "alloc e m L1 6144 2048 height=3", "alloc f m DRAM 4096 4096", "free a"],
    "meshes": ["open m 2", "open n 3 first=2", "alloc a m DRAM 65536 2048", "alloc b n L1 4096 1024", "alloc c n DRAM 8192 1024"],
    "again": ["open m 2", "alloc a m DRAM 65536 2048", "close m", "open n 2", "alloc b n DRAM 32768 2048"],
    "nothing": ["open m 2", "alloc a m DRAM 65536 2048", "free a"],
    "closed": ["open m 2", "close m"],
    "submesh": ["open m 4", "submesh s m 1 2", "alloc a m DRAM 65536 2048", "alloc b s DRAM 8192 1024"],
}
# what the objects do not tell: the number of a Buffer, whether a device is being opened
UNKNOWN = {"id", "ts_ns", "pid", "tid", "comm", "alloc_ts_ns", "buffer"}


def looked_at(driver, library, script):
    process = Process([driver, *(["-l", library] if library else []), *script, "wait"])
    process.stdout.wait_for(lambda line: '"sync"' in line)
    status, out, err = tttrace.plain("-j", "--snapshot", process.pid)
    text_status, text, _ = tttrace.plain("--snapshot", process.pid)
    process.end()
    assert status == text_status, err
    lines = tttrace.parse(out + "\n")
    allocs = [{name: value for name, value in line.items() if name not in UNKNOWN}
              for line in lines if line["event"] == "alloc"]
    return status, sorted(allocs, key=str), lines[-1], [line for line in text.splitlines() if " banks" in line], err


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("build", ["gen2", "gen3", "linked"])
def test_a_snapshot_is_that_of_a_runtime_with_symbols(build, script):
    if build == "linked":
        whole = looked_at(DIRECTORY / "ttdriver-linked", None, SCRIPTS[script])
        bare = looked_at(DIRECTORY / "ttdriver-stripped", None, SCRIPTS[script])
    else:
        driver = DIRECTORY / "ttdriver"
        whole = looked_at(driver, DIRECTORY / build / "libtt_metal.so", SCRIPTS[script])
        bare = looked_at(driver, DIRECTORY / f"{build}-stripped" / "libtt_metal.so", SCRIPTS[script])
    assert whole[0] == 0 and bare[0] == 0, bare[4]
    assert bare[1] == whole[1]
    for name in ("live", "peak"):
        assert bare[2].get(name) == whole[2].get(name)
    assert bare[3] == whole[3] or script in ("nothing", "closed")
    assert bare[2]["coverage"]["complete"] and "untraced" not in bare[2]["coverage"]
