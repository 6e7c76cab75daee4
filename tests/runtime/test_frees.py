# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Why a free has no allocation: every class that the real runtime can be made to produce."""

from support import tttrace
from support.replay import compare


def trace(real, text, cluster="n150"):
    result = tttrace.run([], real.code(text, cluster))
    assert result.status == 0, result.stderr
    return result


def test_a_free_that_has_its_allocation_is_matched(real):
    result = trace(real, """
        d = open_shape("1")
        t = tensors(3, d)
        ttnn.deallocate(t[0])
        del t
        close(d)
    """)
    assert result.classes() == {"matched": 3}
    assert all("why" not in free for free in result.of("free"))


def test_a_tensor_of_size_zero_is_freed_as_zero_size(real):
    result = trace(real, """
        d = open_shape("1")
        zero_size(d)
        close(d)
    """)
    assert result.classes() == {"zero_size": 1}
    assert [event["kind"] for event in result.of("alloc")] == ["zero_size"]


def test_a_tensor_made_under_a_capture_is_freed_as_hooked(real):
    result = trace(real, """
        d = open_shape("1")
        with Capture():
            t = tensor(d)
        del t
        checkpoint(d)
        close(d)
    """)
    assert result.classes() == {"hooked": 1}
    assert [event["kind"] for event in result.of("alloc")] == ["hooked"]
    compare(result, real.logged("checkpoint"))


def test_a_free_after_the_close_is_of_a_closed_device(real):
    result = trace(real, """
        d = open_shape("1")
        t = tensors(3, d)
        close(d)
        t.clear()
    """)
    assert result.classes() == {"device_closed": 3}
    assert len(result.of("leak")) == 3


def test_a_free_after_a_bulk_free_says_so(real):
    result = trace(real, """
        d = open_shape("1")
        t = tensors(3, d)
        ttnn._ttnn.device.deallocate_buffers(d)
        t.clear()
        close(d)
    """)
    assert result.classes() == {"bulk_freed": 3}
    assert len(result.of("bulk_free")) == 1
    assert not result.of("leak")


def test_a_late_free_that_gives_away_the_memory_of_another_names_it(real):
    result = trace(real, """
        d = open_shape("1")
        t = tensor(d)
        ttnn._ttnn.device.deallocate_buffers(d)
        u = tensor(d)
        checkpoint(d, buffers=False)
        del t
        checkpoint(d, buffers=False)
        os._exit(0)
    """)
    assert result.classes() == {"bulk_freed": 1}
    victim = result.of("alloc")[1]
    assert f"GAVE AWAY THE MEMORY OF BUFFER {victim['address']}" in result.frees("bulk_freed")[0]["why"]
    compare(result, real.logged("checkpoint"))


def test_a_free_under_a_capture_is_suppressed_and_leaks(real):
    result = trace(real, """
        d = open_shape("1")
        t = tensor(d)
        with Capture():
            ttnn.deallocate(t)
        checkpoint(d, buffers=False)
        close(d)
    """)
    assert result.classes() == {"suppressed": 1}
    assert real.logged("checkpoint")[0]["meshes"][0]["bytes"]["DRAM"] > 0
    compare(result, real.logged("checkpoint"))
    assert len(result.of("leak")) == 1


def test_a_failed_allocation_has_a_free_without_memory(real):
    result = trace(real, """
        d = open_shape("1")
        t = tensor(d, (65536, 65536))
        out_of_memory(d)
        del t
        close(d)
    """)
    assert len(result.of("alloc_failed")) == 1
    assert result.classes() == {"matched": 1}


def test_a_free_of_what_was_there_before_is_matched(real):
    program = real.start("""
        d = open_shape("1")
        old = tensors(3, d)
        ask()
        new = tensors(2, d)
        old.clear(), new.clear()
        close(d)
    """)
    program.hear()
    trace = tttrace.start(["-p", program.pid], before_attach=True).attached()
    program.tell()
    assert program.wait() == 0
    result = trace.finish()
    assert result.classes() == {"matched": 5}


def test_a_forked_child_that_frees_what_is_its_parents_is_foreign(real):
    result = trace(real, """
        d = open_shape("1")
        t = tensors(3, d)
        child = os.fork()
        if not child:
            t.clear()
            os._exit(5)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 5
        checkpoint(d)
        t.clear()
        close(d)
    """)
    assert result.classes() == {"foreign": 3, "matched": 3}
    compare(result, real.logged("checkpoint"))
    assert not result.of("leak")


def test_a_view_is_not_freed_on_its_own(real):
    result = trace(real, """
        d = open_shape("1")
        t = tensor(d, (1, 1, 128, 128))
        v = ttnn.reshape(t, (1, 4, 32, 128))
        checkpoint(d)
        del t
        checkpoint(d)
        del v
        checkpoint(d)
        close(d)
    """)
    assert result.classes() == {"matched": 1}
    compare(result, real.logged("checkpoint"))
