"""Looks at the hubs' rooms on the homeserver with the bot's account, for shell commands. Changes nothing but what
`invite` is asked to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from bot.config.load import Loaded
from bot.core.errors import DatabaseError, Refused
from bot.core.texts import Text
from bot.hubs import Hub, Room
from bot.matrix.client import NioTransport, stored_session
from bot.matrix.login import Secrets
from bot.operations.room_checks import Finding, RoomOfHub, check, leads_elsewhere
from bot.ports import Clock, Reader
from bot.storage import made_rooms
from bot.storage.database import SqliteDatabase


async def look(loaded: Loaded, clock: Clock) -> Sequence[Finding]:
    """What each room is like now. Can run beside the bot. Raises `TransportError` without a session or homeserver."""
    findings: list[Finding] = []
    async with _session(loaded, clock) as (transport, db):
        for hub in loaded.config.hubs:
            for room in hub.rooms:
                findings += await _look_at(transport, db, loaded, hub, room)
    return findings


async def invite(loaded: Loaded, clock: Clock, hub: Hub, people: Sequence[str]) -> Sequence[Finding]:
    """Invites people into the rooms of a hub that the bot is in."""
    findings: list[Finding] = []
    async with _session(loaded, clock) as (transport, db):
        for room in hub.rooms:
            name, id_ = room.alias or room.id or "", await made_rooms.room_id(db, id_=room.id, alias=room.alias)
            for user in people if id_ else ():
                try:
                    await transport.invite_person(str(id_), user)
                    text = Text("Invited {user} to {room}.", user=user, room=name)
                    findings.append(Finding("ok", "invited", text, hub.id, name))
                except Refused as error:
                    text = Text("{user} was not invited to {room}: {reason}", user=user, room=name, reason=error)
                    findings.append(Finding("note", "not_invited", text, hub.id, name))
    return findings


@asynccontextmanager
async def _session(loaded: Loaded, clock: Clock) -> AsyncIterator[tuple[NioTransport, Reader]]:
    file = loaded.data_dir / "faro.db"
    if not file.exists():
        raise DatabaseError(Text("The bot has never run with this data folder: {folder}", folder=loaded.data_dir))
    secrets = Secrets(loaded.password, loaded.token)
    async with (
        SqliteDatabase(file) as database,
        stored_session(loaded.config, secrets, loaded.data_dir, clock, Unencrypted()) as transport,
    ):
        yield transport, database.reading()


async def _look_at(transport: NioTransport, db: Reader, loaded: Loaded, hub: Hub, room: Room) -> Sequence[Finding]:
    name, findings = room.alias or room.id or "", list[Finding]()
    id_ = await made_rooms.room_id(db, id_=room.id, alias=room.alias)
    if room.alias:
        try:
            leads_to = (await transport.resolve(room.alias))[0]
        except Refused as error:
            text = Text("Hub {hub}: the address {room} leads nowhere: {reason}", hub=hub.id, room=name, reason=error)
            findings.append(Finding("trouble", "alias", text, hub.id, name))
        else:
            if id_ and leads_to != id_:
                findings.append(leads_elsewhere(hub, name, leads_to))
    try:
        if id_ is None:
            raise Refused("M_NOT_FOUND", "it has not joined it yet")
        changes = await transport.state(id_)
    except Refused as error:
        text = Text("Hub {hub}: the bot is not in {room}: {reason}", hub=hub.id, room=name, reason=error)
        return [*findings, Finding("trouble", "joined", text, hub.id, name)]
    state = {change.type: change.content for change in changes if change.state_key == ""}
    known = RoomOfHub(hub, room, id_, state, await made_rooms.grants(db, id_))
    return [*findings, *check(known, loaded.config.user, loaded.config.operators)]


class Unencrypted:
    """`bot.ports.RoomStateReader` for a session that sends nothing."""

    async def encryption(self, room: str) -> Mapping[str, object] | None:
        return None

    async def members(self, room: str) -> frozenset[str]:
        return frozenset()
