"""Matrix rooms: which ones the bot has joined, their state and their members."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from bot.core import openness
from bot.core.events import StateChange
from bot.ports import Reader, Transaction
from bot.storage import alarms

STORED_STATE = frozenset(
    {
        "m.room.create",
        "m.room.power_levels",
        "m.room.encryption",
        "m.room.name",
        "m.room.canonical_alias",
        "m.room.tombstone",
        "m.room.topic",
        *openness.STATE,
    }
)
"""State types that are stored; members have a table of their own."""


@dataclass(frozen=True, slots=True)
class JoinedRoom:
    """A joined room as the database has it."""

    id: str
    direct: bool
    state: Mapping[str, Mapping[str, object]] = field(hash=False)  # type → content

    @property
    def encrypted(self) -> bool:
        return "m.room.encryption" in self.state


async def joined_ids(db: Reader) -> frozenset[str]:
    return frozenset(row["id"] for row in await db.rows("SELECT id FROM core_rooms WHERE joined = 1"))


async def is_joined(db: Reader, room: str) -> bool:
    return await db.value("SELECT 1 FROM core_rooms WHERE id = :room AND joined = 1", room=room) is not None


async def joined_room(db: Reader, room: str) -> JoinedRoom | None:
    found = await db.row("SELECT id, direct FROM core_rooms WHERE id = :room AND joined = 1", room=room)
    if found is None:
        return None
    return JoinedRoom(room, bool(found["direct"]), await state_of(db, room))


async def state_of(db: Reader, room: str) -> Mapping[str, Mapping[str, object]]:
    """The state of a room, as far as it is stored: type → content."""
    state = await db.rows("SELECT type, content FROM core_room_state WHERE room = :room AND state_key = ''", room=room)
    return {row["type"]: json.loads(row["content"]) for row in state}


async def mark_joined(db: Transaction, room: str) -> None:
    await db.execute(
        "INSERT INTO core_rooms (id, joined) VALUES (:room, 1) ON CONFLICT (id) DO UPDATE SET joined = 1",
        room=room,
    )


async def mark_direct(db: Transaction, room: str) -> None:
    """The bot was invited to a chat with one person; it counts as joined when the homeserver says so."""
    await db.execute(
        "INSERT INTO core_rooms (id, joined, direct) VALUES (:room, 0, 1) ON CONFLICT (id) DO UPDATE SET direct = 1",
        room=room,
    )


async def mark_left(db: Transaction, room: str) -> None:
    """The bot left the room: deletes its state and member lists."""
    await db.execute("UPDATE core_rooms SET joined = 0, direct = 0 WHERE id = :room", room=room)
    await db.execute("DELETE FROM core_room_state WHERE room = :room", room=room)
    await db.execute("DELETE FROM core_members WHERE room = :room", room=room)
    await db.execute("DELETE FROM core_invited WHERE room = :room", room=room)


async def apply_state(db: Transaction, change: StateChange) -> None:
    """Stores one state event."""
    if change.type == "m.room.member":
        await _member(db, change.room, change.state_key, change.content.get("membership"))
    elif change.type in STORED_STATE and change.state_key == "":
        await db.execute(
            "INSERT INTO core_room_state VALUES (:room, :type, '', :content)"
            " ON CONFLICT (room, type, state_key) DO UPDATE SET content = excluded.content",
            room=change.room,
            type=change.type,
            content=json.dumps(dict(change.content)),
        )


async def _member(db: Transaction, room: str, user: str, membership: object) -> None:
    await db.execute("DELETE FROM core_members WHERE room = :room AND user = :user", room=room, user=user)
    await db.execute("DELETE FROM core_invited WHERE room = :room AND user = :user", room=room, user=user)
    if membership == "join":
        await db.execute("INSERT INTO core_members VALUES (:room, :user)", room=room, user=user)
    elif membership == "invite":
        await db.execute("INSERT INTO core_invited VALUES (:room, :user)", room=room, user=user)


async def set_members(db: Transaction, room: str, joined: Iterable[str], invited: Iterable[str]) -> None:
    """Replaces the complete lists with those of the homeserver."""
    await db.execute("DELETE FROM core_members WHERE room = :room", room=room)
    await db.execute("DELETE FROM core_invited WHERE room = :room", room=room)
    for user in joined:
        await db.execute("INSERT INTO core_members VALUES (:room, :user) ON CONFLICT DO NOTHING", room=room, user=user)
    for user in invited:
        await db.execute("INSERT INTO core_invited VALUES (:room, :user) ON CONFLICT DO NOTHING", room=room, user=user)


async def has_member_lists(db: Reader, room: str) -> bool:
    """Whether the member lists are complete: no job is pending to fetch them."""
    return not await alarms.has_job(db, "core", f"members/{room}")


async def is_member(db: Reader, room: str, user: str) -> bool:
    """Whether somebody is in the room, or may be because the list was not fetched yet."""
    found = await db.value("SELECT 1 FROM core_members WHERE room = :room AND user = :user", room=room, user=user)
    return found is not None or not await has_member_lists(db, room)


async def mark_decrypted(db: Transaction, room: str, now: int) -> None:
    """An encrypted message was decrypted in the room."""
    await db.execute("UPDATE core_rooms SET decrypted_at = :now WHERE id = :room", room=room, now=now)


async def decrypted_at(db: Reader, room: str) -> int | None:
    value: int | None = await db.value("SELECT decrypted_at FROM core_rooms WHERE id = :room", room=room)
    return value


async def rooms_of(db: Reader, user: str) -> set[str]:
    """The bot's joined rooms that the user has joined, too."""
    found = await db.rows(
        "SELECT room FROM core_members JOIN core_rooms ON core_rooms.id = core_members.room WHERE user = :user AND joined = 1",
        user=user,
    )
    return {row["room"] for row in found}


async def encrypted_among(db: Reader, rooms: Collection[str]) -> frozenset[str]:
    """Those of these joined rooms that are encrypted."""
    rows = await db.rows(
        """SELECT room FROM core_room_state WHERE type = 'm.room.encryption' AND state_key = ''
        AND room IN (SELECT value FROM json_each(:rooms))""",
        rooms=json.dumps(sorted(rooms)),
    )
    return frozenset(row["room"] for row in rows)


async def room_of_alias(db: Reader, name: str) -> str | None:
    room: str | None = await db.value("SELECT room FROM core_aliases WHERE alias = :name", name=name)
    return room


async def pin_alias(db: Transaction, name: str, room: str) -> None:
    """Stores the room of an alias, so that whoever takes over the alias later does not get the hub's bot."""
    await db.execute(
        "INSERT INTO core_aliases (alias, room) VALUES (:name, :room) ON CONFLICT (alias) DO UPDATE SET room = excluded.room",
        name=name,
        room=room,
    )
