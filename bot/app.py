"""The only file that knows every room: builds the house, runs it, stops it in reverse order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from bot.config.load import Loaded
from bot.core.errors import LoggedOut, TransportError
from bot.i18n.catalog import Catalogs
from bot.matrix.outbound import Outbound
from bot.operations.doctor import CheckTarget
from bot.operations.monitor import HealthMonitor
from bot.ports import Clock, Database, Transport
from bot.runtime.directory import Directory
from bot.runtime.dispatcher import Answering, Limits
from bot.runtime.job_runner import Work
from bot.runtime.pipeline import Pipeline
from bot.runtime.plugins import PluginType, bind, folder
from bot.runtime.room_membership import Attendance
from bot.runtime.services import Desk
from bot.storage import alarms, sync_token
from bot.storage.outbox import StoredOutbox
from bot.timing.alarms import AlarmClock
from bot.timing.jobs import JobWorker

log = structlog.get_logger()

RETRY_JOINING = 600  # seconds
RETRY_SOON = 30  # where the homeserver did not answer
SETTLING = 10  # until syncs have told of the rooms joined at the start
LONGEST_PAUSE = 60  # seconds between two tries to store a batch


@dataclass(frozen=True, slots=True)
class House:
    """The built parts, for whoever runs them: the bot itself, the console, a test."""

    db: Database
    clock: Clock
    transport: Transport
    desk: Desk
    pipeline: Pipeline
    work: Work
    attendance: Attendance
    outbound: Outbound
    bells: AlarmClock
    workers: tuple[JobWorker, ...]
    health: HealthMonitor | None


def build(
    loaded: Loaded,
    plugins: Sequence[PluginType],
    db: Database,
    transport: Transport,
    clock: Clock,
    checkpoint: Callable[[str], None] = lambda _: None,
    patient: CheckTarget | None = None,
) -> House:
    """Puts the parts together. Nothing runs yet. Without a `patient` there is no data folder to look after."""
    config = loaded.config
    registry, broken = bind(plugins, loaded.plugin_settings)
    for one in broken:
        log.error("plugin left out", plugin=one.name, reason=one.reason)
    desk = Desk(
        directory=Directory(config.hubs),
        registry=registry,
        translations=Catalogs({plugin.name: folder(plugin) for plugin in plugins}),
        user_id=transport.user_id,
        display_name=config.display_name,
        prefix=config.prefix,
        operators=config.operators,
    )
    limits = Limits(config.answer_within.milliseconds, config.cooldown.per_person, config.cooldown.per_room)
    answering = Answering(desk, clock, limits)
    outbound = Outbound(StoredOutbox(db), transport, clock, checkpoint)
    attendance = Attendance(db=db, clock=clock, transport=transport, desk=desk, invites_from=config.invites.allow)

    def wake() -> None:
        outbound.wake()
        bells.wake()
        for worker in workers:
            worker.wake()

    pipeline = Pipeline(
        db=db,
        clock=clock,
        desk=desk,
        answering=answering,
        answer_within=limits.answer_within,
        decrypt=transport.decrypt,
        wake=wake,
        checkpoint=checkpoint,
    )
    work = Work(
        db=db, clock=clock, transport=transport, desk=desk, answering=answering, core=attendance.core_jobs, wake=wake
    )
    bells = AlarmClock(ring=pipeline.ring, next_due=lambda: alarms.next_due(db.reading()), daily=pipeline.refresh)
    # Two, so that nobody who waits for an answer waits for a slow page.
    workers = (JobWorker(lambda: work.one("soon")), JobWorker(lambda: work.one("background")))
    health = HealthMonitor(db, clock, transport, patient) if patient else None
    return House(db, clock, transport, desk, pipeline, work, attendance, outbound, bells, workers, health)


async def run(house: House) -> None:
    """Runs until cancelled. Raises `LoggedOut` when the session is gone for good."""
    started = time.monotonic()
    first_batch, attended = asyncio.Event(), asyncio.Event()
    await house.attendance.recall()
    await house.pipeline.refresh()
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(house.outbound.run())
            tasks.create_task(house.bells.run())
            tasks.create_task(_work(house, attended))
            tasks.create_task(_read(house, first_batch))
            tasks.create_task(_attend(house, first_batch, attended, started))
            if house.health:
                tasks.create_task(_stay_well(house, house.health, attended))
    except BaseExceptionGroup as group:
        gone, _ = group.split(LoggedOut)
        if gone:
            raise LoggedOut(str(_leaf(gone))) from group
        raise


async def _read(house: House, first_batch: asyncio.Event) -> None:
    """The sync loop: the position moves only with what it brought."""
    token = await sync_token.token(house.db.reading())
    pause = 5
    while True:
        batch = await house.transport.sync(token)
        try:
            await house.pipeline.handle(batch)
        except Exception:
            log.exception("a batch could not be stored; it is asked for again", in_seconds=pause)
            await house.clock.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            continue
        token, pause = batch.token, 5
        first_batch.set()


async def _work(house: House, attended: asyncio.Event) -> None:
    """Jobs wait until the hubs' rooms are known: only then can an invite to one of them be told from a stranger's."""
    await attended.wait()
    async with asyncio.TaskGroup() as lanes:
        for worker in house.workers:
            lanes.create_task(worker.run())


async def _stay_well(house: House, health: HealthMonitor, attended: asyncio.Event) -> None:
    """A room the bot is only just joining is no trouble: that it is in counts when a sync says so."""
    await attended.wait()
    await house.clock.sleep(SETTLING)
    await health.run()


async def _attend(house: House, first_batch: asyncio.Event, attended: asyncio.Event, started: float) -> None:
    """Joins the hubs' rooms once the position is known, and again later where that failed."""
    await first_batch.wait()
    problems = await house.attendance.join_all()
    attended.set()
    log.info("ready", seconds=round(time.monotonic() - started, 2), rooms_missing=len(problems))
    try:
        await house.transport.set_display_name(house.desk.display_name)
    except LoggedOut:
        raise
    except TransportError as error:
        log.warning("the display name could not be set", reason=str(error))
    while problems:
        await house.clock.sleep(RETRY_SOON if house.attendance.waiting else RETRY_JOINING)
        problems = await house.attendance.join_all()


def _leaf(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return _leaf(first) if isinstance(first, BaseExceptionGroup) else first
