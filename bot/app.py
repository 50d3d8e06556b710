"""The only file that knows every module: builds the app, runs it, stops it in reverse order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import structlog

from bot.config.load import Loaded
from bot.core.errors import DatabaseError, LoggedOut, TransportError, leaves
from bot.i18n.catalog import Catalogs
from bot.matrix.outbound import Outbound
from bot.operations.doctor import CheckTarget
from bot.operations.erasure_log import ErasureLog
from bot.operations.monitor import HealthMonitor
from bot.operations.service_manager import ServiceManager
from bot.operations.vitals import Vitals
from bot.ports import Clock, Database, Transport
from bot.runtime.directory import Directory
from bot.runtime.dispatcher import Dispatcher, Limits
from bot.runtime.job_runner import JobRunner
from bot.runtime.pipeline import Pending, Pipeline
from bot.runtime.plugins import PluginType, bind, folder
from bot.runtime.recheck import Recheck
from bot.runtime.room_membership import RoomMembership
from bot.runtime.room_upgrades import RoomUpgrades
from bot.runtime.services import Services
from bot.storage import erasures, sync_token
from bot.storage.alarms import LANES
from bot.storage.outbox import StoredOutbox
from bot.timing.alarms import AlarmClock
from bot.timing.jobs import JobWorker

log = structlog.get_logger()

RETRY_JOINING = 600  # seconds
RETRY_SOON = 30  # where the homeserver did not answer
SETTLING = 10  # until syncs have told of the rooms joined at the start
LONGEST_PAUSE = 60  # seconds between two tries to store a batch


@dataclass(frozen=True, slots=True)
class App:
    """The built parts, for whoever runs them: the bot itself, the console, a test."""

    db: Database
    clock: Clock
    transport: Transport
    services: Services
    pipeline: Pipeline
    job_runner: JobRunner
    membership: RoomMembership
    upgrades: RoomUpgrades
    outbound: Outbound
    alarm_clock: AlarmClock
    workers: tuple[JobWorker, ...]
    health: HealthMonitor | None
    erasure_log: ErasureLog | None
    vitals: Vitals
    listen: tuple[str, int] | None
    """Where machines may ask for them."""


def build(
    loaded: Loaded,
    plugins: Sequence[PluginType],
    db: Database,
    transport: Transport,
    clock: Clock,
    checkpoint: Callable[[str], None] = lambda _: None,
    check_target: CheckTarget | None = None,
    absent: Sequence[str] = (),
) -> App:
    """Puts the parts together. Nothing runs yet. Without a `check_target` there is no data folder to look after.
    `absent`: plugins that own tables and do not run."""
    config = loaded.config
    registry, broken = bind(plugins, loaded.plugin_settings)
    for one in broken:
        log.error("plugin left out", plugin=one.name, reason=one.reason)
    services = Services(
        directory=Directory(config.hubs),
        registry=registry,
        translations=Catalogs({plugin.name: folder(plugin) for plugin in plugins}),
        user_id=transport.user_id,
        display_name=config.display_name,
        prefix=config.prefix,
        operators=config.operators,
        absent=absent,
    )
    limits = Limits(config.answer_within.milliseconds, config.cooldown.per_person, config.cooldown.per_room)
    dispatcher = Dispatcher(services, clock, limits)
    outbound = Outbound(StoredOutbox(db), transport, clock, checkpoint)
    membership = RoomMembership(
        db=db, clock=clock, transport=transport, services=services, invites_from=config.invites.allow
    )

    async def daily() -> None:
        await pipeline.refresh()
        await membership.look_again()

    upgrades = RoomUpgrades(db=db, clock=clock, transport=transport, services=services)

    def wake(pending: Pending) -> None:
        if pending.outbox:
            outbound.wake()
        alarm_clock.wake(pending.alarm)
        for worker in workers:
            worker.wake(pending.job)
        if pending.erasures and erasure_log:
            erasure_log.wake()

    pipeline = Pipeline(
        db=db,
        clock=clock,
        services=services,
        dispatcher=dispatcher,
        answer_within=limits.answer_within,
        decrypt=transport.decrypt,
        wake=wake,
        checkpoint=checkpoint,
    )
    recheck = Recheck(db=db, clock=clock, transport=transport, services=services, follow=pipeline.follow)
    job_runner = JobRunner(
        db=db,
        clock=clock,
        transport=transport,
        services=services,
        dispatcher=dispatcher,
        core={**membership.core_jobs, **upgrades.core_jobs, "recheck": recheck.run},
        wake=wake,
    )
    alarm_clock = AlarmClock(clock=clock, ring=pipeline.ring, daily=daily)
    # One each, so that nobody who waits for an answer waits for a slow page or another homeserver.
    workers = tuple(JobWorker(clock, partial(job_runner.run_next, lane)) for lane in LANES)
    erasure_log = ErasureLog(db, check_target.data_dir) if check_target else None
    health = HealthMonitor(db, clock, transport, check_target) if check_target else None
    return App(
        db,
        clock,
        transport,
        services,
        pipeline,
        job_runner,
        membership,
        upgrades,
        outbound,
        alarm_clock,
        workers,
        health,
        erasure_log,
        Vitals(db=db, clock=clock, transport=transport, counts=pipeline.counts, monitor=health),
        config.health.address,
    )


async def run(app: App, manager: ServiceManager | None = None) -> None:
    """Runs until cancelled. Raises `LoggedOut` when the session is gone for good, `DatabaseError` when the file is
    damaged, `FaroError` if nobody can be served at `app.listen`."""
    manager = manager or ServiceManager()
    try:
        async with _served(app):
            await _run(app, manager)
    finally:
        manager.stopping()


@asynccontextmanager
async def _served(app: App) -> AsyncIterator[None]:
    if app.listen is None:
        yield
        return
    from bot.operations.health_server import serving  # most bots need none of what it imports

    async with serving(app.vitals, *app.listen):
        yield


async def _run(app: App, manager: ServiceManager) -> None:
    started = time.monotonic()
    first_batch, joined = asyncio.Event(), app.vitals.joined
    await app.membership.recall()
    await app.upgrades.recall()
    await app.membership.plan_open_invites()
    app.outbound.after_restore(await erasures.restored(app.db.reading()))
    await app.pipeline.refresh()
    await app.membership.look_again()
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(app.outbound.run())
            tasks.create_task(app.alarm_clock.run())
            tasks.create_task(_work(app, joined))
            tasks.create_task(_read(app, first_batch))
            tasks.create_task(_attend(app, first_batch, joined, started))
            if app.erasure_log:
                tasks.create_task(app.erasure_log.run())
            tasks.create_task(manager.keep_told(app.vitals, app.clock))
            if app.health:
                tasks.create_task(_stay_well(app, app.health, joined))
    except BaseExceptionGroup as group:
        for error in leaves(group):
            if isinstance(error, LoggedOut | DatabaseError):
                raise error from group
        raise


async def _read(app: App, first_batch: asyncio.Event) -> None:
    """The sync loop: the position moves only with what it brought."""
    token = await sync_token.token(app.db.reading())
    pause = 5
    while True:
        batch = await app.transport.sync(token)
        try:
            await app.pipeline.handle(batch)
        except DatabaseError:  # the file is damaged: asking again stores nothing either
            raise
        except Exception:
            log.exception("a batch could not be stored; it is asked for again", in_seconds=pause)
            await app.clock.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            continue
        token, pause = batch.token, 5
        first_batch.set()


async def _work(app: App, joined: asyncio.Event) -> None:
    """Jobs wait until the hubs' rooms are known: only then can an invite to one of them be told from a stranger's."""
    await joined.wait()
    async with asyncio.TaskGroup() as lanes:
        for worker in app.workers:
            lanes.create_task(worker.run())


async def _stay_well(app: App, health: HealthMonitor, joined: asyncio.Event) -> None:
    """A room the bot is only just joining is no trouble: that it is in counts when a sync says so."""
    await joined.wait()
    await app.clock.sleep(SETTLING)
    await health.run()


async def _attend(app: App, first_batch: asyncio.Event, joined: asyncio.Event, started: float) -> None:
    """Joins the hubs' rooms once the position is known, and again later where that failed."""
    await first_batch.wait()
    problems = await app.membership.join_all()
    joined.set()
    log.info("ready", seconds=round(time.monotonic() - started, 2), rooms_missing=len(problems))
    try:
        await app.transport.set_display_name(app.services.display_name)
    except LoggedOut:
        raise
    except TransportError as error:
        log.warning("the display name could not be set", reason=str(error))
    while problems:
        await app.clock.sleep(RETRY_SOON if app.membership.waiting else RETRY_JOINING)
        problems = await app.membership.join_all()
