"""Rooms whose stored messages are being checked after a gap, and how far that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.ports import Reader, Transaction


@dataclass(frozen=True, slots=True)
class RunningRecheck:
    """`unknown`: messages that the homeserver does not know any more; they are kept."""

    room: str
    total: int
    checked: int
    unknown: int


async def begin(db: Transaction, room: str, total: int, now: int) -> None:
    await db.execute(
        """INSERT INTO core_rechecks (room, total, checked, unknown, begun_at) VALUES (:room, :total, 0, 0, :now)
        ON CONFLICT (room) DO UPDATE SET total = :total, checked = 0, begun_at = :now""",
        room=room,
        total=total,
        now=now,
    )


async def advance(db: Transaction, room: str, checked: int, unknown: int) -> None:
    await db.execute(
        "UPDATE core_rechecks SET checked = checked + :checked, unknown = unknown + :unknown WHERE room = :room",
        room=room,
        checked=checked,
        unknown=unknown,
    )


async def finish(db: Transaction, room: str) -> None:
    """The room is through; that some messages are unknown stays known."""
    await db.execute("UPDATE core_rechecks SET total = 0, checked = 0 WHERE room = :room", room=room)
    await db.execute("DELETE FROM core_rechecks WHERE room = :room AND unknown = 0", room=room)


async def running(db: Reader) -> Sequence[RunningRecheck]:
    return [one for one in await known(db) if one.total]


async def known(db: Reader) -> Sequence[RunningRecheck]:
    """Also rooms that are through, if messages of them are unknown."""
    rows = await db.rows("SELECT room, total, checked, unknown FROM core_rechecks ORDER BY room")
    return [RunningRecheck(**row) for row in rows]
