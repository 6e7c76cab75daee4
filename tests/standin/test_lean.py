# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
--lean: what gets and gives memory is seen as always, to the byte, at two hits a pair; what does
neither is left out, and nothing is called unknown for it.
"""

LEAN = ["--lean"]
PAIR = ("track_allocate", "deallocate_buffer")


def test_an_allocation_and_its_free_are_two_hits_on_any_number_of_chips(standin):
    for chips in (1, 32):
        result = standin.trace(f"""
            open m {chips}
            times 200 alloc t% m DRAM 65536 2048
            total m
            times 200 free t%
            total m
            close m
        """, LEAN)
        per_buffer = {name: hits for name, hits in result.hits.items() if hits >= 200}
        assert per_buffer == dict.fromkeys(PAIR, 200)
        assert result.classes() == {"matched": 200}
        assert not result.of("leak")


def test_what_each_layout_and_type_occupies_is_known_without_a_further_hit(standin):
    result = standin.trace("""
        open m 2 align=64
        alloc a m DRAM 65536 2048
        alloc b m L1 65536 1024 height=8
        alloc c m/1 L1_SMALL 100 100
        alloc d m L1 8192 1024 width=4
        alloc e m L1 8192 1024 block=4
        alloc f m L1 20000 2000
        total m
        total m/1
        free a
        free b
        total m
        total m/1
        close m
    """, LEAN)
    assert "free_list_allocate" not in result.hits
    assert result.summary["coverage"]["footprint_unknown"] == 0
    assert all(event["footprint"] for event in result.of("alloc"))
    assert len(result.of("leak")) == 4


def test_what_holds_no_memory_is_left_out_and_the_coverage_says_so(standin):
    result = standin.trace("""
        open m 2
        alloc a m DRAM 65536 2048
        alloc z m L1 0 1024
        alloc v m DRAM 2048 2048 at=0x5000
        capture on
        alloc h m DRAM 2048 2048
        alloc i m DRAM 2048 2048
        free h
        capture off
        alloc j m DRAM 2048 2048
        oom m
        free z
        free v
        free i
        free j
        dealloc a
        free a
        total m
        close m
    """, LEAN)
    assert result.classes() == {"matched": 2}
    assert {event["kind"] for event in result.of("alloc")} == {"owning"}
    coverage = result.summary["coverage"]
    assert coverage["mode"] == "lean"
    assert {"deallocate_impl", "buffer_create", "buffer_create_at", "track_deallocate",
            "track_allocate_cb"} <= set(coverage["not_probed"])
    assert not set(coverage["not_probed"]) & set(coverage["hits"])


def test_a_buffer_whose_free_is_suppressed_stays_live_until_the_close(standin):
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
        times 20 alloc c% m DRAM 65536 2048
        total m
        times 20 free c%
        total m
        close m
        total m
    """, LEAN)
    assert result.classes()["matched"] == 20
    # a pointer that comes back tells that the buffer that was there is gone
    assert set(result.classes()) <= {"matched", "suppressed"}
    assert len(result.of("leak")) == 2


def test_bulk_frees_and_frees_after_them_are_seen(standin):
    result = standin.trace("""
        open m 2
        alloc a m DRAM 65536 2048
        alloc b m L1 4096 1024
        bulk m
        total m
        alloc c m DRAM 65536 2048
        total m
        free b
        total m
        close m
        free a
    """, LEAN)
    assert result.of("bulk_free")
    assert len(result.of("leak")) == 1


def test_threads_that_allocate_at_once_have_exact_footprints_or_none(standin):
    """A table that another thread is changing is not read: its footprint is then absent, and counted."""
    trace = standin.begin("""
        open m 2
        threads 4 500 m
        close m
    """, LEAN, incomplete=True)
    trace.tell()
    result = trace.finish()
    assert result.status == 0
    assert result.classes() == {"matched": 2000}
    footprints = [alloc.get("footprint") for alloc in result.of("alloc", kind="owning")]
    assert len(footprints) == 2000 and set(footprints) <= {24576, None}
    assert footprints.count(None) < 100


def test_a_process_that_ran_before_is_seen_from_the_attach_on(standin):
    target = standin.start("""
        open m 2
        alloc a m DRAM 65536 2048
        wait traced
        alloc b m L1 4096 1024
        free a
        total m
        close m
    """)
    trace = standin.attach(target, options=LEAN)
    target.tell()
    result = trace.finish()
    assert result.classes() == {"matched": 1}
    assert len(result.of("alloc", **{"class": "pre_attach"})) == 1
    assert len(result.of("leak")) == 1
