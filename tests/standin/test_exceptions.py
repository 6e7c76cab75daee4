# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
An exception that passes through a probed frame: the program catches it and goes on. A return probe
there would kill it.
"""

import pytest

from support.standin import BUILDS, Standin

ALLOC = ("buffer_create", "buffer_create_at", "allocate_impl", "hook_allocate", "allocate_buffer",
         "free_list_allocate", "track_allocate")
FREE = ("deallocate_impl", "track_deallocate", "hook_deallocate", "deallocate_buffer")

EVERY = "\n".join(
    ["open m 2 system=4096", "alloc keep m DRAM 8192 2048"]
    + [f"throw {point}\nalloc a m DRAM 8192 2048\ntotal m" for point in ALLOC]
    + ["alloc b m DRAM 8192 2048"]
    + [f"throw {point}\ndealloc b\ntotal m" for point in FREE]
    + ["throw deallocate_buffers", "bulk m", "total m", "alloc c m DRAM 8192 2048",
       "throw clear", "bulk m clear", "total m",
       "throw mesh_open", "open n 1 first=4", "throw device_open", "open o 1 first=5",
       "open p 1 first=4", "throw mesh_close", "close p", "throw mesh_closing", "close m"])


@pytest.mark.parametrize("build, attach", [(build, []) for build in BUILDS] + [
    (build, ["--perf-events"]) for build in ("gen1", "gen3", "linked")])
def test_an_exception_through_every_probed_frame_leaves_the_program_alone(build, attach):
    result = Standin(build).trace(EVERY + "\nexit 23", ["--all-probes", *attach], status=23)
    assert len(result.of("alloc_failed")) == 4
    assert len(result.frees("matched")) == 3
    assert len(result.frees("suppressed")) == 3
    assert all(result.hits[name] for name in ALLOC + FREE)
    assert result.hits["mesh_open"] == 3 and result.hits["device_open"] == 5


@pytest.mark.parametrize("point", ALLOC)
def test_after_an_exception_in_an_allocation_the_next_one_is_seen(gen3, point):
    result = gen3.trace(f"""
        open m 1
        throw {point}
        alloc a m DRAM 8192 2048
        total m
        alloc b m DRAM 8192 2048
        total m
        free b
        total m
        exit 7
    """, status=7)
    assert result.of("alloc", kind="owning")
    assert result.frees("matched")


@pytest.mark.parametrize("point", FREE)
def test_after_an_exception_in_a_free_the_next_one_is_seen(gen3, point):
    result = gen3.trace(f"""
        open m 1
        alloc a m DRAM 8192 2048
        alloc b m DRAM 8192 2048
        throw {point}
        dealloc a
        total m
        free b
        total m
        exit 7
    """, status=7)
    assert len(result.of("free")) == 2


@pytest.mark.parametrize("attach", [[], ["--perf-events"]], ids=["multi", "perf"])
def test_a_thousand_exceptions_are_survived(gen3, attach):
    result = gen3.trace("open m 2\ntimes 1000 oom m\nexit 9", attach, status=9)
    assert len(result.of("alloc_failed")) == 1000
