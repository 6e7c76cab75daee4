# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
Roots that commands run in: empty ones, and fresh minimal Debians (scripts/root). A command has
namespaces of its own for mounts and processes, which end with it, so nothing stays mounted.
"""

import os
import re
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

from support.processes import Process
from support.runtime import ROOT

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# sh -c ENTER sh ROOT [DIRECTORY...] -- COMMAND: the directories are those of the host
ENTER = """
    set -e
    root=$1
    shift
    while [ "$1" != -- ]; do
        mkdir -p "$root/$1"
        case $1 in
        proc) mount -t proc proc "$root/proc" ;;
        *) mount --rbind "$1" "$root$1" ;;
        esac
        shift
    done
    shift
    exec chroot "$root" "$@"
"""


class Root:
    """
    A root in @directory. @mounts: what each command sees of the host; `proc` is that of its own
    processes, /proc that of the host's.
    """

    def __init__(self, directory, mounts=("proc", "/sys", "/dev")):
        self.directory = directory
        self.mounts = list(mounts)

    def within(self, mounts=None, env=None):
        """The command that runs another one in this root."""
        mounts = self.mounts if mounts is None else list(mounts)
        apart = [] if "/proc" in mounts else ["--pid"]
        settings = {"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8", **(env or {})}
        return ["env", "-i", *(f"{name}={value}" for name, value in settings.items()),
                "unshare", "--mount", *apart, "--fork", "--kill-child",
                "sh", "-c", ENTER, "sh", self.directory, *mounts, "--"]

    def run(self, *words, mounts=None, env=None, patience=60):
        """Runs a command to its end. Returns status, stdout, stderr."""
        process = Process([*self.within(mounts, env), *words], stdin=subprocess.DEVNULL)
        status = process.wait(patience)
        out, err = process.stdout.all(), process.stderr.all()
        process.end()
        return status, out, err

    def must(self, *words, **how):
        """The same; it must succeed. Returns stdout."""
        status, out, err = self.run(*words, **how)
        assert status == 0, f"'{' '.join(map(str, words))}' ended with {status}:\n{out[-3000:]}\n{err[-6000:]}"
        return out

    def copy(self, source, place=None):
        """Copies a file into the root, to where it is on the host if no @place is given."""
        target = Path(f"{self.directory}{place or source}")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)

    def copy_program(self, program):
        """Copies a program with the libraries that it needs."""
        listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        for file in {str(program), *re.findall(r"(/\S+) \(0x", listed)}:
            self.copy(file)

    def copy_tree(self, place):
        """Copies what is in the repository, as it is in the working tree."""
        files = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                               capture_output=True, text=True, check=True).stdout.split("\0")
        for file in filter(None, files):
            if (ROOT / file).is_file():
                self.copy(ROOT / file, f"{place}/{file}")


def make(*words):
    """Runs make in the repository."""
    done = subprocess.run(["make", "-j2", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"make {' '.join(words)} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


@contextmanager
def debian(release, directory):
    """A fresh root of a release of Debian, for as long as it is used."""
    done = subprocess.run([ROOT / "scripts/root", release, directory], capture_output=True, text=True, check=False)
    try:
        assert done.returncode == 0, f"scripts/root {release} failed:\n{done.stderr}"
        yield Root(directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def cache():
    """Where the scripts keep what they have downloaded."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("TTTRACE_CACHE") or f"{home}/tttrace")
