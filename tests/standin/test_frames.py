# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
Stacks of code however it was compiled, and by whatever way it came to an allocation: all frames are
those that the program has by its own unwinder, and the functions those of its source.
"""

import pytest

from support.stacks import WAYS, build_ways, callers, finish, of_library, places, start, trace

BUILDS = {
    "no_frame_pointers": ["-O2", "-fomit-frame-pointer"],
    "frame_pointers": ["-O2", "-fno-omit-frame-pointer"],
    "not_optimized": ["-O0"],
    "small": ["-Os", "-fcf-protection=full"],
}


def functions_of(way, build):
    """Without optimization nobody jumps."""
    names = WAYS[way]
    return ["inner", "jumping", *names[1:]] if (way, build) == ("before_jump", "not_optimized") else names


@pytest.mark.parametrize("mode", [[], ["--lean", "--stacks"]], ids=["default", "lean"])
@pytest.mark.parametrize("build", BUILDS)
def test_frames_are_those_that_the_program_knows(build, mode, tmp_path):
    library = build_ways(tmp_path, *BUILDS[build])
    known, seen, result = trace(library, *WAYS, *WAYS, options=mode)
    assert len(known) == 2 * len(WAYS)
    for way, ours, (frames, end) in zip([*WAYS, *WAYS], known, seen):
        assert end == "complete", way
        assert places(callers(frames)) == ours, way
        assert of_library(frames) == functions_of(way, build), way
        # the C library has no name for where threads begin, if its debug file is not installed
        assert frames[-1].get("function") in (["clone", "clone3", None] if way == "in_thread" else ["_start"])
    assert result.summary["coverage"]["stacks"]["complete"] == len(seen)


def test_what_was_interrupted_is_shown_at_the_very_instruction(tmp_path):
    _, [(frames, _)], _ = trace(build_ways(tmp_path), "in_signal")
    interrupted = next(frame for frame in frames if frame.get("function") == "trap")
    assert interrupted["offset"] == 0


def test_of_a_recursion_beyond_the_limit_the_innermost_frames_are_right(tmp_path):
    [known], [(frames, end)], result = trace(build_ways(tmp_path), "recursion", options=["--stack-depth", "20"])
    assert end == "deep" and len(frames) == 20
    inner = callers(frames)
    assert 5 < len(inner) < 20 and places(inner) == known[:len(inner)]
    assert {frame["function"] for frame in inner} == {"deeper"}
    assert result.summary["coverage"]["stacks"]["deep"] == 1


def test_a_stack_that_goes_on_elsewhere_is_said_to_be_cut_and_none_is_invented(tmp_path):
    """A handler on a stack of its own: that of what was interrupted is not copied."""
    [known], [(frames, end)], _ = trace(build_ways(tmp_path), "on_other_stack")
    assert end == "cut"
    assert of_library(frames) == ["on_signal", None, "trap"]
    assert places(callers(frames)) == known[:3]


def test_code_without_unwinding_information_ends_a_stack_and_is_said(tmp_path):
    library = build_ways(tmp_path, "-O2", "-fno-asynchronous-unwind-tables")
    _, [(frames, end)], result = trace(library, "outer")
    assert end == "no_rule"
    assert [frame["function"] for frame in callers(frames)] == ["inner"]
    assert result.summary["coverage"]["stacks"]["no_rule"] == 1


def test_a_process_that_ends_at_once_has_its_stacks(tmp_path):
    """What was read of it is not forgotten because a record of its begin comes after that."""
    library = build_ways(tmp_path)
    for _ in range(10):
        [known], [(frames, end)], _ = finish(start(library, "outer"))
        assert end == "complete" and places(callers(frames)) == known
