"""The worker for slow things: takes one due job after another, waits when there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bot.core.errors import LoggedOut

log = structlog.get_logger()

EVERY = 15  # seconds, at the latest; a job that is to be tried again becomes due in between


class JobWorker:
    """`work` does one due job and answers whether there was one. A session that is gone ends the worker."""

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
                log.exception("jobs could not be read; trying again in a moment")
            try:
                async with asyncio.timeout(EVERY):
                    await self._wake.wait()
            except TimeoutError:
                continue
