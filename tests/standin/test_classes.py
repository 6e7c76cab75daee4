# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
Every class of free, on every build of the stand-in. The driver says what is to be seen, event by
event; the classes are written down here once more, so that both cannot be wrong together.
"""

import pytest

from support import tttrace
from support.processes import Process
from support.runtime import ROOT


def test_a_free_that_has_its_allocation_is_matched(standin):
    result = standin.trace("""
        open m 2
        alloc a m DRAM 65536 2048
        alloc b m L1 65536 1024 height=8
        alloc c m/1 L1_SMALL 100 100
        alloc d m L1 8192 1024 width=4
        alloc e m L1 8192 1024 block=4
        total m
        total m/1
        free a
        dealloc b
        free b
        free c
        total m
        total m/1
        free d
        free e
        close m
    """)
    assert result.classes() == {"matched": 5}
    assert not result.of("leak")
    layouts = [event["layout"] for event in result.of("alloc", kind="owning")]
    assert layouts == ["INTERLEAVED", "HEIGHT_SHARDED", "INTERLEAVED", "WIDTH_SHARDED", "BLOCK_SHARDED"]


def test_a_buffer_of_size_zero_is_freed_as_zero_size(standin):
    result = standin.trace("""
        open m 2
        alloc z m L1 0 1024
        total m
        free z
        close m
    """)
    assert result.classes() == {"zero_size": 1}
    assert len(result.of("alloc", kind="zero_size")) == 1


def test_a_buffer_of_a_capture_is_freed_as_hooked(standin):
    result = standin.trace("""
        open m 1
        capture on
        alloc a m DRAM 2048 2048
        alloc b m DRAM 2048 2048
        free a
        capture off
        total m
        free b
        close m
    """)
    assert result.classes() == {"hooked": 2}
    assert not result.of("leak")


def test_a_view_is_seen_and_nothing_is_freed_with_it(standin):
    result = standin.trace("""
        open m 2
        alloc v m DRAM 2048 2048 at=0x5000
        free v
        total m
        close m
    """)
    assert len(result.of("alloc", kind="view")) == 2
    assert not result.of("free")


def test_a_second_free_is_repeated(standin):
    result = standin.trace("""
        open m 1
        alloc a m DRAM 2048 2048
        dealloc a
        dealloc a
        total m
        free a
        close m
    """)
    assert result.classes() == {"matched": 1, "repeated": 1}


def test_a_free_after_the_close_is_of_a_closed_device(standin):
    result = standin.trace("""
        open m 2
        alloc a m DRAM 65536 2048
        alloc b m L1 4096 1024
        alloc c m/1 L1 4096 1024
        close m
        free a
        free b
        free c
    """)
    assert result.classes() == {"device_closed": 3}
    assert len(result.of("leak")) == 3


@pytest.mark.parametrize("bulk", ["deallocate_buffers", "clear", "override_state"])
def test_a_free_after_a_bulk_free_says_so(standin, bulk):
    if standin.generation == 1 and bulk == "override_state":
        return  # the first generation has none
    result = standin.trace(f"""
        open m 2
        alloc a m DRAM 65536 2048
        alloc b m L1 4096 1024
        alloc c m/0 L1 4096 1024
        alloc d m/1 L1 4096 1024
        bulk m {bulk}
        total m
        bulk m/1 {bulk}
        total m/0
        total m/1
        free a
        free b
        free c
        free d
        close m
    """)
    assert result.classes() == {"bulk_freed": 3, "matched": 1}
    assert [event["buffers"] for event in result.of("bulk_free")] == [2, 1]
    assert not result.of("leak")


def test_the_free_of_what_went_in_bulk_names_the_buffer_that_loses_its_memory(standin):
    result = standin.trace("""
        open m 2
        alloc a m DRAM 65536 2048
        bulk m
        alloc b m DRAM 65536 2048
        total m
        free a
        total m
        close m
    """)
    assert result.classes() == {"bulk_freed": 1}
    dead, victim = result.of("alloc", kind="owning")
    assert dead["address"] == victim["address"]
    why = result.frees("bulk_freed")[0]["why"]
    assert f"GAVE AWAY THE MEMORY OF BUFFER {victim['address']}" in why
    (leak,) = result.of("leak")
    assert leak["buffer"] == victim["buffer"]
    assert "given away by the free of another buffer" in leak["why"]


def test_the_shout_can_be_read_in_the_text(standin):
    script = ["open m 1", "alloc a m DRAM 65536 2048", "bulk m", "alloc b m DRAM 65536 2048", "free a"]
    process = Process([tttrace.BINARY, "-v", "--output", "/dev/stderr", "--",
                               *standin.command("wait begin\n" + "\n".join(script))])
    process.stderr.wait_for(lambda line: line.startswith("tttrace: attached to"))
    process.tell()
    assert process.wait() == 0
    assert "GAVE AWAY THE MEMORY OF BUFFER" in process.stderr.all()


def test_the_free_of_a_victim_whose_address_lives_again_takes_that_memory(standin):
    result = standin.trace("""
        open m 1
        alloc a m DRAM 65536 2048
        bulk m
        alloc b m DRAM 65536 2048
        free a
        total m
        alloc c m DRAM 4096 2048
        free c
        total m
        close m
    """)
    assert result.classes() == {"bulk_freed": 1, "matched": 1}
    assert len(result.of("leak")) == 1


def test_a_suppressed_free_leaks_until_the_close(standin):
    result = standin.trace("""
        open m 2
        alloc a m DRAM 65536 2048
        alloc b m/1 L1 4096 1024
        capture on
        free a
        free b
        capture off
        total m
        total m/1
        alloc c m DRAM 65536 2048
        free c
        total m
        close m
        total m
    """)
    assert result.classes() == {"suppressed": 2, "matched": 1}
    leaks = result.of("leak")
    assert len(leaks) == 2
    assert all("suppressed" in leak["why"] for leak in leaks)
    assert result.summary["leaked"]["buffers"] == 2
    assert result.summary["leaked"]["bytes"] == sum(leak["footprint"] * len(leak["devices"])
                                                     for leak in leaks)


CROSSED = """
    open m 1
    in second alloc a m DRAM 2048 2048
    in first capture on
    in first free a
    in first capture off
    {more}
    close m
