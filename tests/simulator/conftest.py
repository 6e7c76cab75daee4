# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
What mocked devices do not show, on the vendor's simulator: kernel binaries, traces, command queues.
Where $TT_METAL_SIMULATOR names none these tests are skipped. The rest of the environment, with the
python3 in $PATH that ttnn is installed for, is the user's: nothing here makes or sets up a simulator.
"""

import pytest

from support.runtime import Simulator


@pytest.fixture
def simulator(tmp_path, monkeypatch):
    """The runtime on the simulator."""
    made = Simulator(tmp_path)
    for name, value in made.env.items():
        monkeypatch.setenv(name, value)
    return made
