"""Follows a hub's room to its successor when it is upgraded (`m.room.tombstone`)."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from bot.api import Reply
from bot.core.errors import Refused, Unavailable
from bot.core.texts import Text
from bot.core.transaction_ids import key
from bot.ports import Clock, Database, Transaction, Transport
from bot.runtime import message_builder, openness, tombstones
from bot.runtime.directory import Place
from bot.runtime.job_runner import INVITE_TRIES, CoreJob
from bot.runtime.services import CORE, Services
from bot.storage import made_rooms, outbox, rooms
from bot.storage.alarms import Job

log = structlog.get_logger()

FOLLOWED = Text(
    "The room {room} was upgraded. I followed to its new version; links, numbers and meetings stay as they are."
)


class RoomUpgrades:
    """Joins successors and gives them the place of their predecessors."""

    def __init__(self, *, db: Database, clock: Clock, transport: Transport, services: Services) -> None:
        self._db, self._clock, self._transport, self._services = db, clock, transport, services

    @property
    def core_jobs(self) -> dict[str, CoreJob]:
        return {"upgrade": self._follow}

    async def recall(self) -> None:
        """Binds the successors that were followed to before, and follows to those that were not yet."""
        directory = self._services.directory
        known = await made_rooms.successors(self._db.reading())
        for room in known:
            chain = made_rooms.chain(room, known)
            if place := next((place for one in chain if (place := directory.place(one))), None):
                directory.bind(chain[-1], place)
                for replaced in chain[:-1]:
                    directory.replace(replaced, place)
                for one in chain:
                    await openness.examine(self._db.reading(), self._services, one)
        async with self._db.transaction() as tx:
            for hub in directory.hubs:
                for room in directory.rooms_of(hub):
                    state = await rooms.state_of(tx, room)
                    if tombstone := state.get("m.room.tombstone"):
                        await tombstones.schedule(tx, self._services, room, tombstone, "", self._clock.now())

    async def _follow(self, job: Job) -> None:
        room, successor = str(job.payload["room"]), str(job.payload["successor"])
        directory = self._services.directory
        place = directory.place(room)
        if place is None or directory.is_replaced(room):
            return
        if directory.place(successor):
            log.error("a room names another room of a hub as its successor", room=room, successor=successor)
            return
        was_there = await rooms.is_joined(self._db.reading(), successor)
        via = [server for name in (str(job.payload["sender"]), room, successor) if (server := name.partition(":")[2])]
        try:
            await self._transport.join(successor, list(dict.fromkeys(via)))
            state = {change.type: change.content for change in await self._transport.state(successor)}
        except Refused as error:
            if job.tries + 1 < INVITE_TRIES:  # somebody will invite the bot
                raise Unavailable(f"the successor of a room cannot be joined yet: {error}") from error
            log.error("the successor of a room cannot be joined; invite the bot", room=room, reason=str(error))
            return
        predecessor = state.get("m.room.create", {}).get("predecessor")
        if not isinstance(predecessor, Mapping) or predecessor.get("room_id") != room:
            log.error("the successor of a room does not name it as its predecessor", room=room, successor=successor)
            if not was_there:
                await self._transport.leave(successor)
            return
        directory.bind(successor, place)
        directory.replace(room, place)
        await openness.examine(self._db.reading(), self._services, successor)
        async with self._db.transaction() as tx:
            await made_rooms.succeed(tx, room, successor)
            await self._tell(tx, place, room)
        log.info("followed a room to its successor", room=room, successor=successor, hub=place.hub.id)

    async def _tell(self, tx: Transaction, place: Place, room: str) -> None:
        name = place.room.alias or room
        words = self._services.translations.translator(CORE, place.hub.languages[0])
        content = message_builder.announcement(Reply(words.t(FOLLOWED, room=name)))
        for desk in self._services.directory.rooms_of(place.hub, "coordinators"):
            note = key("notice", desk, room, "upgraded")
            await outbox.enqueue(tx, key=note, room=desk, content=content, now=self._clock.now())
