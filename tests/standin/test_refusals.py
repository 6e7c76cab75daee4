# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Why nothing can be traced: each cause is told apart, with what to do about it, and nothing is run."""

import re

import pytest

from support import tttrace
from test_missing_parts import refusing

FEW_FILES = 20


def in_mounts(script):
    """A command in a namespace of mounts of its own, after @script."""
    return ["unshare", "--mount", "sh", "-ec", f'{script}\nexec "$@"', "sh"]


def lockdown(directory):
    """As securityfs shows the mode, and as bpf(2) refuses then what reads memory."""
    place = directory / "security"
    place.mkdir()
    (place / "lockdown").write_text("none integrity [confidentiality]\n")
    return in_mounts(f"mount --bind {place} /sys/kernel/security") + refusing("prog_load:EPERM:name=on_probe")


CAUSES = {
    "no BTF": (lambda _: in_mounts("mount -t tmpfs none /sys/kernel/btf"), "no BTF", "CONFIG_DEBUG_INFO_BTF"),
    "no /sys": (lambda _: in_mounts("umount -l /sys"), "/sys is not mounted", "mount -t sysfs"),
    "seccomp": (lambda _: refusing("prog_load:EPERM:name=on_probe"), "seccomp filter", "seccomp profile"),
    "user namespace": (lambda _: ["unshare", "--user", "--map-root-user"], "user namespace", "root of the host"),
    "lockdown": (lockdown, "lockdown in mode 'confidentiality'", "lockdown=integrity"),
    "open files": (lambda _: ["prlimit", f"--nofile={FEW_FILES}"], "too many open files", "ulimit -Hn"),
    "memory": (lambda _: refusing("prog_load:ENOMEM:name=on_probe"), "Cannot allocate memory", "--ring-size"),
}


def least_files():
    _, _, err = tttrace.plain("--", "true", within=["prlimit", f"--nofile={FEW_FILES}"])
    return int(re.search(r"at least (\d+) are needed", err)[1])


@pytest.mark.parametrize("cause", CAUSES)
def test_what_is_wrong_and_what_to_do_is_said_in_two_lines_and_the_command_does_not_run(cause, tmp_path):
    within, why, advice = CAUSES[cause]
    ran = tmp_path / "ran"
    status, out, err = tttrace.plain("--", "touch", ran, within=within(tmp_path))
    lines = err.splitlines()
    assert status == 1 and not out and not ran.exists()
    assert len(lines) == 2, err
    assert why.lower() in lines[0].lower() and advice in lines[1]


@pytest.mark.parametrize("cause", CAUSES)
def test_a_check_says_the_same_of_each_mode(cause, tmp_path):
    within, why, advice = CAUSES[cause]
    status, out, _ = tttrace.plain("--check", within=within(tmp_path))
    assert status == 1
    modes = [line for line in out.splitlines() if line.startswith("mode ")]
    assert len(modes) == 7 and all(why.lower() in line.lower() for line in modes), out
    assert advice in out


def test_where_files_do_not_do_for_the_probes_that_is_said_and_the_program_goes_on(gen3):
    """Perf events take a file for each probe: where the programs are loaded there may be none left for them."""
    status, _, err = tttrace.plain("--perf-events", "--", *gen3.command("open m 1\nclose m\nexit 7"),
                                   within=["prlimit", f"--nofile={least_files()}"])
    assert status == 7
    assert f"too many open files: {least_files()} are allowed" in err and "ulimit -Hn" in err
    assert "is not traced: too many" in err and "did not use" not in err


def test_tracefs_is_not_needed(gen3):
    """Neither are debugfs and securityfs: uprobes are perf events or links here, not lines of tracefs."""
    script = "for fs in tracing debug security; do umount -l /sys/kernel/$fs 2>/dev/null || :; done"
    gen3.trace("open m 1\nalloc a m DRAM 4096 2048\nfree a\nclose m", within=in_mounts(script))
