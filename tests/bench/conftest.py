# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The guard stands with the benchmark, whose modules it uses."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
