"""The job worker: runs one due job after another, waits when there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bot.core.errors import LoggedOut

log = structlog.get_logger()

EVERY = 15  # seconds; jobs that are retried become due in between


class JobWorker:
    """`work` runs one due job and returns whether there was one. `LoggedOut` ends the worker."""

    def __init__(self, work: Callable[[], Awaitable[bool]]) -> None:
        self._work = work
        self._wake = asyncio.Event()

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        while True:
            self._wake.clear()
            try:
                while await self._work():
                    pass
            except LoggedOut:
                raise
            except Exception:
                log.exception("reading jobs failed, retrying")
            try:
                async with asyncio.timeout(EVERY):
                    await self._wake.wait()
            except TimeoutError:
                continue
