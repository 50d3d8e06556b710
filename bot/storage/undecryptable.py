"""Encrypted events that wait for their room key, and people whose clients withhold keys from the bot."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.core.events import Undecryptable, Withheld
from bot.ports import Reader, Row, Transaction

KEPT = 7 * 86_400_000  # ms; a key that comes later than this comes no more
PER_PERSON, PER_ROOM = 50, 500  # the newest ones; nobody can fill the disk, nor push out everybody else's at once
NOTICE_INTERVAL = 7 * 86_400_000  # ms between two notices to one person in one room


async def keep(db: Transaction, event: Undecryptable, now: int) -> None:
    """Keeps an event, and in its room no more than the newest of its sender and of everybody."""
    await db.execute(
        "INSERT INTO core_undecryptable (room, event_id, sender, sent_at, session_id, raw, received_at)"
        " VALUES (:room, :event, :sender, :sent_at, :session, :raw, :now) ON CONFLICT (room, event_id) DO NOTHING",
        room=event.room,
        event=event.event_id,
        sender=event.sender,
        sent_at=event.sent_at,
        session=event.session_id,
        raw=json.dumps(dict(event.raw)),
        now=now,
    )
    await db.execute(
        "DELETE FROM core_undecryptable WHERE id IN (SELECT id FROM core_undecryptable WHERE room = :room AND sender = :sender"
        " ORDER BY id DESC LIMIT -1 OFFSET :most)",
        room=event.room,
        sender=event.sender,
        most=PER_PERSON,
    )
    await db.execute(
        "DELETE FROM core_undecryptable WHERE id IN"
        " (SELECT id FROM core_undecryptable WHERE room = :room ORDER BY id DESC LIMIT -1 OFFSET :most)",
        room=event.room,
        most=PER_ROOM,
    )


async def pending(db: Reader, sessions: Iterable[tuple[str, str]] | None = None) -> Sequence[Undecryptable]:
    """The stored events of these sessions (room, session id), or of all, in order of arrival."""
    if sessions is None:
        rows = list(await db.rows("SELECT * FROM core_undecryptable"))
    else:
        rows = [
            row
            for room, session in sessions
            for row in await db.rows(
                "SELECT * FROM core_undecryptable WHERE room = :room AND session_id = :session",
                room=room,
                session=session,
            )
        ]
    return [_event(row) for row in sorted(rows, key=lambda row: int(row["id"]))]


async def sender_of(db: Reader, room: str, event_id: str) -> str | None:
    """The sender of a stored event."""
    sender: str | None = await db.value(
        "SELECT sender FROM core_undecryptable WHERE room = :room AND event_id = :event", room=room, event=event_id
    )
    return sender


async def drop(db: Transaction, room: str, event_id: str) -> None:
    """The event was decrypted, redacted or edited."""
    await db.execute(
        "DELETE FROM core_undecryptable WHERE room = :room AND event_id = :event", room=room, event=event_id
    )


async def drop_room(db: Transaction, room: str) -> None:
    """The bot left the room."""
    await db.execute("DELETE FROM core_undecryptable WHERE room = :room", room=room)
    await db.execute("DELETE FROM core_withheld_keys WHERE room = :room", room=room)


async def forget(db: Transaction, user: str) -> None:
    await db.execute("DELETE FROM core_undecryptable WHERE sender = :user", user=user)
    await db.execute("DELETE FROM core_withheld_keys WHERE user = :user", user=user)


async def purge(db: Transaction, now: int) -> None:
    """Deletes what has expired."""
    await db.execute("DELETE FROM core_undecryptable WHERE received_at < :before", before=now - KEPT)
    await db.execute(
        "DELETE FROM core_withheld_keys WHERE withheld_at < :before", before=now - max(KEPT, NOTICE_INTERVAL)
    )


async def note_withheld(db: Transaction, notice: Withheld, now: int) -> None:
    """Stores that a person's client withheld its keys."""
    await db.execute(
        "INSERT INTO core_withheld_keys (room, user, code, withheld_at) VALUES (:room, :user, :code, :now)"
        " ON CONFLICT (room, user) DO UPDATE SET code = excluded.code, withheld_at = excluded.withheld_at",
        room=notice.room,
        user=notice.sender,
        code=notice.code,
        now=now,
    )


async def may_notify(db: Transaction, room: str, user: str, now: int) -> bool:
    """Whether the person may be asked for their keys now; if so, stores that they were."""
    changed = await db.execute(
        "UPDATE core_withheld_keys SET notified_at = :now"
        " WHERE room = :room AND user = :user AND (notified_at IS NULL OR notified_at <= :before)",
        room=room,
        user=user,
        now=now,
        before=now - NOTICE_INTERVAL,
    )
    return changed > 0


@dataclass(frozen=True, slots=True)
class Unread:
    events: int
    people: int  # who sent them
    first: int  # when the first one came; 0 if there is none


async def count_unread(db: Reader, room: str, since: int) -> Unread:
    """Events received since then that wait for their key."""
    (row,) = await db.rows(
        "SELECT count(*) AS events, count(DISTINCT sender) AS people, coalesce(min(received_at), 0) AS first"
        " FROM core_undecryptable WHERE room = :room AND received_at >= :since",
        room=room,
        since=since,
    )
    return Unread(row["events"], row["people"], row["first"])


async def count_withholding(db: Reader, room: str, since: int) -> int:
    """How many people's clients withheld their keys since then."""
    count: int = await db.value(
        "SELECT count(*) FROM core_withheld_keys WHERE room = :room AND withheld_at >= :since", room=room, since=since
    )
    return count


def _event(row: Row) -> Undecryptable:
    return Undecryptable(
        room=row["room"],
        event_id=row["event_id"],
        sender=row["sender"],
        sent_at=row["sent_at"],
        session_id=row["session_id"],
        raw=json.loads(row["raw"]),
    )
