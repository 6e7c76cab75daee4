# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""tttrace in a PID namespace of its own, as in a container: PIDs are those that it has there."""

from support import standin as support, tttrace
from support.processes import Process
from support.standin import hear

CONTAINER = ["unshare", "--pid", "--fork", "--mount-proc"]

SCRIPT = """
    wait begin
    open m 2
    alloc a m DRAM 65536 2048
    name first
    alloc b m L1 4096 1024
    fork
    alloc c m DRAM 2048 2048
    kill 11
    end
    free a
    in one alloc d m DRAM 8192 2048
    total m
    close m
    _exit 3
"""


def contain(gen3, shell, output):
    """Runs @shell in a container; "$@" is the driver, $trace tttrace, 3 what the driver is to read."""
    words = f"exec 3<&0; trace='{tttrace.BINARY} -v -j --output {output}'; {shell}"
    return Process([*CONTAINER, "sh", "-c", words, "sh", *gen3.command(SCRIPT)])


def start(process):
    hear(process, "begin")
    process.stderr.wait_for(lambda line: "Ctrl-C ends it" in line)
    process.tell()


def finish(process, output):
    assert process.wait() == 0
    result = tttrace.Result(tttrace.parse(output.read_text()), process.stderr.all(), 0)
    support.compare(result, support.expected(process))
    assert result.classes() == {"matched": 1}
    return result


def test_a_command_is_traced_in_a_container(standin):
    trace = standin.run(standin.command(SCRIPT), within=CONTAINER)
    support.probed(trace)
    trace.tell()
    result = support.finish(trace, 3)
    assert all(event["pid"] < 100 for event in result.of("alloc"))
    assert len({event["pid"] for event in result.of("process_exit")}) == 2


def test_a_process_is_known_by_the_pid_that_it_has_in_the_container(gen3, tmp_path):
    process = contain(gen3, '"$@" <&3 & exec $trace -p $!', tmp_path / "output")
    start(process)
    finish(process, tmp_path / "output")


def test_processes_outside_of_the_container_are_not_shown(gen3, tmp_path):
    outside = gen3.start(SCRIPT)
    process = contain(gen3, '"$@" <&3 & driver=$!; $trace & wait $driver; kill -TERM $!; wait $!',
                      tmp_path / "output")
    process.stderr.wait_for(lambda line: "Ctrl-C ends it" in line)
    outside.tell()
    assert outside.wait() == 3
    start(process)
    result = finish(process, tmp_path / "output")
    assert result.hits["track_allocate"] == len(result.of("alloc", kind="owning"))


def test_a_container_in_the_container_belongs_to_it(gen3):
    """Its processes, and with them the lines of the driver, are numbered anew: it has two PIDs 1."""
    trace = gen3.run([*CONTAINER, *gen3.command(SCRIPT)], within=CONTAINER)
    support.probed(trace)
    trace.tell()
    result = trace.finish()
    assert result.status == 3
    theirs = {line["pid"] for line in support.expected(trace.process)}
    ours = {event["pid"] for event in result.of("alloc")}
    assert theirs == {1, 2} and len(ours) == 2 and not ours & theirs
    assert [leak["size"] for leak in result.of("leak")] == [4096, 8192]
    assert [one["size"] for one in result.of("ended")] == [2048]
    assert result.classes() == {"matched": 1}


def test_where_proc_is_of_another_namespace_it_says_so_and_what_to_do(gen3):
    driver = gen3.start(SCRIPT)
    status, out, err = tttrace.plain("-p", driver.pid, within=["unshare", "--pid", "--fork"])
    assert status == 1 and "--pid=host" in err and not out
