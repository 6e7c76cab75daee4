# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Which tools the Makefile takes, among those that a system has."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ["make", "sh", "uname", "pkg-config"]


@pytest.mark.parametrize("there, taken", [
    (["clang-19", "clang-16", "llvm-strip-16"], "-16"),
    (["clang-19", "llvm-strip-19", "clang-16", "llvm-strip-16"], "-19"),
    (["clang-19", "clang", "llvm-strip"], ""),
], ids=["no llvm-19", "two", "unversioned"])
def test_a_clang_without_its_llvm_strip_is_passed_over(tmp_path, there, taken):
    """Debian 12 has clang-19 among what the tests need, without the package llvm-19."""
    for name in NEEDED:
        (tmp_path / name).symlink_to(shutil.which(name))
    for name in there:
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    said = subprocess.run(["make", "-n", "-W", "bpf/tttrace.bpf.c", "build/tttrace.bpf.o"], cwd=ROOT,
                          env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=True).stdout
    words = said.split()
    assert f"clang{taken}" in words and f"llvm-strip{taken}" in words
