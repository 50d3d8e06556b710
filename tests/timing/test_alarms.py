"""Alarms are planned again when somebody sets the machine's clock."""

from __future__ import annotations

import asyncio

from bot.testing.clock import FakeClock
from bot.testing.patience import patient
from bot.timing.alarms import AlarmClock

YEAR = 365 * 86_400


class Alarms:
    """What an `AlarmClock` calls, counted."""

    def __init__(self) -> None:
        self.clock, self.rung, self.planned = FakeClock(), asyncio.Event(), 0
        self.alarm_clock = AlarmClock(clock=self.clock, ring=self._ring, daily=self._plan)

    async def look(self) -> None:
        """Wakes the alarm clock, and waits until it has looked."""
        self.rung.clear()
        self.alarm_clock.wake(self.clock.now())
        async with asyncio.timeout(patient(20)):
            await self.rung.wait()

    async def _ring(self) -> int | None:
        self.rung.set()
        return self.clock.now() + 3_600_000

    async def _plan(self) -> None:
        self.planned += 1


async def test_a_clock_that_jumps_a_year_and_back_plans_the_alarms_again_both_times() -> None:
    alarms = Alarms()
    running = asyncio.create_task(alarms.alarm_clock.run())
    try:
        await alarms.look()
        assert alarms.planned == 0
        alarms.clock.advance(YEAR)
        await alarms.look()
        assert alarms.planned == 1
        alarms.clock.advance(-YEAR)
        await alarms.look()
        assert alarms.planned == 2
        await alarms.look()
        assert alarms.planned == 2
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_small_correction_of_the_clock_plans_nothing() -> None:
    alarms = Alarms()
    running = asyncio.create_task(alarms.alarm_clock.run())
    try:
        await alarms.look()
        alarms.clock.advance(-3)
        await alarms.look()
        assert alarms.planned == 0
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
