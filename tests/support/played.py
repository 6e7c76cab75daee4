# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Commands that are played, for the scripts that call them."""

import os


def play(commands, directory, monkeypatch):
    """Puts @commands, {name: its sh}, first in PATH. They keep their state in @directory, their $STATE."""
    place = directory / "bin"
    place.mkdir()
    for name, text in commands.items():
        (place / name).write_text(f"#!/bin/sh\n{text}")
        (place / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")
    monkeypatch.setenv("STATE", str(directory))
