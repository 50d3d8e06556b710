"""A clock that tests move."""

from __future__ import annotations

import asyncio

START = 1_800_000_000_000  # 2027-01-15 08:00 UTC


class FakeClock:
    """`bot.ports.Clock`. Time passes when `advance` is called, and while something sleeps."""

    def __init__(self, now: int = START) -> None:
        self._now = now

    def now(self) -> int:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        await asyncio.sleep(0)  # others get their turn, as they would

    def advance(self, seconds: float) -> None:
        self._now += round(seconds * 1000)
