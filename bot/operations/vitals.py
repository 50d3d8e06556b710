"""Whether the running bot is alive and ready, and its figures: asked by machines, several times a minute."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from bot.core.counts import Counts
from bot.core.errors import DatabaseError
from bot.operations.doctor import SILENT_AFTER
from bot.operations.monitor import HealthMonitor
from bot.ports import Clock, Database, Transport
from bot.storage import alarms, outbox, sync_token

log = structlog.get_logger()

ANSWER_WITHIN = 5  # seconds for a small query
STUCK_AFTER = 300  # seconds; each request of the sync loop, and each pause between two, is much shorter


@dataclass(frozen=True, slots=True)
class Figures:
    """Numbers only: no rooms, no people, no words."""

    batches: int
    commands: Mapping[str, int]  # name → answers
    outbox: int  # messages that wait to be sent
    jobs: int
    sync_age: float | None  # seconds since the homeserver was last heard; None: never
    findings: Mapping[str, int]  # level → count; empty until the first health check


class Vitals:
    """`joined` is set when the bot has tried to join every room of the configuration."""

    def __init__(
        self, *, db: Database, clock: Clock, transport: Transport, counts: Counts, monitor: HealthMonitor | None
    ) -> None:
        self._db, self._clock, self._transport, self._counts, self._monitor = db, clock, transport, counts, monitor
        self.joined = asyncio.Event()

    async def alive(self) -> bool:
        """Whether the database answers; that the event loop runs shows in being asked at all."""
        try:
            await self.sync_age()
        except (TimeoutError, sqlite3.Error, DatabaseError) as error:
            log.warning("the database does not answer", reason=str(error) or type(error).__name__)
            return False
        return True

    async def ready(self) -> bool:
        """Whether the rooms are joined and the homeserver was heard not long ago."""
        if not self.joined.is_set() or not await self.alive():
            return False
        age = await self.sync_age()
        return age is not None and age * 1000 < SILENT_AFTER

    def reading(self) -> bool:
        """Whether the sync loop goes on: it asks the homeserver again and again, also while that is away."""
        return time.monotonic() - self._transport.active_at < STUCK_AFTER

    async def sync_age(self) -> float | None:
        """Seconds since a batch was last stored. Raises `TimeoutError`, or what the database raises."""
        async with asyncio.timeout(ANSWER_WITHIN):
            at = await sync_token.synced_at(self._db.reading())
        return None if at is None else max(0, self._clock.now() - at) / 1000

    async def figures(self) -> Figures:
        """Raises what `sync_age` raises."""
        age = await self.sync_age()
        async with asyncio.timeout(ANSWER_WITHIN):
            waiting = await outbox.count_pending(self._db.reading())
            jobs = await alarms.count_jobs(self._db.reading())
        findings = Counter(str(finding.level) for finding in (self._monitor.findings if self._monitor else ()))
        # `dict` copies at once: commands are counted in another thread.
        return Figures(self._counts.batches, dict(self._counts.commands), waiting, jobs, age, findings)
