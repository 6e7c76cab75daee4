# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The builds of the stand-in runtime: a test that takes `standin` runs on every one of them."""

import pytest

from support.standin import BUILDS, Standin


@pytest.fixture(params=BUILDS)
def standin(request):
    return Standin(request.param)


@pytest.fixture
def gen3():
    """The newest generation, for what does not depend on it."""
    return Standin("gen3")
