"""The alarm scheduler. Each tick reads the due alarms from the database, so a lost tick is harmless."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

log = structlog.get_logger()

EVERY = 15  # seconds: APScheduler sleeps on the monotonic clock and would not notice a suspend or a changed clock
DAILY = 24 * 3600


class AlarmClock:
    """Calls `ring` every 15 seconds and at the next due instant, and `daily` once a day."""

    def __init__(
        self,
        *,
        ring: Callable[[], Awaitable[int]],
        next_due: Callable[[], Awaitable[int | None]],
        daily: Callable[[], Awaitable[None]],
    ) -> None:
        self._ring, self._next_due, self._daily = ring, next_due, daily
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """The alarms may have changed: check again now."""
        self._wake.set()

    async def run(self) -> None:
        scheduler = AsyncIOScheduler(timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True})
        scheduler.add_job(self._wake.set, "interval", seconds=EVERY)
        scheduler.add_job(self._daily, "interval", seconds=DAILY)
        scheduler.start()
        try:
            while True:
                self._wake.clear()
                try:
                    await self._ring()
                    if (due := await self._next_due()) is not None:
                        at = datetime.fromtimestamp(due / 1000, UTC)
                        scheduler.add_job(self._wake.set, "date", run_date=at, id="next", replace_existing=True)
                except Exception:
                    log.exception("reading alarms failed, retrying")
                await self._wake.wait()
        finally:
            scheduler.shutdown(wait=False)
