"""Does one job: slow work outside any transaction, whose answer then passes the pipeline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import structlog

from bot.api import Context, Reply, Schedule
from bot.core.errors import LoggedOut, TransportError, Unavailable, UserError
from bot.core.events import Message
from bot.core.files import LARGEST, File
from bot.hubs import Hub
from bot.ports import Clock, Database, Transaction, Transport
from bot.runtime.dispatcher import SORRY, Dispatcher
from bot.runtime.message_builder import said
from bot.runtime.pipeline import Pending, pending_work
from bot.runtime.services import CORE, Asked, Services
from bot.storage import alarms
from bot.storage.alarms import Job, Lane

log = structlog.get_logger()

SECONDS = 120  # for one job; longer means it hangs
INVITE_TRIES = 40  # over more than three hours; then an invite is given up
TRIES = 6
FIRST_WAIT = 5_000  # ms before the second try; it doubles

CoreJob = Callable[[Job], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class RunningJob:
    """`bot.api.JobContext`."""

    job: Job
    db: Database
    clock: Clock
    transport: Transport
    services: Services

    @property
    def now(self) -> int:
        return self.clock.now()

    @property
    def payload(self) -> Mapping[str, str | int]:
        return self.job.payload

    async def profile(self, user: str) -> Mapping[str, object]:
        try:
            return await self.transport.profile(user)
        except LoggedOut:
            raise
        except TransportError as error:
            log.info("a profile could not be read", reason=str(error))
            return {}

    async def fetch(self, room: str, event_id: str) -> tuple[Message, File]:
        return await self.transport.fetch(room, event_id, LARGEST)

    @asynccontextmanager
    async def answering(self) -> AsyncIterator[Context]:
        if self.job.cause is None:
            raise RuntimeError("this job was not asked for by a message")
        asked = Asked.from_json(self.job.cause)
        async with self.db.transaction() as tx:
            yield await self.services.context(tx, asked.message, self.job.plugin, self.now, asked.edit_id, asked)

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        return self.db.transaction()

    @property
    def hubs(self) -> Sequence[Hub]:
        return self.services.directory.hubs

    def schedule(self, db: Transaction) -> Schedule:
        return self.services.schedule(db, self.job.plugin, self.now)


class JobRunner:
    """Takes jobs from the table and does them, in each lane one at a time."""

    def __init__(
        self,
        *,
        db: Database,
        clock: Clock,
        transport: Transport,
        services: Services,
        dispatcher: Dispatcher,
        core: Mapping[str, CoreJob],
        wake: Callable[[Pending], None] = lambda _: None,
    ) -> None:
        self._db, self._clock, self._transport, self._services = db, clock, transport, services
        self._dispatcher = dispatcher
        self._core = core
        self._wake = wake

    async def run_next(self, lane: Lane | None = None) -> bool:
        """Does the oldest due job (of a lane); answers whether there was one."""
        job = await alarms.due_job(self._db.reading(), self._clock.now(), lane)
        if job is None:
            return False
        reply: Reply | None = None
        begun = time.perf_counter()
        try:
            async with asyncio.timeout(SECONDS):
                reply = await self._do(job)
        except LoggedOut:
            raise
        except UserError as error:
            reply = await self._say(job, error)
        except Exception as error:
            away = isinstance(error, Unavailable)  # an outage may last: such a job is never given up
            if away:
                log.info("a job waits for the homeserver", plugin=job.plugin, job=job.name, reason=str(error))
            else:
                log.exception("a job failed", plugin=job.plugin, job=job.name)
            if away or job.tries + 1 < TRIES:
                wait = FIRST_WAIT * 2 ** min(job.tries, TRIES)
                if isinstance(error, Unavailable) and error.retry_after is not None:
                    wait = round(error.retry_after * 1000)  # the homeserver knows better: it limits rates
                async with self._db.transaction() as tx:
                    await alarms.retry_job(tx, job, self._clock.now() + wait)
                return True
            reply = await self._say(job, UserError(SORRY))
        self._wake(await self._db.transact(partial(self._finish, job=job, reply=reply)))
        log.debug(
            "job finished",
            plugin=job.plugin,
            job=job.name,
            tries=job.tries + 1,
            ms=round(1000 * (time.perf_counter() - begun)),
        )
        return True

    async def _finish(self, tx: Transaction, job: Job, reply: Reply | None) -> Pending:
        wanted = await alarms.finish_job(tx, job)
        if wanted and reply is not None and job.cause is not None:
            await self._dispatcher.answer(tx, Asked.from_json(job.cause), reply)
        return await pending_work(tx)

    async def _do(self, job: Job) -> Reply | None:
        if job.plugin == CORE:
            await self._core[job.name](job)
            return None
        handler = self._services.registry.jobs.get((job.plugin, job.name))
        if handler is None:
            log.warning("a job of nobody", plugin=job.plugin, job=job.name)
            return None
        reply: Reply | None = await handler(RunningJob(job, self._db, self._clock, self._transport, self._services))
        return reply

    async def _say(self, job: Job, error: UserError) -> Reply | None:
        if job.cause is None:
            return None
        asked = Asked.from_json(job.cause)
        return Reply(said(error, await self._services.core_translator(self._db.reading(), asked.message)))
