"""After a gap that could not be read, the homeserver is asked what became of each stored message of the room.

Deletions and edits in the gap are followed that way. Plugins do not show what is in doubt until then. The questions are
asked in the background, one after the other, and go on where they were after a restart.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from bot.core.errors import Refused
from bot.core.events import Edit, Redaction
from bot.ports import Clock, Database, Transaction, Transport
from bot.runtime.services import Services
from bot.storage import erasures, rechecks, rooms
from bot.storage.alarms import Job

log = structlog.get_logger()

SLICE = 50  # messages asked about in one job
PAUSE = 0.05  # s between two questions


async def begin(tx: Transaction, services: Services, room: str, now: int) -> None:
    """Puts everything stored from a room in doubt, and plans the questions."""
    doubtful = 0
    for name, plugin in services.registry.plugins.items():
        try:
            async with tx.savepoint():
                doubtful += await plugin.doubt(tx, room)
        except Exception:
            log.exception("a plugin could not put a room in doubt", plugin=name, room=room)
    if doubtful:
        log.info("checking what became of stored messages", room=room, messages=doubtful)
        await rechecks.begin(tx, room, doubtful, now)
        await _plan(tx, services, room, now)


async def resume(tx: Transaction, services: Services, now: int) -> None:
    """Asks again about rooms whose messages the homeserver did not show; about all rooms if the database is an older
    copy again."""
    restored = await erasures.restored(tx)
    if restored and not restored.doubted:
        for room in sorted(await rooms.joined_ids(tx)):
            await begin(tx, services, room, now)
        await erasures.mark_doubted(tx)
    for recheck in await rechecks.running(tx):
        await _plan(tx, services, recheck.room, now)


async def _plan(tx: Transaction, services: Services, room: str, now: int, after: str = "") -> None:
    await services.core_schedule(tx, now).job("recheck", f"recheck/{room}/{after}", room=room, last=after)


class Recheck:
    """Asks the questions. `follow` hands what became of a message to the plugins; it says whether they took note."""

    def __init__(
        self,
        *,
        db: Database,
        clock: Clock,
        transport: Transport,
        services: Services,
        follow: Callable[[Transaction, Edit | Redaction], Awaitable[bool]],
    ) -> None:
        self._db, self._clock, self._transport, self._services = db, clock, transport, services
        self._follow = follow

    async def run(self, job: Job) -> None:
        """Asks about the next messages of a room."""
        room, after = str(job.payload["room"]), str(job.payload["last"])
        plugins = self._services.registry.plugins
        ids = sorted(
            {one for plugin in plugins.values() for one in await plugin.doubted(self._db.reading(), room, after, SLICE)}
        )[:SLICE]
        checked: list[str] = []
        changes: dict[str, Edit | Redaction] = {}
        unknown = 0
        for event_id in ids:
            try:
                event = await self._transport.current(room, event_id)
            except Refused as error:
                if error.code != "M_NOT_FOUND":
                    continue  # not shown to the bot, so not shown to people either
                unknown += 1
            else:
                if isinstance(event, Edit | Redaction):
                    changes[event_id] = event
            checked.append(event_id)
            await self._clock.sleep(PAUSE)
        async with self._db.transaction() as tx:
            failed = {event_id for event_id, change in changes.items() if not await self._follow(tx, change)}
            checked = [event_id for event_id in checked if event_id not in failed]  # these stay in doubt
            for plugin in plugins.values():
                await plugin.trust(tx, room, checked)
            await rechecks.advance(tx, room, len(checked), unknown)
            if ids:
                await _plan(tx, self._services, room, self._clock.now(), ids[-1])
            elif not [one for plugin in plugins.values() for one in await plugin.doubted(tx, room, "", 1)]:
                log.info("checked what became of stored messages", room=room)
                await rechecks.finish(tx, room)
            else:
                log.warning("some stored messages could not be checked; they stay hidden", room=room)
