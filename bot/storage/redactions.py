"""Which events were redacted: an edit of one, which may come later, does not count. Ids only."""

from __future__ import annotations

from bot.ports import Reader, Transaction

KEPT = 366 * 86_400_000  # ms


async def keep(db: Transaction, room: str, event_id: str, now: int) -> None:
    await db.execute(
        "INSERT INTO core_redactions (room, event_id, at) VALUES (:room, :event, :now) ON CONFLICT DO NOTHING",
        room=room,
        event=event_id,
        now=now,
    )


async def is_kept(db: Reader, room: str, event_id: str) -> bool:
    return bool(
        await db.value(
            "SELECT EXISTS (SELECT 1 FROM core_redactions WHERE room = :room AND event_id = :event)",
            room=room,
            event=event_id,
        )
    )


async def purge(db: Transaction, now: int) -> None:
    await db.execute("DELETE FROM core_redactions WHERE at < :oldest", oldest=now - KEPT)
