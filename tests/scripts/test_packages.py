# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
What `make dist`, `make install` and `make deb` make. That it works on other systems is tested by
tests/packages.
"""

import json
import re
import subprocess
import tarfile

import pytest

from support import standin as support, tttrace
from support.roots import Root, make
from support.runtime import ROOT
from support.standin import Standin

MOST_BYTES = 12 << 20  # of the binary
SCRIPT = """
    wait begin
    open m 1
    alloc a m DRAM 65536 2048
    alloc b m L1 4096 1024
    free a
    close m
"""


def options_in(help_text):
    """The options that a --help lists: {"--pid", "-p", …}."""
    return {option for line in help_text.splitlines() if re.match(r"  +-", line)
            for option in re.findall(r"(?:^|[ ,])(--?[A-Za-z?][a-z-]*)", line[:26])}


def findings(text):
    """What --check -j says of a library, without the time."""
    lines = map(json.loads, text.splitlines())
    return [{**line, "ts_ns": 0} for line in lines if line["item"] in ("symbol", "field", "probe")]


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """The archive of `make dist`, unpacked."""
    make("dist")
    version = tttrace.plain("--version")[1].split()[1]
    name = f"tttrace-{version}-x86_64"
    directory = tmp_path_factory.mktemp("dist")
    with tarfile.open(ROOT / f"build/{name}.tar.gz") as file:
        assert all(one.uid == 0 and one.name.split("/")[0] == name for one in file)
        file.extractall(directory)
    return directory / name


@pytest.fixture
def empty(archive, tmp_path):
    """A root that holds nothing but the binary."""
    root = Root(tmp_path / "root", mounts=[])
    root.copy(archive / "tttrace", "/tttrace")
    return root


# --- make dist -----------------------------------------------------------------------------------

def test_the_archive_holds_the_binary_with_its_licences_and_manual(archive):
    for name in ("README.md", "LICENSE", "tttrace.1", "LICENSES/GPL-2.0-only.txt",
                 "LICENSES/BSD-2-Clause.txt", "LICENSES/linked/libdw-dev"):
        assert (archive / name).stat().st_size, name


def test_the_binary_needs_no_library_and_is_not_too_large(archive):
    for binary in (archive / "tttrace", ROOT / "build-static/tttrace"):
        assert binary.stat().st_size <= MOST_BYTES
        headers = subprocess.run(["readelf", "-lW", binary], capture_output=True, text=True, check=True).stdout
        assert "INTERP" not in headers and "DYNAMIC" not in headers


def test_in_an_empty_root_it_tells_its_version_and_options(empty):
    assert empty.must("/tttrace", "--version") == tttrace.plain("--version")[1]
    assert empty.must("/tttrace", "--help") == tttrace.plain("--help")[1]
    assert "OLD NEW" in empty.must("/tttrace", "diff", "--help")


def test_in_an_empty_root_it_checks_a_library(empty):
    library = Standin("gen3").library
    empty.copy(library, "/libtt_metal.so")
    status, out, err = empty.run("/tttrace", "--check", "-j", "/libtt_metal.so", mounts=["proc", "/sys"])
    assert status == 0, err
    found, here = (findings(text) for text in (out, tttrace.plain("--check", "-j", library)[1]))
    assert found == here and len(found) > 50


def test_in_an_empty_root_it_traces_a_command(empty):
    gen3 = Standin("gen3")
    empty.copy_program(gen3.driver)
    empty.copy_program(gen3.library)
    within = empty.within(["proc", "/sys", tttrace.OUTPUTS.name])
    trace = gen3.run(gen3.command(SCRIPT), within=within, binary="/tttrace")
    support.probed(trace)
    trace.tell()
    result = support.finish(trace)
    assert [leak["size"] for leak in result.of("leak")] == [4096]
    stacks = result.summary["coverage"]["stacks"]
    assert stacks["complete"] and not stacks["missing"], stacks


def test_from_an_empty_root_it_traces_a_process_outside_of_it(empty):
    gen3 = Standin("gen3")
    driver = gen3.start(SCRIPT)
    within = empty.within(["/proc", "/sys", tttrace.OUTPUTS.name])
    trace = gen3.attach(driver, within=within, binary="/tttrace")
    driver.tell()
    assert driver.wait() == 0
    result = trace.finish()
    support.compare(result, support.expected(driver))
    assert [leak["size"] for leak in result.of("leak")] == [4096]


# --- make install --------------------------------------------------------------------------------

def test_install_puts_files_below_destdir_and_uninstall_removes_them(tmp_path):
    destination = tmp_path / "a directory"
    make("install", f"DESTDIR={destination}", "PREFIX=/opt/it")
    files = {str(path.relative_to(destination)) for path in destination.rglob("*") if path.is_file()}
    assert files == {"opt/it/bin/tttrace", "opt/it/share/man/man1/tttrace.1",
                     "opt/it/share/doc/tttrace/README.md", "opt/it/share/doc/tttrace/LICENSE"}
    status = subprocess.run([destination / "opt/it/bin/tttrace", "--version"], capture_output=True, check=False)
    assert status.returncode == 0
    make("uninstall", f"DESTDIR={destination}", "PREFIX=/opt/it")
    assert not [path for path in destination.rglob("*") if not path.is_dir()]
    assert not (destination / "opt/it/share/doc/tttrace").exists()


# --- make deb ------------------------------------------------------------------------------------

@pytest.mark.timeout(300)
def test_the_package_is_built_and_lintian_finds_nothing():
    make("deb")
    changes, = (ROOT / "build/deb").glob("tttrace_*.changes")
    done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", changes],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stdout, done.stdout + done.stderr
    package, = (ROOT / "build/deb").glob("tttrace_*.deb")
    files = subprocess.run(["dpkg-deb", "-c", package], capture_output=True, text=True, check=True).stdout
    for name in ("usr/bin/tttrace", "usr/share/man/man1/tttrace.1.gz", "usr/share/doc/tttrace/copyright"):
        assert f" ./{name}\n" in files


def test_the_package_has_the_version_of_the_program():
    changelog = (ROOT / "debian/changelog").read_text()
    assert re.match(r"tttrace \((.*?)\)", changelog)[1] == tttrace.plain("--version")[1].split()[1]


# --- the manual ----------------------------------------------------------------------------------

@pytest.mark.parametrize("words", [(), ("diff",)], ids=["tttrace", "diff"])
def test_the_manual_has_every_option_that_help_has(words):
    page = manual()
    missing = {option for option in options_in(tttrace.plain(*words, "--help")[1])
               if not re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", page)}
    assert not missing


def test_the_manual_has_no_option_that_help_does_not_have():
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", manual()))
    assert not named - options_in(tttrace.plain("--help")[1]) - options_in(tttrace.plain("diff", "--help")[1])


def test_the_manual_is_well_formed():
    done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", ROOT / "docs/tttrace.1"],
                          env={"PATH": "/usr/bin:/bin", "MANROFFSEQ": "", "MANWIDTH": "80"},
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr


def manual():
    """Its text, one line, as a terminal shows it."""
    done = subprocess.run(["man", "-E", "ascii", "-l", ROOT / "docs/tttrace.1"],
                          env={"PATH": "/usr/bin:/bin", "MANWIDTH": "1000", "MAN_KEEP_FORMATTING": ""},
                          capture_output=True, text=True, check=True)
    return done.stdout
