"""Rooms the bot made, vouched for by operators, or followed to: what it did there, so that it does nothing twice."""

from __future__ import annotations

from collections.abc import Mapping

from bot.ports import Reader, Transaction
from bot.storage import rooms


async def vouch(db: Transaction, room: str) -> None:
    """An operator invited the bot to a room."""
    await db.execute(
        "INSERT INTO core_rooms (id, joined, vouched) VALUES (:room, 0, 1) ON CONFLICT (id) DO UPDATE SET vouched = 1",
        room=room,
    )


async def is_vouched_for(db: Reader, room: str) -> bool:
    return bool(await db.value("SELECT vouched FROM core_rooms WHERE id = :room", room=room))


async def grants(db: Reader, room: str) -> Mapping[str, int]:
    """The power the bot gave people in a room it made: user → level."""
    return {
        row["user"]: row["level"] for row in await db.rows("SELECT * FROM core_grants WHERE room = :room", room=room)
    }


async def keep_grants(db: Transaction, room: str, levels: Mapping[str, int]) -> None:
    """The bot gave people this power, or they had it."""
    await db.execute_many(
        """INSERT INTO core_grants (room, user, level) VALUES (:room, :user, :level)
        ON CONFLICT (room, user) DO UPDATE SET level = excluded.level""",
        [{"room": room, "user": user, "level": level} for user, level in levels.items()],
    )


async def forget_grant(db: Transaction, room: str, user: str) -> None:
    """A human lowered somebody who is to have less: that is settled."""
    await db.execute("DELETE FROM core_grants WHERE room = :room AND user = :user", room=room, user=user)


async def mark_invited(db: Transaction, alias: str, user: str) -> bool:
    """Whether the person had not been invited to the room yet."""
    return bool(
        await db.execute(
            "INSERT INTO core_invitations (alias, user) VALUES (:alias, :user) ON CONFLICT DO NOTHING",
            alias=alias,
            user=user,
        )
    )


async def succeed(db: Transaction, room: str, successor: str) -> None:
    """The bot followed a room to its successor. The aliases that led to the room lead there now."""
    await db.execute(
        """INSERT INTO core_successors (room, successor) VALUES (:room, :successor)
        ON CONFLICT (room) DO UPDATE SET successor = excluded.successor""",
        room=room,
        successor=successor,
    )
    await db.execute(
        "UPDATE core_aliases SET room = :successor, elsewhere = NULL WHERE room = :room", room=room, successor=successor
    )


async def successors(db: Reader) -> Mapping[str, str]:
    """Replaced rooms → their successors, which may have been replaced in turn."""
    return {row["room"]: row["successor"] for row in await db.rows("SELECT room, successor FROM core_successors")}


def chain(room: str, successors: Mapping[str, str]) -> list[str]:
    """The room, what replaced it, what replaced that, and so on."""
    replaced = [room]
    while (room := successors.get(room, room)) not in replaced:
        replaced.append(room)
    return replaced


def newest(room: str, successors: Mapping[str, str]) -> str:
    """The room at the end of a chain of replacements."""
    return chain(room, successors)[-1]


async def room_id(db: Reader, *, id_: str | None, alias: str | None) -> str | None:
    """The room that a hub's YAML names by id or alias, or the newest one that replaced it; None if an alias has not been
    resolved yet."""
    named = id_ or (await rooms.room_of_alias(db, alias) if alias else None)
    return newest(named, await successors(db)) if named else None


async def keep_elsewhere(db: Transaction, alias: str, room: str | None) -> None:
    """An alias points to another room than the one it was pinned to; None: it does not (any more)."""
    await db.execute("UPDATE core_aliases SET elsewhere = :room WHERE alias = :alias", alias=alias, room=room)


async def elsewhere(db: Reader, alias: str) -> str | None:
    room: str | None = await db.value("SELECT elsewhere FROM core_aliases WHERE alias = :alias", alias=alias)
    return room
