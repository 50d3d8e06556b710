"""Bots as processes: start, wait until ready, measure memory and CPU, stop by pid."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

READY_WITHIN = 120  # seconds


@dataclass(frozen=True, slots=True)
class Running:
    pid: int
    seconds: float  # from the start of the process until it reports `ready`

    def megabytes(self) -> float:
        """Resident memory now."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text("ascii").split()[1])
        return pages * 4096 / 1e6

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100


@asynccontextmanager
async def process(arguments: Sequence[str]) -> AsyncIterator[Running]:
    """`python ARGUMENTS…`, once it has written `ready` to standard error."""
    started = time.perf_counter()
    child = await asyncio.create_subprocess_exec(sys.executable, *arguments, stderr=asyncio.subprocess.PIPE)
    assert child.stderr  # noqa: S101 - for mypy: we asked for the pipe
    reading: asyncio.Task[None] | None = None
    try:
        async with asyncio.timeout(READY_WITHIN):
            while b"ready" not in (line := await child.stderr.readline()):
                if not line:
                    raise RuntimeError(f"{arguments} ended before it was ready")
        seconds = time.perf_counter() - started
        reading = asyncio.create_task(_drop(child.stderr))
        yield Running(child.pid, seconds)
    finally:
        if child.returncode is None:
            child.terminate()
        await child.wait()
        if reading:
            await reading


async def _drop(stream: asyncio.StreamReader) -> None:
    while await stream.read(65_536):
        pass
