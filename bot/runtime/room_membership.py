"""Getting into rooms and knowing who is there: the hubs' rooms, invites, member lists."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Sequence

import structlog

from bot.core.errors import LoggedOut, Refused, TransportError, Unavailable
from bot.hubs import Hub, Room
from bot.ports import Clock, Database, Transport
from bot.runtime import openness, tombstones, unencrypted
from bot.runtime.directory import Place
from bot.runtime.job_runner import INVITE_TRIES, TRIES, CoreJob
from bot.runtime.made_rooms import MadeRooms
from bot.runtime.services import Services
from bot.storage import made_rooms, rooms
from bot.storage.alarms import Job

log = structlog.get_logger()

NOT_OURS = "FARO_NOT_OURS"
INVITES_AN_HOUR = 20  # of one person that are accepted; hubs' rooms do not count
HOUR = 3_600_000  # ms
SIDE_BY_SIDE = 4  # rooms joined at once; more would look like a flood to the homeserver


class RoomMembership:
    """Joins what the configuration names, answers invites, keeps member lists."""

    def __init__(
        self, *, db: Database, clock: Clock, transport: Transport, services: Services, invites_from: Collection[str]
    ) -> None:
        self._db, self._clock, self._transport, self._services = db, clock, transport, services
        self._invites_from = frozenset(invites_from)
        self._made = MadeRooms(db=db, clock=clock, transport=transport, services=services)
        self._unreached: set[str] = set()  # rooms whose homeserver did not answer: an invite may be theirs
        self._unreadable: set[str] = set()  # encrypted rooms the operator was told of
        self._accepted: dict[str, list[int]] = {}  # inviter → when in the last hour (ms)
        self._slowed: dict[str, int] = {}  # inviter → when an invite of theirs last had to wait (ms)

    @property
    def core_jobs(self) -> dict[str, CoreJob]:
        return {
            "invite": self._invite,
            "invites": self._open_invites,
            "members": self._members,
            "coordinator": self._ask_in,
            "rooms": self._look_at_rooms,
            **self._made.core_jobs,
        }

    @property
    def waiting(self) -> bool:
        """Whether some room is missing only because a homeserver did not answer."""
        return bool(self._unreached)

    async def recall(self) -> None:
        """Binds the aliases whose rooms are known from earlier starts."""
        for hub in self._services.directory.hubs:
            for room in hub.rooms:
                if room.alias and (known := await rooms.room_of_alias(self._db.reading(), room.alias)):
                    self._services.directory.bind(known, Place(hub, room))
        for hub in self._services.directory.hubs:
            for room_id in self._services.directory.rooms_of(hub):
                await openness.examine(self._db.reading(), self._services, room_id)
        await self._tell_unreadable()

    async def plan_open_invites(self) -> None:
        """Has all open invites answered, also those that were given up."""
        async with self._db.transaction() as tx:
            await self._services.core_schedule(tx, self._clock.now()).job("invites", "invites")

    async def _tell_unreadable(self) -> None:
        """Where encryption does not work: says so in the rooms, and to the operator."""
        if self._transport.encrypts:
            return
        async with self._db.transaction() as tx:
            closed = await unencrypted.tell(tx, self._services, self._clock.now())
        for room in closed:
            if room not in self._unreadable:
                self._unreadable.add(room)
                place = self._services.directory.place(room)
                hub = place.hub.id if place else None
                log.error("encryption does not work here: cannot read an encrypted room", room=room, hub=hub)

    async def join_all(self) -> Sequence[str]:
        """Joins the hubs' rooms; answers a line for each that could not be joined. One failing stops no other."""
        places = [(hub, room) for hub in self._services.directory.hubs for room in hub.rooms]
        turns = asyncio.Semaphore(SIDE_BY_SIDE)

        async def in_turn(hub: Hub, room: Room) -> str | None:
            async with turns:
                return await self._try(hub, room)

        async with asyncio.TaskGroup() as tasks:
            tries = [tasks.create_task(in_turn(hub, room)) for hub, room in places]
        return [line for one in tries if (line := one.result())]

    async def _try(self, hub: Hub, room: Room) -> str | None:
        name = room.alias or room.id or ""
        self._unreached.discard(name)
        try:
            await self._join(hub, room)
        except LoggedOut:
            raise
        except TransportError as error:
            if isinstance(error, Unavailable):
                self._unreached.add(name)
            why = str(error).rstrip(".")
            line = f"hub '{hub.id}': cannot join {name}: {why}. {self._remedy(error, room)}"
            log.error(line)
            return line
        return None

    async def _join(self, hub: Hub, room: Room) -> None:
        room_id, via = await made_rooms.room_id(self._db.reading(), id_=room.id, alias=room.alias), list(room.via)
        if room_id and await rooms.joined_room(self._db.reading(), room_id):
            return
        if room.alias and room_id is None:
            room_id, servers = await self._resolve(hub, room, room.alias)
            via += [server for server in servers if server not in via][:5]
            async with self._db.transaction() as tx:
                await rooms.pin_alias(tx, room.alias, room_id)
            self._services.directory.bind(room_id, Place(hub, room))
            await openness.examine(self._db.reading(), self._services, room_id)
        if room_id:
            await self._transport.join(room_id, via)
            log.info("joined", hub=hub.id, room=room.alias or room_id)

    async def _resolve(self, hub: Hub, room: Room, alias: str) -> tuple[str, Sequence[str]]:
        try:
            found, servers = await self._transport.resolve(alias)
        except Refused as error:
            if not room.create or error.code != "M_NOT_FOUND":
                raise
            return await self._made.make(hub, room, alias), ()
        if room.create and not await self._made.is_trusted(found):
            raise Refused(NOT_OURS, f"somebody else made the room {found} under this address")
        return found, servers

    async def look_again(self) -> None:
        """Has aliases and the rooms the bot made looked at: after a start, and once a day."""
        async with self._db.transaction() as tx:
            await self._services.core_schedule(tx, self._clock.now()).job("rooms", "rooms")

    async def _look_at_rooms(self, job: Job) -> None:
        """Whether aliases still lead where they led, and who is to be in the rooms the bot made."""
        for room in {room.alias for hub in self._services.directory.hubs for room in hub.rooms if room.alias}:
            pinned = await rooms.room_of_alias(self._db.reading(), room)
            try:
                now_at = (await self._transport.resolve(room))[0] if pinned else None
            except Refused as error:
                log.warning("an alias of a hub cannot be resolved", room=room, reason=str(error))
                continue
            moved = now_at if now_at != pinned else None
            if moved:
                log.error("an alias leads to another room now; the bot stays where it was", room=room, elsewhere=moved)
            async with self._db.transaction() as tx:
                await made_rooms.keep_elsewhere(tx, room, moved)
        async with self._db.transaction() as tx:
            await self._made.schedule(tx)

    @staticmethod
    def _remedy(error: TransportError, room: Room) -> str:
        if isinstance(error, Unavailable):
            return "It is tried again later."
        if isinstance(error, Refused) and error.code == NOT_OURS:
            return "If it is the right one, write its id or remove `create: true`; or invite the bot as an operator."
        if isinstance(error, Refused) and error.code == "FARO_NO_ENCRYPTION":
            return "Write `encrypted: false` to have it made without encryption."
        if isinstance(error, Refused) and error.code == "M_NOT_FOUND":
            return "Check the name, or write `create: true` to have the room made."
        if isinstance(error, Refused) and error.code == "M_FORBIDDEN":
            return "Invite the bot into the room; it accepts by itself."
        return "Check the room's name and settings."

    # -- core jobs ------------------------------------------------------------------------------------------------

    async def _open_invites(self, _: Job) -> None:
        invites = await self._transport.invites()
        async with self._db.transaction() as tx:
            for invite in invites:
                await self._services.plan_invite(tx, invite, self._clock.now())

    async def _invite(self, job: Job) -> None:
        """Accepts what the configuration allows, rejects the rest. Too many of one person wait; none is forgotten."""
        room, sender = str(job.payload["room"]), str(job.payload["sender"])
        directory, db = self._services.directory, self._db.reading()
        wanted = directory.place(room) is not None or await tombstones.is_successor(db, self._services, room)
        if sender in self._services.operators:
            async with self._db.transaction() as tx:
                await made_rooms.vouch(tx, room)
        if wanted or self._allowed(sender):
            if not wanted and job.tries == 0 and (wait := self._wait(sender)):
                async with self._db.transaction() as tx:
                    schedule = self._services.core_schedule(tx, self._clock.now())
                    await schedule.job(job.name, job.key, after=wait, **job.payload)
                return
            if job.payload["direct"] and not wanted:
                async with self._db.transaction() as tx:
                    await rooms.mark_direct(tx, room)
            await self._accept(room, sender, tries=job.tries)
        elif self._unreached:
            raise Unavailable("not every room of the configuration is known yet")
        else:
            await self._quietly(self._transport.leave(room), "an invite could not be rejected", room)
            log.warning("rejected an invite", sender=sender, room=room)

    async def _accept(self, room: str, sender: str, *, tries: int) -> None:
        try:
            await self._transport.join(room, [sender.partition(":")[2]])
        except Refused as error:
            if tries < INVITE_TRIES:  # the inviter's homeserver may not have stored its own invite yet
                raise Unavailable(f"the invite is not accepted yet: {error}") from error
            log.warning("an invite could not be accepted", room=room, reason=str(error))

    def _wait(self, sender: str) -> int:
        """How long (ms) until one more invite of this person is accepted; 0 counts it as accepted."""
        now = self._clock.now()
        recent = [at for at in self._accepted.get(sender, ()) if now - HOUR < at <= now]
        self._accepted[sender] = recent
        if len(recent) < INVITES_AN_HOUR:
            recent.append(now)
            return 0
        if now - self._slowed.get(sender, 0) > 2 * HOUR:
            log.warning("many invites by one person; the rest is accepted later", sender=sender)
        self._slowed[sender] = now
        return recent[0] + HOUR - now

    def _allowed(self, user: str) -> bool:
        server = user.partition(":")[2]
        people = {*self._invites_from, *self._services.operators, *self._services.directory.people()}
        return user in people or server in people

    async def _ask_in(self, job: Job) -> None:
        """Invites a coordinator into a room the bot has made."""
        alias, user = str(job.payload["alias"]), str(job.payload["user"])
        room = None
        try:
            room = await rooms.room_of_alias(self._db.reading(), alias)
            if room is None:
                raise Unavailable("the room is not made yet")
            await self._transport.invite_person(room, user)
            log.info("invited a coordinator", user=user, room=alias)
        except (Refused, Unavailable) as error:
            if isinstance(error, Unavailable) and (error.retry_after is not None or job.tries + 1 < TRIES):
                raise
            if room and user in {*await self._transport.members(room), *await self._transport.invited(room)}:
                return
            log.warning(
                "a coordinator could not be invited; invite them yourself", user=user, room=alias, reason=str(error)
            )

    async def _members(self, job: Job) -> None:
        room = str(job.payload["room"])
        try:
            joined, invited = await self._transport.members(room), await self._transport.invited(room)
        except Refused as error:  # no longer in the room: nothing to know
            log.info("members could not be read", room=room, reason=str(error))
            return
        async with self._db.transaction() as tx:
            if await rooms.joined_room(tx, room):
                await rooms.set_members(tx, room, joined, invited)
        await self._tell_unreadable()

    @staticmethod
    async def _quietly(request: Awaitable[object], failure: str, room: str) -> None:
        try:
            await request
        except Refused as error:
            log.warning(failure, room=room, reason=str(error))
