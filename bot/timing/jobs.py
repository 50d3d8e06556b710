"""The job worker: runs one due job after another, waits when there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from bot.core.errors import LoggedOut
from bot.ports import Clock

log = structlog.get_logger()

EVERY = 15  # seconds; jobs that are retried become due in between


class JobWorker:
    """`work` runs one due job and returns whether there was one. `LoggedOut` ends the worker."""

    def __init__(self, clock: Clock, work: Callable[[], Awaitable[bool]]) -> None:
        self._clock, self._work = clock, work
        self._wake = asyncio.Event()
        self._due: int | None = None  # when to look next, if that is known

    def wake(self, due: int | None) -> None:
        """A job is due then; None: none is."""
        if due is not None:
            self._due = due
            self._wake.set()

    async def run(self) -> None:
        while True:
            self._wake.clear()
            self._due = None
            try:
                while await self._work():
                    pass
            except LoggedOut:
                raise
            except Exception:
                log.exception("reading jobs failed, retrying")
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY):
                    await self._until_due()

    async def _until_due(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            early = (self._due or 0) - self._clock.now()
            if early <= 0:
                return
            self._wake.clear()
            loop.call_later(early / 1000, self._wake.set)
