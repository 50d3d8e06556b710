"""Starting `faro` as a person does, and seeing what it leaves behind."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bot.testing.patience import patient

MARK = "FARO_DEMO_TEST"  # an environment variable all descendants inherit, by which they are found


def faro(*arguments: str, stdin: str, mark: str = "", within: float = 90) -> subprocess.CompletedProcess[str]:
    """Runs to its end, reading its input from a pipe."""
    command = [sys.executable, "-m", "bot", *arguments]
    environ = {**os.environ, MARK: mark, "NO_COLOR": "1"}
    return subprocess.run(  # noqa: S603 - our own program
        command, input=stdin, capture_output=True, text=True, env=environ, timeout=patient(within), check=False
    )


def alive(mark: str) -> list[str]:
    """The command lines of running processes that were started, however indirectly, with this mark."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                environ = (folder / "environ").read_bytes().split(b"\0")
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:  # it ended meanwhile, or is not ours
                continue
            if f"{MARK}={mark}".encode() in environ:
                found.append(command)
    return found


class Screen:
    """A terminal with somebody who types."""

    def __init__(self, pid: int, master: int) -> None:
        self.pid, self._master = pid, master
        self.text = ""

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def wait_for(self, words: str, within: float = 60) -> None:
        """Until the words are on the screen."""
        self._read(lambda: words in self.text, patient(within), words)

    def exit_code(self, within: float = 60) -> int:
        self._read(lambda: False, patient(within), "the end", end_is_fine=True)
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)

    def _read(self, done: object, within: float, what: str, *, end_is_fine: bool = False) -> None:
        assert callable(done)
        until = time.monotonic() + within
        while not done():
            ready, _, _ = select.select([self._master], [], [], max(0.0, until - time.monotonic()))
            try:
                new = os.read(self._master, 65536) if ready else b""
            except OSError:  # the other end is closed
                new = b""
            if not new:
                if ready and end_is_fine:
                    return
                raise AssertionError(f"{what!r} did not come. On the screen:\n{self.text}")
            self.text += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", new.decode(errors="replace"))


@contextmanager
def screen(*arguments: str, environ: Mapping[str, str]) -> Iterator[Screen]:
    """`faro` in a terminal of its own."""
    pid, master = pty.fork()
    if pid == 0:
        command = [sys.executable, "-m", "bot", *arguments]
        os.execve(command[0], command, {**os.environ, "TERM": "xterm", **environ})  # noqa: S606 - our own program
    seen = Screen(pid, master)
    try:
        yield seen
    finally:
        if seen.pid:
            os.kill(seen.pid, signal.SIGTERM)
            os.waitpid(seen.pid, 0)
        os.close(master)
