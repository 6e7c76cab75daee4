# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The interpreters of Python on this machine."""

import glob
import os
import sys
from pathlib import Path


def of_pyenv(version):
    root = os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv"))
    return sorted(glob.glob(f"{root}/versions/{version}/bin/python3"))


def pythons():
    """{minor version: interpreter} of those that are installed."""
    found = {sys.version_info[1]: sys.executable}
    for minor in range(9, 17):
        for path in (f"/usr/bin/python3.{minor}", *of_pyenv(f"3.{minor}.*[0-9]")):
            if minor not in found and os.access(path, os.X_OK):
                found[minor] = path
    return found
