"""One process per data folder: two would answer everything twice and corrupt the encryption keys."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.core.errors import FaroError


class InUse(FaroError):  # noqa: N818 - the name describes the state
    """Another process has the data folder (`pid` is None if it has not written its number yet)."""

    def __init__(self, folder: Path, pid: int | None) -> None:
        who = f"process {pid}" if pid else "another process"
        super().__init__(f"{who} uses the data folder {folder}; stop it first, or give this bot a folder of its own")
        self.pid = pid


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Holds `folder`/lock for as long as the `with` lasts. Raises `InUse`.

    The lock is the kernel's (flock) and ends with the process; the file stays and holds the pid of its last owner.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUse(folder, _number(os.pread(handle, 20, 0))) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def is_used(folder: Path) -> bool:
    """Whether a process holds `folder`/lock now. Changes nothing."""
    try:
        handle = os.open(folder / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _number(written: bytes) -> int | None:
    return int(written) if written.strip().isdigit() else None
