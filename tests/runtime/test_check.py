# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""--check says what would work here: of the machine, a library, a process."""

import os
import shutil

from support import schema, tttrace


def checked(*words, run=tttrace.plain):
    """The items of --check -j, by kind."""
    status, out, err = run(*words)
    items = {}
    for line in tttrace.parse(out + "\n", schema.check_check):
        items.setdefault(line["item"], []).append(line)
    return status, items, err


def test_without_privileges_a_library_can_be_checked(newest, public_binary):
    library = shutil.copy(newest.library, public_binary.parent)
    os.chmod(library, 0o644)
    status, items, _ = checked(public_binary, "-j", "--check", library, run=tttrace.as_nobody)
    assert status == 0
    assert len(items["probe"]) >= 19
    assert all(field["found"] for field in items["field"])


def test_check_names_what_it_would_use_of_a_library(real):
    status, items, err = checked("-j", "--check", real.library)
    assert status == 0 and not err
    assert items["library"][0]["generation"] == real.generation
    assert len({symbol["name"] for symbol in items["symbol"] if symbol["found"]}) >= 19
    assert all(field["found"] and field["path"] for field in items["field"])
    stepped = {probe["function"] for probe in items["probe"] if not probe["emulated"]}
    assert stepped == {"Buffer::create (where the size is 0)"}  # few pass it


def test_check_of_a_process_is_of_its_library(newest):
    program = newest.start("ask()")
    program.hear()
    status, items, _ = checked("-j", "--check", program.pid)
    program.tell()
    assert program.wait() == 0
    assert status == 0
    assert items["library"][0]["path"].endswith("libtt_metal.so")


def test_check_of_a_file_that_is_no_library_says_so(tmp_path):
    (tmp_path / "no.so").write_text("nothing")
    status, _, err = tttrace.plain("--check", tmp_path / "no.so")
    assert status not in (0, 139, 134)
    assert "no.so" in err
