# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Many meshes, submeshes, threads and buffers: what is held is what the allocators say, to the byte."""

from support.replay import compare_totals


def test_several_meshes_have_ledgers_of_their_own(standin):
    result = standin.trace("""
        open one 2
        open two 4 first=2 align=64 L1=2M
        alloc a one DRAM 65536 2048
        alloc b two DRAM 65536 2048
        alloc c two L1 20000 2000
        total one
        total two
        free a
        total one
        total two
        close one
        free b
        total two
        close two
    """)
    assert result.classes() == {"matched": 2}
    (leak,) = result.of("leak")
    assert leak["devices"] == [2, 3, 4, 5]
    assert len(result.of("device_open")) == len(result.of("device_close")) == 8
    compare_totals(result)


def test_a_submesh_has_a_ledger_of_its_own_on_the_chips_of_its_parent(standin):
    result = standin.trace("""
        open m 4
        submesh s m 1 2
        alloc a m DRAM 65536 2048
        alloc b s DRAM 40000 1000
        alloc c m/2 L1 4096 1024
        total m
        total s
        total m/2
        close m
        free b
        total s
        alloc d s DRAM 40000 1000
        total s
        close s
        free a
        free c
    """)
    assert result.of("alloc", kind="owning")[1]["devices"] == [1, 2]
    assert result.classes() == {"matched": 1, "device_closed": 2}
    assert len(result.of("leak")) == 3
    compare_totals(result)


def test_a_mesh_that_is_opened_again_begins_anew(standin):
    result = standin.trace("""
        open m 2
        alloc a m DRAM 65536 2048
        close m
        drop m
        open n 2
        alloc b n DRAM 65536 2048
        total n
        free b
        close n
    """)
    assert result.classes() == {"matched": 1}
    assert len(result.of("leak")) == 1
    compare_totals(result)


def test_threads_that_free_what_others_allocated_are_one_ledger(standin):
    result = standin.trace("""
        open m 2
        threads 4 25 m
        total m
        in first alloc x m L1 4096 1024
        in second free x
        total m
        close m
    """)
    assert result.classes() == {"matched": 101}
    assert len({event["tid"] for event in result.of("free")}) >= 5
    compare_totals(result)


def test_a_capture_of_one_thread_leaves_the_others_alone(standin):
    if standin.generation == 1:
        return  # its captures are of the whole process
    result = standin.trace("""
        open m 1
        in first capture on
        in first alloc a m DRAM 2048 2048
        in second alloc b m DRAM 2048 2048
        in second free b
        in second free a
        total m
        close m
    """)
    assert result.classes() == {"matched": 1, "hooked": 1}


def test_errors_that_are_caught_leave_the_totals_right(standin):
    result = standin.trace("""
        open m 2
        times 40 alloc t% m L1 2048 1024
        times 200 oom m L1
        total m
        times 20 free t%
        total m
        close m
    """)
    assert len(result.of("alloc_failed")) == 200
    assert len(result.of("leak")) == 20
    compare_totals(result)


def test_pointers_and_addresses_that_come_back_are_other_buffers(standin):
    script = ["open m 1"]
    for number in range(60):
        script += [f"alloc t{number} m DRAM {2048 * (number % 5 + 1)} 2048", f"free t{number}"]
    result = standin.trace("\n".join(script + ["total m", "close m"]))
    assert result.classes() == {"matched": 60}
    assert len({event["buffer"] for event in result.of("free")}) < 60
    compare_totals(result)


def test_frees_of_every_kind_in_one_life(standin):
    result = standin.trace("""
        open m 2 system=10000
        alloc a m DRAM 65536 2048
        alloc z m L1 0 1024
        alloc c m/1 L1_SMALL 100 100
        oom m
        free a
        free z
        capture on
        alloc h m DRAM 2048 2048
        free c
        capture off
        free h
        total m
        total m/1
        alloc a m DRAM 65536 2048
        bulk m
        alloc b m DRAM 65536 2048
        free a
        total m
        dealloc b
        dealloc b
        alloc x m DRAM 4096 4096
        submesh s m 1 1
        alloc y s DRAM 4096 4096
        fork
        free x
        alloc own m DRAM 100 100
        _exit 3
        end
        close m
        free x
        free y
    """)
    assert set(result.classes()) == {"matched", "zero_size", "hooked", "suppressed", "bulk_freed",
                                     "repeated", "foreign", "device_closed"}
