# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""
What a test starts. Each process leads a session of its own, so that it is ended with all that it
has started, whatever becomes of the test. Nobody waits without a limit.
"""

import os
import signal
import subprocess
import threading
import time

PATIENCE = 60  # seconds


class Words:
    """The lines of a pipe as they come. Another thread reads them, so that it never fills up."""

    def __init__(self, pipe):
        self.lines = []
        self.ended = False
        self.news = threading.Condition()
        self.thread = threading.Thread(target=self._read, args=(pipe,), daemon=True)
        self.thread.start()

    def _read(self, pipe):
        for line in pipe:
            with self.news:
                self.lines.append(line.decode(errors="replace").rstrip("\n"))
                self.news.notify_all()
        pipe.close()
        with self.news:
            self.ended = True
            self.news.notify_all()

    def wait_for(self, matches, start=0, patience=PATIENCE):
        """The number of the first line from @start that @matches; fails if the pipe ends first."""
        deadline = time.monotonic() + patience
        with self.news:
            while True:
                for number in range(start, len(self.lines)):
                    if matches(self.lines[number]):
                        return number
                if self.ended or not self.news.wait(deadline - time.monotonic()):
                    raise AssertionError("the awaited line did not come; there are:\n" + self.text)

    def pause(self, seconds=0.02):
        """For those who wait for something that tells nobody: a file that grows."""
        with self.news:
            self.news.wait(seconds)

    @property
    def text(self):
        return "\n".join(self.lines)

    def all(self, patience=5):
        """All of it: up to the end of the pipe, if that comes soon."""
        self.thread.join(patience)
        return self.text


class Process:
    """A process with pipes to its standard input, output and error."""

    started = []  # by this test

    def __init__(self, command, env=None, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                 stderr=subprocess.PIPE, **options):
        self.command = [str(word) for word in command]
        self.popen = subprocess.Popen(
            self.command, stdin=stdin, stdout=stdout, stderr=stderr,
            start_new_session=True, env={**os.environ, **(env or {})}, **options)
        Process.started.append(self)
        self.stderr = Words(self.popen.stderr) if self.popen.stderr else None
        self.stdout = Words(self.popen.stdout) if self.popen.stdout else None
        self.heard = 0

    @property
    def pid(self):
        return self.popen.pid

    def hear(self, word="ready", patience=PATIENCE):
        """Waits until the process prints a line @word."""
        try:
            self.heard = self.stdout.wait_for(lambda line: line == word, self.heard, patience) + 1
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.stderr.text[-2000:]}") from None

    def tell(self, line="go"):
        self.popen.stdin.write(line.encode() + b"\n")
        self.popen.stdin.flush()

    def signal(self, number):
        os.kill(self.pid, number)

    def said(self):
        """The end of what it wrote on standard error, if that came to us."""
        return self.stderr.text[-2000:] if self.stderr else ""

    def wait(self, patience=PATIENCE):
        """Its exit status, as the shell has it: 128 + N when signal N has ended it."""
        try:
            status = self.popen.wait(patience)
        except subprocess.TimeoutExpired:
            self.end()
            raise AssertionError(f"'{' '.join(self.command)[:300]}' did not end within {patience} s; "
                                 f"it said:\n{self.said()}") from None
        return status if status >= 0 else 128 - status

    def end(self):
        """Ends it with all that it has started."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.popen.wait()
        if self.popen.stdin:
            try:
                self.popen.stdin.close()
            except BrokenPipeError:
                pass


def end_all():
    while Process.started:
        Process.started.pop().end()
