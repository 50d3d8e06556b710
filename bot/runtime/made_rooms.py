"""The rooms the bot makes for hubs: who is invited, who can govern them. It adds and raises by itself; what takes
something away is for humans, and what humans changed stays (`faro doctor` proposes)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import structlog

from bot.core import room_powers
from bot.core.errors import Refused
from bot.hubs import Hub, Room, in_language
from bot.ports import Clock, Database, NewRoom, Transaction, Transport
from bot.runtime.job_runner import CoreJob
from bot.runtime.services import Services
from bot.storage import made_rooms, rooms
from bot.storage.alarms import Job

log = structlog.get_logger()


class MadeRooms:
    """Makes rooms, and keeps their people in line with the YAML."""

    def __init__(self, *, db: Database, clock: Clock, transport: Transport, services: Services) -> None:
        self._db, self._clock, self._transport, self._services = db, clock, transport, services

    @property
    def core_jobs(self) -> dict[str, CoreJob]:
        return {"govern": self._govern}

    async def make(self, hub: Hub, room: Room, alias: str) -> str:
        """Makes a room of a hub; answers its id. Its people are invited afterwards, one by one: one homeserver that is
        away keeps nobody else out."""
        if room.encrypted and not self._transport.encrypts:
            raise Refused("FARO_NO_ENCRYPTION", "rooms are encrypted when they are made, and encryption does not work")
        levels = self._levels(hub)
        language = hub.languages[0]
        name = in_language(room.title or hub.title, language)
        topic = in_language(room.topic or hub.title, language)
        new = NewRoom(name, alias, topic if topic != name else "", room.encrypted, levels)
        made = await self._transport.create_room(new)
        async with self._db.transaction() as tx:
            await made_rooms.keep_grants(tx, made, levels)
            await self._invite_missing(tx, hub, alias)
        log.info("created a room", hub=hub.id, room=alias)
        return made

    async def is_trusted(self, room: str) -> bool:
        """Whether the bot or an operator made the room, or an operator invited the bot to it."""
        if await made_rooms.is_vouched_for(self._db.reading(), room):
            return True
        try:
            state = await self._transport.state(room)
        except Refused:
            return False
        create = next((change.content for change in state if change.type == "m.room.create"), {})
        return create.get("creator") in (self._services.user_id, *self._services.operators)

    async def schedule(self, tx: Transaction) -> None:
        """Has the people of all rooms that the bot made looked at."""
        schedule = self._services.core_schedule(tx, self._clock.now())
        for hub in self._services.directory.hubs:
            for room_id in self._services.directory.rooms_of(hub):
                known = await rooms.joined_room(tx, room_id)
                if known and known.state.get("m.room.create", {}).get("creator") == self._services.user_id:
                    await schedule.job("govern", f"govern/{room_id}", room=room_id)

    async def _govern(self, job: Job) -> None:
        """Raises those who are to have more power than the bot gave them so far, and invites who never was."""
        room_id = str(job.payload["room"])
        place = self._services.directory.place(room_id)
        if place is None:
            return
        try:
            changes = await self._transport.state(room_id)
        except Refused as error:
            log.info("a room could not be looked at", room=room_id, reason=str(error))
            return
        state = {change.type: change.content for change in changes if change.state_key == ""}
        levels, create = state.get("m.room.power_levels", {}), state.get("m.room.create", {})
        wanted, granted = self._levels(place.hub), await made_rooms.grants(self._db.reading(), room_id)
        new = room_powers.raised(levels, create, wanted, granted)
        try:
            if new is not None:
                await self._transport.set_state(room_id, "m.room.power_levels", new)
                log.info("gave people power in a room", room=room_id)
        except Refused as error:
            log.warning("people could not be given power in a room", room=room_id, reason=str(error))
            return
        kept = room_powers.too_powerful(levels, create, wanted, granted)
        async with self._db.transaction() as tx:
            await made_rooms.keep_grants(tx, room_id, {**granted, **wanted, **kept})
            for user in granted:
                if user not in wanted and user not in kept:
                    await made_rooms.forget_grant(tx, room_id, user)
            if place.room.alias:
                known = {change.state_key for change in changes if change.type == "m.room.member"}
                await self._invite_missing(tx, place.hub, place.room.alias, known)

    async def _invite_missing(self, tx: Transaction, hub: Hub, alias: str, known: Collection[str] = ()) -> None:
        """Has moderators and coordinators invited who never were, nor are `known` to the room: who left stays out.
        Operators come in on their own word: `faro invite`."""
        schedule = self._services.core_schedule(tx, self._clock.now())
        for user in dict.fromkeys((*hub.moderators, *(person.user for person in hub.coordinators))):
            if await made_rooms.mark_invited(tx, alias, user) and user not in known:
                await schedule.job("coordinator", f"coordinator/{alias}/{user}", alias=alias, user=user)

    def _levels(self, hub: Hub) -> Mapping[str, int]:
        return room_powers.wanted(self._services.operators, hub.moderators)
