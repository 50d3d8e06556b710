"""The alarm scheduler. Each tick reads the due alarms from the database, so a lost tick is harmless."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.ports import Clock

log = structlog.get_logger()

EVERY = 15  # seconds between two looks, in case the machine was suspended
DAILY = 24 * 3600
CLOCK_SET = 60  # seconds by which the clock of the wall must differ from the time that passed


class AlarmClock:
    """Calls `ring`, which answers when the next alarm is due, every 15 seconds and at that instant; `daily` once a day,
    and when the clock was set.

    The 15 seconds are the event loop's own, which no change of the clock stops: APScheduler plans by the clock of the
    wall, and after a jump back it would sleep until the clock has caught up.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        ring: Callable[[], Awaitable[int | None]],
        daily: Callable[[], Awaitable[None]],
    ) -> None:
        self._clock, self._ring, self._daily = clock, ring, daily
        self._wake = asyncio.Event()
        self._planned: int | None = None  # when the next alarm is due, as far as we know

    def wake(self, next_due: int | None) -> None:
        """The next alarm is due then: looks at the alarms now if that is news."""
        if next_due != self._planned:
            self._wake.set()

    async def run(self) -> None:
        scheduler = AsyncIOScheduler(timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True})
        self._plan_daily(scheduler)
        scheduler.start()
        offset = self._offset()
        try:
            while True:
                self._wake.clear()
                try:
                    if abs(self._offset() - offset) > CLOCK_SET:
                        log.warning(
                            "the clock was set; planning the alarms again", by_seconds=round(self._offset() - offset)
                        )
                        offset = self._offset()
                        self._plan_daily(scheduler)
                        await self._daily()
                    self._planned = due = await self._ring()
                    if due is not None:
                        at = datetime.fromtimestamp(due / 1000, UTC)
                        scheduler.add_job(self._wake.set, "date", run_date=at, id="next", replace_existing=True)
                except Exception:
                    log.exception("reading alarms failed, retrying")
                with suppress(TimeoutError):
                    async with asyncio.timeout(EVERY):
                        await self._wake.wait()
        finally:
            scheduler.shutdown(wait=False)

    def _plan_daily(self, scheduler: AsyncIOScheduler) -> None:
        scheduler.add_job(self._daily, "interval", seconds=DAILY, id="daily", replace_existing=True)

    def _offset(self) -> float:
        """Seconds between the clock of the wall and the event loop's; constant unless somebody sets the first."""
        return self._clock.now() / 1000 - asyncio.get_running_loop().time()