"""


@pytest.mark.parametrize("more", ["", "in first alloc z m DRAM 2048 2048"], ids=["silent", "busy"])
def test_a_suppressed_free_that_is_the_last_of_its_thread_leaks(standin, more):
    result = standin.trace(CROSSED.format(more=more))
    assert result.classes() == {"suppressed": 1}
    assert len(result.of("leak")) == (2 if more else 1)
    assert "suppressed" in result.of("leak")[0]["why"]


def test_a_failed_allocation_says_what_was_asked_for(standin):
    result = standin.trace("""
        open m 2
        alloc a m DRAM 65536 2048
        oom m
        oom m L1
        oom m/1 L1_SMALL
        total m
        free a
        close m
    """)
    failed = result.of("alloc_failed")
    assert [event["size"] for event in failed] == [1 << 40] * 3
    assert [event["type"] for event in failed] == ["DRAM", "L1", "L1_SMALL"]
    assert result.classes() == {"matched": 1}


def test_a_failed_allocation_sees_the_holes(standin):
    result = standin.trace("""
        open m 2
        alloc a m DRAM 65536 2048
        alloc b m DRAM 65536 2048
        alloc c m DRAM 65536 2048
        oom m
        free b
        oom m
        free a
        oom m
        free c
        oom m
        close m
    """)
    failed = result.of("alloc_failed")
    size = failed[0]["bank_size"]
    each = failed[0]["held_per_bank"] // 3
    assert each > 0 and {event["fit"] for event in failed} == {"too_large"}
    assert [event["free_per_bank"] for event in failed] == [size - n * each for n in (3, 2, 1, 0)]
    assert [event["largest_hole_per_bank"] for event in failed] == [
        size - 3 * each, size - 3 * each, size - 3 * each, size]
    assert [sum(one["buffers"] for one in event["holders"]) for event in failed] == [3, 2, 1, 0]


def test_a_forked_child_that_frees_what_is_its_parents_is_foreign(standin):
    result = standin.trace("""
        open m 1
        alloc a m DRAM 65536 2048
        alloc b m DRAM 4096 2048
        fork
        free a
        free b
        end
        total m
        free a
        close m
    """)
    assert result.classes() == {"foreign": 2, "matched": 1}
    assert len({event["pid"] for event in result.of("free")}) == 2
    assert len(result.of("leak")) == 1


def test_a_free_of_what_was_there_before_is_matched(standin):
    driver = standin.start("""
        open m 1
        alloc a m DRAM 65536 2048
        alloc z m DRAM 0 2048
        wait
        alloc b m DRAM 4096 2048
        free a
        free z
        free b
        close m
    """)
    trace = standin.attach(driver)
    driver.tell()
    assert driver.wait() == 0
    result = trace.finish()
    assert result.classes() == {"matched": 2, "zero_size": 1}
    assert len(result.of("alloc", **{"class": "pre_attach"})) == 1
    assert result.summary["coverage"]["processes_before_attach"] == 1


def test_what_the_runtime_allocates_for_itself_is_no_leak(standin):
    result = standin.trace("""
        open m 2 system=10000
        alloc kernel m DRAM 4096 2048 topdown
        alloc trace m TRACE 4096 2048
        total m
        free kernel
        total m
        close m
    """)
    kinds = [event["kind"] for event in result.of("alloc") if event["kind"] != "view"]
    # nothing in the first generation says that it is being opened
    opening = "owning" if standin.generation == 1 else "system"
    assert kinds == [opening, "system", "system"]
    assert len(result.of("leak")) == (1 if standin.generation == 1 else 0)
    assert result.classes() == {"matched": 1}


def test_the_script_of_the_demo_shows_what_it_promises(gen3):
    script = (ROOT / "tests/standin/demo.script").read_text()
    result = gen3.trace(script.replace("pause 2\n", ""))
    assert result.classes() == {"matched": 5, "zero_size": 1, "hooked": 1, "device_closed": 2}
    assert {event["type"] for event in result.of("alloc")} == {"DRAM", "L1"}
    assert len(result.of("alloc_failed")) == 1
    assert len(result.of("leak")) == 3
