# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""A kernel before 5.15 is refused in words. Only scripts/check-kernels runs this, on such a kernel."""

import pytest

from support import tttrace
from test_modes import MODES


@pytest.mark.parametrize("mode", MODES)
def test_it_is_refused_in_words(gen3, mode):
    status, out, err = tttrace.plain(*MODES[mode], "--", *gen3.command("open m 1\nclose m"))
    assert status == 1 and not out
    assert "5.15" in err


def test_a_check_says_so():
    status, out, _ = tttrace.plain("--check")
    assert status == 1 and "5.15" in out
