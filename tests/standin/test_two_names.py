# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""One library is one library, by whatever names processes know it: the kernel probes the inode."""

import shutil

import pytest

from support import standin, tttrace

SCRIPT = ["pause 0.4", "open m 1", "alloc a m DRAM 65536 2048", "alloc b m DRAM 65536 2048", "free a", "close m"]
FOOTPRINT = 73728
OVERLAYS = """
    mount -t tmpfs none {0} && cd {0} && mkdir low up1 up2 work1 work2 one two && cp {1} low/lib.so
    for i in 1 2; do
        to=one; [ $i = 1 ] || to=two
        mount -t overlay none -o lowerdir=low,upperdir=up$i,workdir=work$i $to
    done
"""


def life(gen3, path):
    words = " ".join(f"'{word}'" for word in SCRIPT)
    return f"'{gen3.driver}' -o /dev/null -l '{path}' {words}"


def lines(gen3, directory, kind):
    """A script of three lives, and where it runs."""
    library = directory / "lib.so"
    shutil.copy(gen3.library, library)
    if kind == "touch":
        return [life(gen3, library), f"touch '{library}'", life(gen3, library), life(gen3, library)], []
    if kind == "hard link":
        return [life(gen3, library), f"ln '{library}' '{library}.2'", life(gen3, f"{library}.2"),
                life(gen3, library)], []
    place = directory / "place"
    place.mkdir()
    script = OVERLAYS.format(place, library).splitlines()
    return [*script, *(life(gen3, place / name / "lib.so") for name in ("one", "two", "one"))], ["unshare", "--mount"]


@pytest.mark.parametrize("options", [[], ["--lean"], ["--perf-events"]], ids=["default", "lean", "perf_events"])
@pytest.mark.parametrize("kind", ["touch", "overlay", "hard link"])
def test_totals_are_those_of_one_library(gen3, tmp_path, kind, options):
    script, within = lines(gen3, tmp_path, kind)
    status, out, err = tttrace.plain("-j", *options, "--", "sh", "-c", "\n".join(script), within=within)
    events = tttrace.parse(out + "\n")
    summary = events[-1]
    assert status == 0, err
    assert summary["leaked"] == {"buffers": 3, "bytes": 3 * FOOTPRINT, "size": 3 * 65536}
    assert summary["coverage"]["complete"] and len(summary["coverage"]["libraries"]) == 1
    assert len([one for one in events if one["event"] == "alloc" and one["kind"] == "owning"]) == 6
    assert {one["class"] for one in events if one["event"] == "free"} == {"matched"}


# What has the probes of another file in it crashes when it is used: another build has other functions there.
# The kernel takes the probes of perf events out one by one, some 0.1 s each.
@pytest.mark.parametrize("build", ["gen1", "gen2", "gen3-fp"])
@pytest.mark.parametrize("options, pause", [([], 1), (["--perf-events"], 6)], ids=["default", "perf_events"])
def test_a_library_that_is_overwritten_has_no_probes_of_the_old_one(gen3, tmp_path, build, options, pause):
    library = tmp_path / "lib.so"
    shutil.copy(gen3.library, library)
    script = [life(gen3, library), f"cat '{standin.Standin(build).library}' > '{library}'", f"sleep {pause}",
              life(gen3, library)]
    status, out, err = tttrace.plain("-j", *options, "--", "sh", "-ec", "\n".join(script))
    summary = tttrace.parse(out + "\n")[-1]
    assert status == 4, err
    assert summary["leaked"]["buffers"] == 2 and [process["status"] for process in summary["processes"]] == [0, 0]
    [untraced] = summary["coverage"]["untraced"]
    assert untraced["path"] == str(library) and "was overwritten" in untraced["why"]
    assert [one["path"] for one in summary["coverage"]["libraries"]] == [str(library)]
